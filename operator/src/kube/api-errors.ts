/** Failures of a conversation with the API server. Codes are log-stable: add, never rename. */

/** One field that another manager owns; from a server-side apply without force. */
export interface FieldConflict {
  readonly field: string;
  readonly message: string;
}

export interface KubeErrorDetails {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** HTTP status, or the code of a Status inside a watch; absent when there was no answer. */
  readonly status?: number;
  /** Machine-readable reason of the API server's Status. */
  readonly reason?: string;
  readonly message?: string;
  /** What `Retry-After` asked for, milliseconds. */
  readonly retryAfterMs?: number;
  readonly conflicts?: readonly FieldConflict[];
}

/** Exhaustive by type: a new code does not compile until someone decides whether it is worth a retry. */
const RETRYABLE = {
  ABORTED: false,
  ALREADY_EXISTS: true, // our view was stale; the next look sees it
  BAD_REQUEST: false,
  CONFLICT: true,
  CONNECTION: true,
  CREDENTIALS: true,
  FENCED: false,
  FIELD_CONFLICT: false,
  FORBIDDEN: true, // with a long back-off: rights may be granted later
  GONE: true,
  INVALID: false,
  MALFORMED: true,
  NOT_FOUND: true,
  SERVER_ERROR: true,
  TIMEOUT: true,
  TOO_MANY_REQUESTS: true,
  UNAUTHORIZED: true,
} as const;

export type KubeErrorCode = keyof typeof RETRYABLE;

export class KubeError extends Error {
  override readonly name = "KubeError";
  readonly code: KubeErrorCode;
  readonly details: KubeErrorDetails;

  constructor(code: KubeErrorCode, details: KubeErrorDetails, options?: ErrorOptions) {
    super(`${code}: ${details.method} ${details.path}: ${details.message ?? details.reason ?? ""}`, options);
    this.code = code;
    this.details = details;
  }

  get retryable(): boolean {
    return RETRYABLE[this.code];
  }
}

/** `metav1.Status` as far as we read it. */
interface Status {
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly { readonly reason?: string; readonly field?: string; readonly message?: string }[];
  };
}

const BY_STATUS: ReadonlyMap<number, KubeErrorCode> = new Map([
  [401, "UNAUTHORIZED"],
  [403, "FORBIDDEN"],
  [404, "NOT_FOUND"],
  [408, "TIMEOUT"],
  [409, "CONFLICT"],
  [410, "GONE"],
  [422, "INVALID"],
  [429, "TOO_MANY_REQUESTS"],
  [504, "TIMEOUT"],
]);

/**
 * Turns a failed answer, or the Status in a watch `ERROR` event, into a typed error.
 *
 * @param retryAfter - the header's value: delta-seconds (RFC 9110, 10.2.3); a date is not sent by API servers
 */
export function errorFromStatus(
  request: { readonly method: string; readonly path: string },
  httpStatus: number,
  body: unknown,
  retryAfter?: string,
): KubeError {
  const status: Status = typeof body === "object" && body !== null ? body : {};
  const conflicts = fieldConflicts(status);
  const retryAfterMs = retryAfterMillis(retryAfter, status);
  return new KubeError(codeOf(httpStatus, status, conflicts.length > 0), {
    ...request,
    status: httpStatus,
    ...(status.reason === undefined ? {} : { reason: status.reason }),
    ...(status.message === undefined ? {} : { message: status.message }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(conflicts.length === 0 ? {} : { conflicts }),
  });
}

function codeOf(httpStatus: number, status: Status, fieldConflict: boolean): KubeErrorCode {
  if (httpStatus === 409 && fieldConflict) return "FIELD_CONFLICT";
  if (status.reason === "AlreadyExists") return "ALREADY_EXISTS";
  if (httpStatus === 422 && isOtherIncarnation(status)) return "CONFLICT";
  return BY_STATUS.get(httpStatus) ?? (httpStatus >= 500 ? "SERVER_ERROR" : "BAD_REQUEST");
}

/** An apply that names a uid is told "field is immutable" when the object is another one by now: a race, no mistake. */
function isOtherIncarnation(status: Status): boolean {
  const causes = status.details?.causes ?? [];
  return causes.length > 0 && causes.every((cause) => cause.field === "metadata.uid");
}

function fieldConflicts(status: Status): readonly FieldConflict[] {
  return (status.details?.causes ?? [])
    .filter((cause) => cause.reason === "FieldManagerConflict")
    .map((cause) => ({ field: cause.field ?? "", message: cause.message ?? "" }));
}

function retryAfterMillis(header: string | undefined, status: Status): number | undefined {
  const seconds = header === undefined ? status.details?.retryAfterSeconds : Number(header);
  return seconds !== undefined && Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}
