/** What became of a question to one peer. Pure. */
import type { Leaf } from "./merge.ts";
import type { PeerSearchStatus } from "./peer-selection.ts";

export interface AskedPeer {
  readonly status: PeerSearchStatus;
  readonly tookMs: number;
  /** Absent when there was no answer that can be used. */
  readonly leaf?: Leaf;
}

/** Statuses of HTTP that say: not now, or not you. */
const REFUSALS = new Set([401, 403, 429, 503]);

/** Of an HTTP status other than 200. */
export function statusOf(http: number): PeerSearchStatus {
  if (REFUSALS.has(http)) return "refused";
  // It answers, but not to this question: no search, no such path, or other rules for it.
  return http >= 500 && http !== 501 && http !== 508 ? "unreachable" : "incompatible";
}

/** Codes of `PeerError` by what they say of the peer; all others mean that it cannot be reached. */
const BY_CODE: Readonly<Record<string, PeerSearchStatus>> = {
  NOT_ADMITTED: "refused",
  ANSWER_TOO_LARGE: "incompatible",
  ANSWER_INVALID: "incompatible",
};

/** Of a call that failed. */
export function failureOf(error: unknown): PeerSearchStatus {
  if (!(error instanceof Error)) return "unreachable";
  if (error.name === "TimeoutError") return "timeout";
  const { code } = error as Error & { readonly code?: unknown };
  return typeof code === "string" ? (BY_CODE[code] ?? "unreachable") : "unreachable";
}
