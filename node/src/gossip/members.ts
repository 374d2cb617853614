/** Whom this node looks after: peers of its documents, and in Public mode all that it learnt of. Pure. */
import type { FederationDocument, TrustDocument } from "../contract/documents.ts";
import type { PeerEntry } from "../peers/peer-table.ts";

export interface Documents {
  readonly trust: TrustDocument | undefined;
  readonly federation: FederationDocument | undefined;
}

/**
 * @param letsIn - whether the trust document lets a node id in; never the node itself
 * @returns node ids that may be dialled: trusted and not suspended, with an address
 */
export function membersOf(
  { federation }: Documents,
  known: readonly PeerEntry[],
  letsIn: (nodeId: string) => boolean,
): ReadonlySet<string> {
  const authored = federation?.peers ?? [];
  const suspended = new Set(authored.filter(({ suspend }) => suspend === true).map(({ nodeID }) => nodeID));
  const ids = [
    ...authored.filter(({ endpoints }) => endpoints.length > 0).map(({ nodeID }) => nodeID),
    ...known.filter(({ signed }) => signed !== undefined).map(({ nodeId }) => nodeId),
  ];
  return new Set(ids.filter((nodeId) => !suspended.has(nodeId) && letsIn(nodeId)));
}

/** Named by a document, whatever it says of it. */
export function isNamed({ trust, federation }: Documents, nodeId: string): boolean {
  return (
    federation?.peers.some(({ nodeID }) => nodeID === nodeId) === true ||
    trust?.entries.some(({ nodeID }) => nodeID === nodeId) === true ||
    trust?.revoked.includes(nodeId) === true
  );
}
