/** From what the nodes say of a peer to its conditions. Pure; every negative message says what to do next. */
import type { ConditionStatus, FederationPeerConditionType, FederationPeerReason } from "@archivestream/crds";
import type { Verdict } from "../kstatus.ts";
import type { Finding } from "../peer-finding.ts";
import type { ResolvedPeer } from "../resolved-peers.ts";

/** What one matched ArchiveNode does with the peer. */
export interface PeerAtNode {
  readonly node: string;
  /**
   * `absent`: its trust document leaves the peer out. `unknown`: this process has not issued a document to it, or its pods
   * have not answered yet.
   */
  readonly trust: "enforced" | "propagating" | "absent" | "unknown";
  /** Lowest sequence that any pod enforces. */
  readonly sequence: number | undefined;
  readonly finding: Finding;
}

export interface PeerView {
  readonly peer: ResolvedPeer;
  /** Matched nodes, in the order of their names. */
  readonly nodes: readonly PeerAtNode[];
  /** Of a peer known by address only: who is there, as pods were told. */
  readonly claims: readonly string[];
  /** Why nobody could be asked there. */
  readonly claimFailure: string | undefined;
  readonly notImplemented: readonly string[];
  readonly now: Date;
}

export type PeerDecision =
  | Verdict<FederationPeerConditionType>
  | { readonly type: FederationPeerConditionType; readonly keep: Verdict<FederationPeerConditionType> };

type Given = Verdict<FederationPeerConditionType>;

/** All but `Ready` and `Reconciling`, which follow from these. */
export function decidePeer(view: PeerView): PeerDecision[] {
  const { peer } = view;
  const always: PeerDecision[] = [
    acceptedCondition(view),
    trustedCondition(view),
    ...(peer.shadowedBy === undefined
      ? []
      : [verdict("Shadowed", "True", "DuplicateNodeID", duplicateMessage(peer.shadowedBy))]),
    ...(peer.object.spec.suspend === true
      ? [verdict("Suspended", "True", "SuspendedByUser", "nobody connects; set spec.suspend to false to go on")]
      : []),
  ];
  // Nobody dials a peer before it is approved.
  return isDialled(view) ? [...always, reachableCondition(view), compatibleCondition(view)] : always;
}

function isDialled({ peer }: PeerView): boolean {
  const { admission, refused, shadowedBy, nodeID } = peer;
  return admission === "Approved" && refused === undefined && shadowedBy === undefined && nodeID !== undefined;
}

function acceptedCondition({ peer, claims, claimFailure, notImplemented }: PeerView): PeerDecision {
  if (peer.refused !== undefined) return verdict("Accepted", "False", peer.refused.reason, peer.refused.message);
  if (peer.nodeID === undefined && peer.nodeRef === undefined) {
    const why = claimFailure === undefined ? "nobody was asked yet" : `nobody could be asked: ${claimFailure}`;
    const message =
      claims.length === 0
        ? `${why}; set spec.nodeID to trust it`
        : `claims ${claims.join(", ")}; set spec.nodeID to trust it`;
    const decided = verdict("Accepted", "False", "NodeIDRequired", message);
    return claims.length === 0 && claimFailure === undefined ? { type: "Accepted", keep: decided } : decided;
  }
  if (notImplemented.length === 0)
    return verdict("Accepted", "True", "Accepted", "every field of the spec is acted on");
  const message = `this release does nothing yet for ${notImplemented.join(", ")}; remove them, or leave them for a later release`;
  return verdict("Accepted", "True", "NotImplementedFields", message);
}

function trustedCondition({ peer, nodes, now }: PeerView): PeerDecision {
  const no = (reason: FederationPeerReason<"Trusted">, message: string) => verdict("Trusted", "False", reason, message);
  if (peer.admission === "Blocked") return no("Blocked", "spec.admission is Blocked; set it to Approved to let it in");
  if (peer.refused !== undefined) return no("NotAccepted", peer.refused.message);
  if (peer.admission === "Pending")
    return no("AdmissionPending", "nobody has decided yet; set spec.admission to Approved or Blocked");
  const expires = peer.object.spec.trust?.expires;
  if (expires !== undefined && Date.parse(expires) <= now.getTime())
    return no("Expired", `spec.trust.expires was ${expires}; move or remove it`);
  if (nodes.length === 0) return no("NoMatchingNode", "spec.nodeSelector matches no other ArchiveNode; correct it");
  if (peer.shadowedBy !== undefined) return no("NotAccepted", duplicateMessage(peer.shadowedBy));
  const absent = nodes.find(({ trust }) => trust === "absent");
  if (absent !== undefined && peer.nodeID !== undefined)
    return no("NoRoom", `ArchiveNode ${absent.node} leaves the peer out; kubectl describe anode ${absent.node}`);
  const lagging = nodes.find(({ trust }) => trust === "propagating");
  if (lagging !== undefined)
    return no(
      "Propagating",
      `ArchiveNode ${lagging.node} has not taken the document yet; it follows within two minutes`,
    );
  if (peer.nodeID === undefined || nodes.some(({ trust }) => trust === "unknown"))
    return pending("Trusted", "waiting for the nodes to say what they enforce");
  return verdict("Trusted", "True", "Trusted", `every matched node (${nodes.length}) lets it in`);
}

