/** JSON shapes of `/api/v1`, also its OpenAPI document. */
import Type from "typebox";
import { PROBLEM_TYPE, PROBLEMS } from "./problem.ts";

export const CollectionName = Type.String({ pattern: "^[a-z0-9]([-_a-z0-9]*[a-z0-9])?$", maxLength: 63 });
export const Hash = Type.String({ pattern: "^[0-9a-f]{64}$", description: "SHA-256 of the file, lower-case hex" });
/** 4 to 14 digits: `2024` is the whole year. */
export const PartialTimestamp = Type.String({ pattern: "^[0-9]{4,14}$" });

const DamagedRangeSchema = Type.Object({
  offset: Type.Integer({ minimum: 0 }),
  length: Type.Integer({ minimum: 0 }),
  reason: Type.String(),
});

const Count = Type.Integer({ minimum: 0 });
const DigestCountsSchema = Type.Object(
  {
    verified: Count,
    mismatched: Count,
    unsupported: Count,
    chunked: Type.Integer({ minimum: 0, description: "Verified payload digests made of the still chunked body" }),
    block: Type.Integer({ minimum: 0, description: "Verified payload digests made of the whole block" }),
  },
  { description: "Of the digests that the records declare" },
);

export const UploadReceiptSchema = Type.Object({
  hash: Hash,
  size: Type.Integer({ minimum: 0 }),
  records: Type.Integer({ minimum: 0 }),
  captures: Type.Integer({ minimum: 0 }),
  damaged: Type.Array(DamagedRangeSchema),
  digests: Type.Optional(DigestCountsSchema),
});

export const BlobInfoSchema = Type.Object({
  hash: Hash,
  filename: Type.Optional(Type.String()),
  size: Type.Integer({ minimum: 0 }),
  format: Type.Union([Type.Literal("warc"), Type.Literal("arc"), Type.Literal("unknown")]),
  compression: Type.Union([Type.Literal("none"), Type.Literal("gzip"), Type.Literal("zstd")]),
  state: Type.Union([Type.Literal("captured"), Type.Literal("searchable"), Type.Literal("failed")]),
  records: Type.Integer({ minimum: 0 }),
  captures: Type.Integer({ minimum: 0 }),
  damaged: Type.Array(DamagedRangeSchema, { description: "In a list of files the first hundred" }),
  damagedRanges: Count,
  damagedBytes: Count,
  digests: Type.Optional(DigestCountsSchema),
  reason: Type.Optional(Type.String()),
  receivedAt: Type.String(),
});

const ProblemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    instance: Type.String(),
    code: Type.String({ enum: Object.keys(PROBLEMS), description: "See problems.md" }),
    retryable: Type.Boolean(),
    retry_after_ms: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  { description: "RFC 9457 problem" },
);

const problemReply = { description: "A problem", content: { [PROBLEM_TYPE]: { schema: ProblemSchema } } };

/** For the `response` of every route. */
export const ProblemReplies = { "4xx": problemReply, "5xx": problemReply };

/** Replies that are not JSON, by media type. */
export function textReply(description: string, ...mediaTypes: readonly string[]) {
  const schema = Type.String();
  return { description, content: Object.fromEntries(mediaTypes.map((type) => [type, { schema }])) };
}
