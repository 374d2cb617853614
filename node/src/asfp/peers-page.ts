/** `GET /peers`: the peers that a node has reached itself, page by page. */
import { createHash } from "node:crypto";
import Type, { type Static } from "typebox";
import { NodeIdSchema } from "../contract/documents.ts";

/** Numbers of protocol 2.10. */
export const PEERS_PAGE = { records: 500, bytes: 1024 * 1024 } as const;

/** As it is read: an entry without a record is one of a document-only peer and teaches nothing. */
export const PeersPageSchema = Type.Object({
  peers: Type.Array(
    Type.Object({ node_id: NodeIdSchema, record: Type.Optional(Type.Unknown()), sig: Type.Optional(Type.Unknown()) }),
    {
      maxItems: PEERS_PAGE.records,
    },
  ),
  cursor: Type.Optional(Type.String({ maxLength: 64 })),
  more: Type.Optional(Type.Boolean()),
});
export type PeersPage = Static<typeof PeersPageSchema>;

/** One state of a list: the same for the same peers with the same records, whatever order they came in. */
export function peersDigest(
  records: Iterable<{ readonly node_id: string; readonly seq: number; readonly incarnation?: number | undefined }>,
): string {
  const lines = Array.from(records, ({ node_id, seq, incarnation }) => `${node_id} ${seq} ${incarnation ?? 0}\n`);
  return `sha256:${createHash("sha256").update(lines.toSorted().join(""), "utf8").digest("hex")}`;
}
