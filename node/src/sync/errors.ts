/** Why a peer's list or file did not come. Codes are log-stable: add, never rename. */
import type { MissingReason } from "../contract/federation-reports.ts";

export interface SyncErrorDetails {
  /** Nothing, or too little, came within the time. */
  readonly PEER_SILENT: { readonly afterMs: number };
  /** The connection ended before the file did. */
  readonly CUT_OFF: { readonly received: number };
  /** 401, 403, 451: not for this node. */
  readonly REFUSED: { readonly status: number };
  /** 404, 410 for a file that the peer listed. */
  readonly NOT_THERE: { readonly status: number };
  /** 429, 503: later. */
  readonly PEER_BUSY: { readonly status: number; readonly retryAfterMs: number };
  readonly UNEXPECTED_STATUS: { readonly status: number };
  /** A list that is not as the protocol says. */
  readonly BAD_LIST: { readonly reason: string };
  readonly TOO_LARGE: { readonly size: number; readonly limit: number };
  readonly WRONG_BYTES: { readonly reason: string };
}
export type SyncErrorCode = keyof SyncErrorDetails;

const MESSAGES: { readonly [C in SyncErrorCode]: (details: SyncErrorDetails[C]) => string } = {
  PEER_SILENT: ({ afterMs }) =>
    `the peer sent nothing, or next to nothing, for ${Math.round(afterMs / 1000)} s: it is asked again`,
  CUT_OFF: ({ received }) => `the connection ended after ${received} bytes: the rest is fetched later`,
  REFUSED: ({ status }) =>
    `the peer answered ${status}: ask its operator to trust this node, or to share the collection`,
  NOT_THERE: ({ status }) => `the peer answered ${status} for a file that it had listed: ask its operator`,
  PEER_BUSY: ({ status }) => `the peer answered ${status}: it is asked again when it said`,
  UNEXPECTED_STATUS: ({ status }) => `the peer answered ${status}: ask its operator to look into its log`,
  BAD_LIST: ({ reason }) => `the peer's list cannot be read (${reason}): ask its operator for the version it runs`,
  TOO_LARGE: ({ size, limit }) =>
    `${size} bytes, ${limit} are taken: raise maxItemBytes of the policy or limits.uploadBytes`,
  WRONG_BYTES: ({ reason }) =>
    `what the peer sent is not the file it was asked for (${reason}): ask its operator to check it`,
};

export class SyncError<C extends SyncErrorCode = SyncErrorCode> extends Error {
  override readonly name = "SyncError";
  readonly code: C;
  readonly details: SyncErrorDetails[C];

  constructor(code: C, details: SyncErrorDetails[C], options?: ErrorOptions) {
    super(MESSAGES[code](details), options);
    this.code = code;
    this.details = details;
  }
}

/** Exhaustive by type: a new code does not compile until someone decides what is reported for it. */
const REASONS: Readonly<Record<SyncErrorCode, MissingReason>> = {
  PEER_SILENT: "holder-offline",
  CUT_OFF: "holder-offline",
  REFUSED: "refused",
  NOT_THERE: "no-holder",
  PEER_BUSY: "queued",
  UNEXPECTED_STATUS: "failed",
  BAD_LIST: "failed",
  TOO_LARGE: "too-large",
  WRONG_BYTES: "corrupt",
};
/** Of other folders, by class name and code; those that are not here are a failure of ours or of the peer's program. */
const OTHERS: Readonly<Record<string, MissingReason>> = {
  "StorageError.DISK_FULL": "disk-reserve",
  "IngestError.NOT_AN_ARCHIVE": "not-an-archive",
  "PeerError.NOT_ADMITTED": "refused",
  "PeerError.NOT_TRUSTED": "refused",
  "PeerError.ANSWER_TOO_LARGE": "failed",
  "PeerError.BAD_ANSWER": "failed",
};

/** How long the other side asked us to wait, milliseconds; 0 when it did not. */
export function askedWaitMs(error: unknown): number {
  const waitMs = (error as { readonly details?: { readonly retryAfterMs?: unknown } }).details?.retryAfterMs;
  return typeof waitMs === "number" && waitMs > 0 ? waitMs : 0;
}

/** The peer cannot be reached or does not let this node in: nothing else can be had from it either. */
export function isPeerFault(error: unknown): boolean {
  return (error as { readonly name?: unknown }).name === "PeerError";
}

export function missingReasonOf(error: unknown): MissingReason {
  if (error instanceof SyncError) return REASONS[error.code as SyncErrorCode];
  const { name, code } = error as { readonly name?: unknown; readonly code?: unknown };
  return OTHERS[`${String(name)}.${String(code)}`] ?? (name === "PeerError" ? "holder-offline" : "failed");
}
