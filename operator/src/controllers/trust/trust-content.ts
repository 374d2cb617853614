/** Who a node trusts: what goes into its trust document. Pure. */
import type { ArchiveNode } from "@archivestream/crds";
import type { TrustDocument, TrustEntry } from "@archivestream/node/contract";
import { isApproved, peersWith, type ResolvedPeer } from "../resolved-peers.ts";

export interface TrustContent {
  readonly entries: TrustDocument["entries"];
  readonly revoked: TrustDocument["revoked"];
  /** Entries that found no room. */
  readonly refused: number;
}

/** A document must fit into a Secret, which holds 1 MiB. */
export const MAX_ENTRIES = 4_000;

/**
 * Blocked and denied ids are revoked, whoever else names them. An approved peer comes before an id of an allow list: its
 * object may narrow it. Where certificates of a CA are required, which this release cannot check, nobody is trusted.
 */
export function trustContent(
  node: ArchiveNode,
  peers: readonly ResolvedPeer[],
  allowList: readonly string[],
): TrustContent {
  const revoked = revokedIds(node, peers);
  const trusted = [...(needsAuthority(node) ? [] : candidates(node, peers, allowList).values())].filter(
    ({ nodeID }) => !revoked.has(nodeID) && nodeID !== node.status?.nodeID,
  );
  // Those that a person approved one by one go in first.
  const ordered = trusted.toSorted(
    (a, b) => Number(a.peerUID === undefined) - Number(b.peerUID === undefined) || (a.nodeID < b.nodeID ? -1 : 1),
  );
  return {
    entries: ordered.slice(0, MAX_ENTRIES).toSorted((a, b) => (a.nodeID < b.nodeID ? -1 : 1)),
    revoked: [...revoked].sort().slice(0, MAX_ENTRIES),
    refused: Math.max(0, ordered.length - MAX_ENTRIES),
  };
}

function revokedIds(node: ArchiveNode, peers: readonly ResolvedPeer[]): ReadonlySet<string> {
  const blocked = peers.filter(
    (peer) => peer.admission === "Blocked" && peer.shadowedBy === undefined && peersWith(node, peer),
  );
  return new Set([...(node.spec.discovery?.deny ?? []), ...blocked.flatMap(({ nodeID }) => nodeID ?? [])]);
}

/** By node id. */
function candidates(
  node: ArchiveNode,
  peers: readonly ResolvedPeer[],
  allowList: readonly string[],
): ReadonlyMap<string, TrustEntry> {
  const entries = new Map<string, TrustEntry>(allowList.map((nodeID) => [nodeID, { nodeID, pins: [] }]));
  for (const peer of peers.filter(isApproved))
    if (peersWith(node, peer)) entries.set(peer.nodeID, entryOf(peer, peer.nodeID));
  return entries;
}

function needsAuthority({ spec }: ArchiveNode): boolean {
  return spec.trust?.require === "CA" || spec.trust?.require === "KeyAndCA";
}

function entryOf({ object, uid }: ResolvedPeer, nodeID: string): TrustEntry {
  const { pins = [], expires } = object.spec.trust ?? {};
  return {
    nodeID,
    pins: [...pins].sort(),
    ...(expires === undefined ? {} : { notAfter: expires }),
    peerUID: uid,
  };
}
