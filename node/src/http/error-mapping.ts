/** Turns whatever a handler threw into one of the problems of `problem.ts`; unknown errors say nothing of themselves. */
import type { AccessErrorCode } from "../archive/errors.ts";
import type { HandshakeErrorCode } from "../peers/errors.ts";
import type { StorageErrorCode } from "../storage/errors.ts";
import { HttpProblem, type ProblemCode, type ProblemMembers } from "./problem.ts";

/** Exhaustive by type: a new code does not compile until someone decides what a client is told. */
const STORAGE: Readonly<Record<`StorageError.${StorageErrorCode}`, ProblemCode>> = {
  "StorageError.DISK_FULL": "storage-full",
  "StorageError.DISK_READ_ONLY": "storage-unavailable",
  "StorageError.DISK_FAILED": "storage-unavailable",
  "StorageError.HANDLES_EXHAUSTED": "storage-unavailable",
  "StorageError.BLOB_MISSING": "storage-unavailable",
  "StorageError.BLOB_DAMAGED": "storage-unavailable",
  "StorageError.INDEX_DAMAGED": "storage-unavailable",
  "StorageError.INDEX_NEWER": "storage-unavailable",
  "StorageError.INDEX_LOCKED": "storage-unavailable",
  "StorageError.INDEX_SLOW": "storage-unavailable",
  "StorageError.WORKER_LOST": "storage-unavailable",
  "StorageError.WORKER_UNSTARTED": "storage-unavailable",
  "StorageError.WORKER_FAILED": "internal",
  "StorageError.CLOSED": "draining",
};

const ACCESS: Readonly<Record<`AccessError.${AccessErrorCode}`, ProblemCode>> = {
  "AccessError.AUTH_REQUIRED": "auth-required",
  "AccessError.CONTENT_RESTRICTED": "content-restricted",
  "AccessError.COLLECTION_UNKNOWN": "collection-unknown",
};

const HANDSHAKE: Readonly<Record<`HandshakeError.${HandshakeErrorCode}`, ProblemCode>> = {
  "HandshakeError.BAD_ROUND": "bad-request",
  "HandshakeError.NOT_WHITELISTED": "not-whitelisted",
  "HandshakeError.BAD_PROOF": "bad-proof",
  "HandshakeError.CHALLENGE_EXPIRED": "challenge-expired",
  "HandshakeError.VERSION_UNSUPPORTED": "version-unsupported",
  "HandshakeError.RATE_LIMITED": "rate-limited",
};

/** Domain errors by class name and code. */
const DOMAIN: Readonly<Record<string, ProblemCode>> = {
  "IngestError.DIGEST_MISMATCH": "digest-mismatch",
  "IngestError.NOT_AN_ARCHIVE": "not-an-archive",
  "IngestError.SIZE_MISMATCH": "upload-incomplete",
  "IngestError.WITHDRAWN": "withdrawn-before",
  ...STORAGE,
  ...ACCESS,
  ...HANDSHAKE,
  "CdxError.COLLECTION_UNKNOWN": "collection-unknown",
  "CdxError.BAD_QUERY": "bad-query",
  "FullTextError.INDEX_DAMAGED": "storage-unavailable",
  "FullTextError.WORKER_LOST": "storage-unavailable",
  "FullTextError.CLOSED": "draining",
  "ReplayError.ORIGINAL_MISSING": "capture-unknown",
  "SearchError.BAD_QUERY": "bad-query",
  "SearchError.DEADLINE_EXCEEDED": "deadline-exceeded",
  "SearchError.OVERLOADED": "overloaded",
  "IdentityError.BAD_DOCUMENT": "document-invalid",
  "IdentityError.DOCUMENT_DIGEST_MISMATCH": "document-invalid",
  "IdentityError.DOCUMENT_SEQUENCE_OLD": "document-sequence-old",
};

/** Errors of fastify and of Node's HTTP server by code. */
const FRAMEWORK: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_VALIDATION: "bad-query",
  FST_ERR_CTP_BODY_TOO_LARGE: "payload-too-large",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "media-type-unsupported",
  FST_ERR_CTP_INVALID_JSON_BODY: "bad-request",
  FST_ERR_CTP_EMPTY_JSON_BODY: "bad-request",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "bad-request",
  FST_ERR_BAD_URL: "bad-request",
  FST_ERR_ASYNC_CONSTRAINT: "bad-request",
  FST_ERR_MAX_PARAM_LENGTH: "uri-too-long",
  FST_ERR_HANDLER_TIMEOUT: "deadline-exceeded",
  ENOSPC: "storage-full",
  EROFS: "storage-unavailable",
  EIO: "storage-unavailable",
};

interface CodedError extends Error {
  readonly code?: unknown;
  readonly retryAfterMs?: unknown;
  readonly members?: ProblemMembers;
}

export function toProblem(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (!(error instanceof Error)) return internal(error);
  if (error.name === "TimeoutError")
    return new HttpProblem("deadline-exceeded", "try a narrower question", { cause: error });
  const { code } = error as CodedError;
  if (typeof code !== "string") return internal(error);
  const known = DOMAIN[`${error.name}.${code}`] ?? FRAMEWORK[code];
  if (known === undefined)
    return isClientFault(error) ? new HttpProblem("bad-request", error.message) : internal(error);
  if (known === "internal") return internal(error);
  const { retryAfterMs, members } = error as CodedError;
  return new HttpProblem(known, error.message, {
    cause: error,
    ...(typeof retryAfterMs === "number" ? { retryAfterMs } : {}),
    ...(members === undefined ? {} : { members }),
  });
}

/** Fastify's own errors say whose fault they are; new ones come with its releases. */
function isClientFault(error: Error): boolean {
  const { statusCode, code } = error as { statusCode?: unknown; code?: unknown };
  return String(code).startsWith("FST_") && typeof statusCode === "number" && statusCode >= 400 && statusCode < 500;
}

function internal(error: unknown): HttpProblem {
  return new HttpProblem("internal", "see the node's log for this request id", { cause: error });
}
