/**
 * Messages by which archives learn of each other's files: `GET /collections`, `GET /sync/changes` and `POST /sync`, with
 * their limits. What a peer sends is checked with these schemas; members they do not name are passed over.
 */
import Type, { type Static } from "typebox";

/** Numbers of the protocol's table of limits. */
export const SYNC_LIMITS = {
  /** Items of a page of changes, hashes of a have-list, hashes of a want-list. */
  items: 1_000,
  /** A have-list with its hashes and a cursor. */
  requestBytes: 128 * 1024,
  /** A page of changes: a thousand items of at most 1 KiB. */
  pageBytes: 1024 * 1024,
  collectionsBytes: 128 * 1024,
  blobsPerPeer: 8,
} as const;

/** A hash in hex, in messages of the document with or without its algorithm before it. */
const BARE = "[0-9a-f]{64}";
const BlobHash = Type.String({ pattern: `^${BARE}$` });
const AnyHash = Type.String({ pattern: `^(sha256:)?${BARE}$` });
const Name = Type.String({ minLength: 1, maxLength: 63 });
const Cursor = Type.String({ maxLength: 256 });
export const AccessSchema = Type.Union([Type.Literal("Public"), Type.Literal("Federation"), Type.Literal("Private")]);
export type CollectionAccess = Static<typeof AccessSchema>;

/** `GET /collections`: those whose files the caller may have whole. */
export const CollectionsAnswerSchema = Type.Object({
  collections: Type.Array(Type.Object({ name: Name, access: AccessSchema }), { maxItems: 1_000 }),
});
export type CollectionsAnswer = Static<typeof CollectionsAnswerSchema>;

/** A file that the answerer holds. */
export const ChangeSchema = Type.Object({
  seq: Type.Integer({ minimum: 1 }),
  op: Type.Literal("have"),
  hash: BlobHash,
  /** Bytes. */
  size: Type.Integer({ minimum: 0 }),
  /** Second in which the content was made; 0 when that is not known. */
  t: Type.Integer({ minimum: 0 }),
  media: Type.String({ maxLength: 128 }),
  /** As its first sender named it. */
  filename: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
});
export type Change = Static<typeof ChangeSchema>;

/** A file that the answerer holds no more. */
export const WithdrawnChangeSchema = Type.Object({
  seq: Type.Integer({ minimum: 1 }),
  op: Type.Literal("withdrawn"),
  hash: BlobHash,
});
export type WithdrawnChange = Static<typeof WithdrawnChangeSchema>;

/** `GET /sync/changes`. */
export const ChangesAnswerSchema = Type.Object({
  epoch: Type.String({ minLength: 1, maxLength: 64 }),
  /** Those with another `op` than `have` and `withdrawn` are of a later version, and passed over. */
  items: Type.Array(Type.Object({ op: Type.String({ maxLength: 32 }) }), { maxItems: SYNC_LIMITS.items }),
  next: Cursor,
  more: Type.Boolean(),
});
export type ChangesAnswer = Omit<Static<typeof ChangesAnswerSchema>, "items"> & {
  readonly items: readonly Change[];
  readonly withdrawn: readonly string[];
};

/** `POST /sync`: the sender names what it holds, the answerer says what it will fetch. */
export const SyncRequestSchema = Type.Object({
  /** Absent in messages of a peer that knows the document only: the answerer's first collection. */
  collection: Type.Optional(Name),
  have: Type.Array(AnyHash, { maxItems: SYNC_LIMITS.items }),
  cursor: Type.Optional(Type.Union([Cursor, Type.Null()])),
});
export type SyncRequest = Static<typeof SyncRequestSchema>;

/** Where reading a list of changes goes on. */
export interface ChangesCursor {
  readonly epoch: string;
  readonly seq: number;
}

export const CURSOR = /^([0-9A-Za-z_-]{1,64}):([0-9]{1,15})$/;

export function formatCursor({ epoch, seq }: ChangesCursor): string {
  return `${epoch}:${seq}`;
}

/** `undefined` when it is none of ours. */
export function parseCursor(text: string): ChangesCursor | undefined {
  const [, epoch, seq] = CURSOR.exec(text) ?? [];
  return epoch === undefined ? undefined : { epoch, seq: Number(seq) };
}

export function bareHash(hash: string): string {
  return hash.replace(/^sha256:/, "");
}
