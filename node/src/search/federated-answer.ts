/** Merged hits as the answer that a user sees, with what became of every peer. Pure. */
import type { FederatedAnswer, FederatedRequest, SearchHit } from "../archive/archive.ts";
import type { KnownPeer } from "../peers/peer-calls.ts";
import type { Merged } from "./merge.ts";
import type { AskedPeer } from "./peer-outcome.ts";
import type { PeerSearchStatus, Selection } from "./peer-selection.ts";

export function peerLine(
  { nodeId }: KnownPeer,
  {
    status,
    tookMs = 0,
    returned = 0,
    used = 0,
  }: {
    readonly status: PeerSearchStatus;
    readonly tookMs?: number;
    readonly returned?: number;
    readonly used?: number;
  },
): FederatedAnswer["peers"][number] {
  return { node_id: nodeId, status, took_ms: tookMs, returned, used };
}

export function toAnswer(
  { offset, limit }: FederatedRequest,
  merged: Merged,
  {
    answered,
    others,
    isPart,
  }: {
    readonly answered: readonly [KnownPeer, AskedPeer][];
    readonly others: Selection["others"];
    readonly isPart: boolean;
  },
): Omit<FederatedAnswer, "tookMs"> {
  const hits = merged.hits
    .slice(offset, offset + limit)
    .map(({ sources, ...hit }): SearchHit & { sources: string[] } => ({
      ...hit,
      sources: [...sources],
    }));
  const lines = answered.map(([peer, { status, tookMs, leaf }]) => {
    const used = hits.filter(({ sources }) => sources.includes(peer.nodeId)).length;
    const returned = leaf?.hits.filter(({ shown }) => shown !== undefined).length ?? 0;
    return peerLine(peer, { status, tookMs, returned, used });
  });
  const count = (...wanted: readonly PeerSearchStatus[]): number =>
    lines.filter(({ status }) => wanted.includes(status as PeerSearchStatus)).length;
  const withHits = answered.filter(([, { leaf }]) => leaf !== undefined).length;
  const partial = count("partial");
  return {
    hits,
    total: merged.total,
    totalIsLowerBound: merged.totalIsLowerBound || isPart,
    facets: merged.facets,
    ranking: "approximate",
    coverage: {
      peers: { selected: answered.length, answered: withHits, partial, failed: answered.length - withHits },
    },
    peers: [...lines, ...others.map(({ peer, status }) => peerLine(peer, { status }))],
  };
}
