/** Which peers a question goes to, and why not to the others. Pure. */
import type { KnownPeer } from "../peers/peer-calls.ts";

export type PeerSearchStatus =
  | "ok"
  /** Answered with part of what it has: its time was over, or some of its hits were not taken. */
  | "partial"
  | "timeout"
  | "unreachable"
  /** Failed so often lately that it is left alone for a while. */
  | "breaker_open"
  | "dead"
  /** Did not let this node ask. */
  | "refused"
  /** Its answer is none, or is ranked by other rules: such hits come last, in its own order. */
  | "incompatible"
  | "not_selected";

export interface Selection {
  readonly asked: readonly KnownPeer[];
  readonly others: readonly { readonly peer: KnownPeer; readonly status: PeerSearchStatus }[];
}

export interface SelectionRules {
  readonly self: string;
  readonly maxPeers: number;
  readonly isOpen: (nodeId: string) => boolean;
}

export function selectPeers(known: readonly KnownPeer[], rules: SelectionRules): Selection {
  const eligible = known.filter(({ nodeId, capabilities }) => nodeId !== rules.self && maySearch(capabilities));
  const judged = eligible.map((peer) => ({ peer, status: obstacle(peer, rules) }));
  const ready = judged.flatMap(({ peer, status }) => (status === undefined ? peer : [])).toSorted(preferred);
  const asked = ready.slice(0, rules.maxPeers);
  const left = ready.slice(rules.maxPeers).map((peer) => ({ peer, status: "not_selected" as const }));
  const hindered = judged.flatMap(({ peer, status }) => (status === undefined ? [] : { peer, status }));
  return { asked, others: [...hindered, ...left] };
}

/** Of a peer without a record nothing is known: it may be one that knows only the protocol document. */
function maySearch(capabilities: readonly string[]): boolean {
  return capabilities.length === 0 || capabilities.includes("search");
}

function obstacle(peer: KnownPeer, { isOpen }: SelectionRules): PeerSearchStatus | undefined {
  if (peer.state === "dead") return "dead";
  if (isOpen(peer.nodeId)) return "breaker_open";
  if (!peer.isConnected) return "unreachable";
  return peer.weight === 0 ? "not_selected" : undefined;
}

/** Healthy ones first, then trusted ones, then by weight, then the nearest. */
function preferred(a: KnownPeer, b: KnownPeer): number {
  const suspicion = ({ state }: KnownPeer): number => (state === "suspect" ? 1 : 0);
  const far = ({ rttMs }: KnownPeer): number => rttMs ?? Number.MAX_SAFE_INTEGER;
  return (
    suspicion(a) - suspicion(b) ||
    Number(b.isTrusted) - Number(a.isTrusted) ||
    b.weight - a.weight ||
    far(a) - far(b) ||
    (a.nodeId < b.nodeId ? -1 : 1)
  );
}
