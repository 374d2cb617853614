/** What the command line shows: the shapes of `peer list --json` and `policy list --json`. Pure. */
import type { FederationDocument, PolicyEntry, TrustDocument } from "../contract/documents.ts";
import type { MissingReason, PeerState, TrustLevel } from "../contract/federation-reports.ts";

export interface PeerRow {
  readonly node_id: string;
  /** The one that worked last, else the first to dial; null where none is known. */
  readonly endpoint: string | null;
  readonly origin: "authored" | "discovered";
  readonly admission: "approved" | "pending" | "blocked";
  readonly state: PeerState;
  readonly trust: TrustLevel;
}

export interface MissingFile {
  readonly hash: string;
  readonly reason: MissingReason;
}

export interface PolicyRow {
  readonly name: string;
  /** Node id; `all` before the node has met any. */
  readonly peer: string;
  /** `*` before the node knows the peer's collections. */
  readonly collection: string;
  /** Files; null where the node is not running, or has not read the peer's list yet. */
  readonly wanted: number | null;
  readonly held: number | null;
  readonly missing: readonly MissingFile[];
}

/** What a node knows of a peer beside the documents. */
export interface SeenPeer {
  readonly nodeId: string;
  /** The one that worked last first, then those of its record. */
  readonly endpoints: readonly string[];
  readonly state: PeerState;
  readonly trust: TrustLevel;
}

export interface Documents {
  readonly trust: TrustDocument | undefined;
  readonly federation: FederationDocument | undefined;
}

/** Those of the documents first, in their order, then discovered ones by node id. */
export function peerRows({ trust, federation }: Documents, seen: readonly SeenPeer[]): readonly PeerRow[] {
  const seenById = new Map(seen.map((peer) => [peer.nodeId, peer]));
  const authored = new Map((federation?.peers ?? []).map((peer) => [peer.nodeID, peer.endpoints]));
  for (const { nodeID } of trust?.entries ?? []) if (!authored.has(nodeID)) authored.set(nodeID, []);
  for (const nodeID of trust?.revoked ?? []) if (!authored.has(nodeID)) authored.set(nodeID, []);
  const discovered = seen.map(({ nodeId }) => nodeId).filter((nodeId) => !authored.has(nodeId));
  const ids = [...authored.keys(), ...discovered.toSorted()];
  return ids.map((nodeId) => {
    const known = seenById.get(nodeId);
    return {
      node_id: nodeId,
      endpoint: [...(known?.endpoints ?? []), ...(authored.get(nodeId) ?? [])][0] ?? null,
      origin: authored.has(nodeId) ? "authored" : "discovered",
      admission: admissionOf(nodeId, trust),
      state: known?.state ?? "unknown",
      trust: known?.trust ?? "unknown",
    };
  });
}

function admissionOf(nodeId: string, trust: TrustDocument | undefined): PeerRow["admission"] {
  if (trust?.revoked.includes(nodeId) === true) return "blocked";
  return trust?.entries.some(({ nodeID }) => nodeID === nodeId) === true ? "approved" : "pending";
}

/** Rows of policies in the documents' order: what runs say, else one for each peer and collection that a policy names. */
export function policyRows(policies: readonly PolicyEntry[], running: readonly PolicyRow[]): readonly PolicyRow[] {
  return policies.flatMap((policy) => {
    const rows = running.filter(({ name }) => name === policy.name);
    if (rows.length > 0) return rows;
    const nothing = { wanted: null, held: null, missing: [] };
    return (policy.peers ?? ["all"]).flatMap((peer) =>
      (policy.include ?? ["*"]).map((collection) => ({ name: policy.name, peer, collection, ...nothing })),
    );
  });
}