/** How many matched nodes speak with it. Those that have said nothing yet are counted as they were. */
export function connectedNodes({ peer, nodes }: Pick<PeerView, "peer" | "nodes">): number {
  const connected = nodes.filter(({ finding }) => finding.state === "connected").length;
  const unknown = nodes.filter(({ finding }) => finding.state === "unknown").length;
  const before = peer.object.status?.nodes?.connected ?? 0;
  return Math.max(connected, Math.min(before, connected + unknown));
}

function reachableCondition(view: PeerView): PeerDecision {
  const { peer, nodes } = view;
  if (nodes.length === 0)
    return verdict(
      "Reachable",
      "False",
      "NoMatchingNode",
      "spec.nodeSelector matches no other ArchiveNode; correct it",
    );
  if (peer.object.spec.suspend === true)
    return verdict("Reachable", "Unknown", "Suspended", "nobody connects while spec.suspend is true; set it to false");
  const connected = connectedNodes(view);
  if (connected > 0)
    return verdict("Reachable", "True", "Connected", `nodes speak with it (${connected} of ${nodes.length} matched)`);
  const failed = nodes.find(({ finding }) => finding.state === "unreachable");
  if (failed?.finding.state !== "unreachable" || nodes.some(({ finding }) => finding.state === "unknown"))
    return pending("Reachable", "waiting for the nodes to say whether it answers");
  const { reason, message } = failed.finding.failure;
  return verdict("Reachable", "False", reason, `from ArchiveNode ${failed.node}: ${message}; ${NEXT[reason]}`);
}

/** What to do about each failure. */
const NEXT = {
  DialFailed: "check spec.endpoints, and that the peer runs",
  TLSFailed: "check that spec.endpoints leads to an archive",
  IdentityMismatch: "correct spec.endpoints, or make a new FederationPeer with the other node id",
  PinMismatch: "ask its operator, then add the new pin to spec.trust.pins",
  AddressForbidden: "give the peer another address in spec.endpoints",
  NotAdmitted: "give its operator this node's id, status.nodeID of the ArchiveNode",
  ProtocolTooOld: "ask its operator to upgrade",
  ProtocolTooNew: "upgrade this ArchiveNode",
} as const;

function compatibleCondition({ nodes }: PeerView): PeerDecision {
  for (const { node, finding } of nodes) {
    if (finding.state !== "unreachable") continue;
    const { reason, message } = finding.failure;
    if (reason === "ProtocolTooOld" || reason === "ProtocolTooNew")
      return verdict("Compatible", "False", reason, `from ArchiveNode ${node}: ${message}; ${NEXT[reason]}`);
  }
  if (nodes.some(({ finding }) => finding.state === "connected"))
    return verdict("Compatible", "True", "Compatible", "protocol versions overlap");
  return pending("Compatible", "waiting for a node to reach it");
}

/** False before Unknown: what is known to be wrong is what the reader needs. */
export function readyOf(view: PeerView, conditions: readonly Shown[]): Given {
  const { peer } = view;
  const of = (type: FederationPeerConditionType) => conditions.find((one) => one.type === type);
  const no = (reason: FederationPeerReason<"Ready">, why: FederationPeerConditionType) =>
    verdict("Ready", "False", reason, of(why)?.message ?? "");
  if (peer.shadowedBy !== undefined) return no("DuplicateNodeID", "Shadowed");
  if (of("Accepted")?.status === "False") return no("NotAccepted", "Accepted");
  if (peer.admission === "Blocked") return no("Blocked", "Trusted");
  if (peer.admission === "Pending") return no("AdmissionPending", "Trusted");
  if (peer.object.spec.suspend === true) return no("Suspended", "Suspended");
  for (const [type, reason] of GATES) if (of(type)?.status === "False") return no(reason, type);
  const waiting = GATES.map(([type]) => of(type)).find((one) => one?.status !== "True");
  if (waiting !== undefined) return verdict("Ready", "Unknown", "Pending", waiting.message);
  return verdict("Ready", "True", "Ready", "trusted and reachable");
}

type Shown = { readonly type: string; readonly status: string; readonly message: string };

const GATES = [
  ["Trusted", "NotTrusted"],
  ["Reachable", "NotReachable"],
] as const;

function duplicateMessage(winner: string): string {
  return `FederationPeer ${winner} has the same node id and counts; delete one of the two`;
}

function verdict<T extends FederationPeerConditionType>(
  type: T,
  status: ConditionStatus,
  reason: FederationPeerReason<T> & string,
  message: string,
): Verdict<T> {
  return { type, status, reason, message };
}

function pending(type: "Trusted" | "Reachable" | "Compatible", message: string): PeerDecision {
  return { type, keep: { type, status: "Unknown", reason: "Pending", message } };
}
