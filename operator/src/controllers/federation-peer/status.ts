/** The status of a FederationPeer. Pure; what is not known yet keeps its stored value. */
import type { FederationPeerConditionType, FederationPeerStatus } from "@archivestream/crds";
import { mergeConditions, type Verdict, wholeSeconds } from "../kstatus.ts";
import { connectedNodes, decidePeer, type PeerAtNode, type PeerView, readyOf } from "./conditions.ts";

const SOURCES_SHOWN = 8;

export function peerStatus(view: PeerView): FederationPeerStatus {
  const { metadata, status: stored = {} } = view.peer.object;
  const context = { generation: metadata.generation ?? 0, now: view.now };
  const before = stored.conditions ?? [];
  const merged = mergeConditions<FederationPeerConditionType>(before, decidePeer(view), context);
  const ready = readyOf(view, merged);
  const isWaiting = ready.status === "Unknown" || merged.some(({ reason }) => reason === "Propagating");
  const summary: Verdict<FederationPeerConditionType>[] = [
    ready,
    ...(isWaiting
      ? [{ type: "Reconciling", status: "True", reason: "Progressing", message: ready.message } as const]
      : []),
  ];
  const sources = sourcesOf(view, stored);
  const isSeen = sources.length > 0 || stored.firstSeenTime !== undefined;
  return {
    ...stored,
    observedGeneration: context.generation,
    ...advertisedOf(view),
    nodes: { matched: view.nodes.length, connected: connectedNodes(view) },
    ...(isSeen ? { firstSeenTime: stored.firstSeenTime ?? wholeSeconds(view.now) } : {}),
    ...(sources.length === 0 ? {} : { sources }),
    ...trustOf(view, merged, stored),
    conditions: [...merged, ...mergeConditions<FederationPeerConditionType>(before, summary, context)],
  };
}

function advertisedOf({ nodes }: PeerView): Pick<FederationPeerStatus, "advertised"> {
  const said = nodes.flatMap(({ finding }) => (finding.state === "unknown" ? [] : (finding.report.advertised ?? [])));
  const [first] = said;
  if (first === undefined) return {};
  const { protocol, version, collections, endpoints } = first;
  return {
    advertised: {
      ...(version === undefined ? {} : { version }),
      ...(protocol === undefined ? {} : { protocol }),
      ...(collections === undefined ? {} : { collections: [...new Set(collections)].sort() }),
      endpoints: [...new Set(endpoints)],
    },
  };
}

/** Once seen, always seen, as long as the node is there. */
function sourcesOf({ nodes }: PeerView, stored: FederationPeerStatus): readonly string[] {
  const hasSeen = ({ node, finding }: PeerAtNode) =>
    finding.state === "connected" || (stored.sources?.includes(node) ?? false);
  return nodes
    .filter(hasSeen)
    .map(({ node }) => node)
    .slice(0, SOURCES_SHOWN);
}

/** The sequence that took it in: later ones, which only brought others, are no news of this peer. */
function trustOf(
  { nodes }: PeerView,
  merged: readonly { readonly type: string; readonly status: string }[],
  stored: FederationPeerStatus,
): Pick<FederationPeerStatus, "trust"> {
  const isTrusted = merged.some(({ type, status }) => type === "Trusted" && status === "True");
  const wasTrusted = stored.conditions?.some(({ type, status }) => type === "Trusted" && status === "True") ?? false;
  const sequence = Math.max(0, ...nodes.map((one) => one.sequence ?? 0));
  if (!isTrusted || wasTrusted || sequence === 0) return {};
  return { trust: { sequence } };
}
