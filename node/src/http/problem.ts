/** Every error the node answers with: code, status and title in one table, and the RFC 9457 document made from it. */

interface ProblemKind {
  readonly status: number;
  readonly title: string;
  /** Whether the same request may succeed later without a change. */
  readonly retryable: boolean;
  /** Of `Retry-After` when whoever refused knows nothing better. */
  readonly retryAfterMs?: number;
}

const final = (status: number, title: string): ProblemKind => ({ status, title, retryable: false });
const passing = (status: number, title: string, retryAfterMs?: number): ProblemKind => ({
  ...{ status, title, retryable: true },
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});

/** Codes are part of the API: add, never rename. */
export const PROBLEMS = {
  "bad-request": final(400, "The request cannot be understood"),
  "bad-query": final(400, "A parameter is wrong"),
  "bad-digest-field": final(400, "A digest header cannot be understood"),
  "upload-incomplete": passing(400, "The upload ended before its announced length"),
  "auth-required": final(401, "A valid bearer token is needed"),
  "bad-proof": final(401, "The caller did not prove to be who it says it is"),
  "challenge-expired": passing(401, "The challenge is too old"),
  "content-restricted": final(401, "Whole files of this collection need a valid bearer token"),
  "not-whitelisted": final(403, "This node does not let the caller in"),
  "peer-only": final(403, "Only the operator may call this"),
  "not-found": final(404, "There is nothing at this path"),
  "collection-unknown": final(404, "There is no collection of this name"),
  "blob-unknown": final(404, "This collection does not hold this file"),
  "capture-unknown": final(404, "No capture of this URL is held"),
  "method-not-allowed": final(405, "The path does not take this method"),
  "upload-too-slow": passing(408, "The upload came too slowly"),
  "request-timeout": passing(408, "The request came too slowly"),
  "document-sequence-old": final(409, "A document of this or a higher sequence is already in use"),
  "withdrawn-before": final(409, "The file was withdrawn before and is not taken again unasked"),
  "blob-withdrawn": final(410, "The file was withdrawn from this collection"),
  "cursor-expired": final(410, "The list that the cursor belongs to has been made anew"),
  "payload-too-large": final(413, "The body is larger than this node takes"),
  "uri-too-long": final(414, "The URL is too long"),
  "media-type-unsupported": final(415, "The body's type is not taken here"),
  "range-invalid": final(416, "The range lies outside the file"),
  "digest-mismatch": final(422, "The bytes received do not have the digest that was announced"),
  "document-invalid": final(422, "The document is not valid"),
  "too-many-items": final(422, "The list is longer than this node takes at once"),
  "not-an-archive": final(422, "The body is not a WARC or ARC file"),
  "version-unsupported": final(426, "This node speaks other versions of the protocol"),
  "rate-limited": passing(429, "Too many requests from this address"),
  "headers-too-large": final(431, "The request's header is too large"),
  internal: passing(500, "The node failed to answer"),
  "feature-unsupported": final(501, "This node does not offer that"),
  overloaded: passing(503, "Too many of these requests run at once", 2_000),
  draining: passing(503, "The node is shutting down", 30_000),
  "storage-unavailable": passing(503, "A part of the node's storage cannot be used now"),
  "deadline-exceeded": passing(504, "The answer took too long"),
  "storage-full": passing(507, "The node's volume is full"),
  "loop-detected": final(508, "The question was sent on by another node"),
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof PROBLEMS;

export const PROBLEM_TYPE = "application/problem+json";

/** RFC 9457 document with the node's extension members. */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** The request id. */
  readonly instance: string;
  readonly code: ProblemCode;
  readonly retryable: boolean;
  readonly retry_after_ms?: number;
  /** What the code adds. */
  readonly [member: string]: unknown;
}

export type ProblemMembers = Readonly<Record<string, string | number | readonly string[]>>;

export interface ProblemOptions extends ErrorOptions {
  readonly retryAfterMs?: number;
  /** Further members of the document. */
  readonly members?: ProblemMembers;
}

/** Thrown by routes; what is answered is in the table above. */
export class HttpProblem extends Error {
  override readonly name = "HttpProblem";
  readonly code: ProblemCode;
  readonly retryAfterMs: number | undefined;
  readonly members: ProblemMembers;

  constructor(code: ProblemCode, detail: string, options?: ProblemOptions) {
    super(detail, options);
    this.code = code;
    const { retryAfterMs }: ProblemKind = PROBLEMS[code];
    this.retryAfterMs = options?.retryAfterMs ?? retryAfterMs;
    this.members = options?.members ?? {};
  }
}

export function problemDocument(problem: HttpProblem, requestId: string): ProblemDocument {
  const { status, title, retryable } = PROBLEMS[problem.code];
  return {
    ...problem.members,
    type: `urn:asfp:problem:${problem.code}`,
    title,
    status,
    detail: problem.message,
    instance: requestId,
    code: problem.code,
    retryable,
    ...(problem.retryAfterMs === undefined ? {} : { retry_after_ms: problem.retryAfterMs }),
  };
}
