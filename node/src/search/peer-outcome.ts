/** What became of a question to one archive. Pure. */
import { PeerError, type PeerErrorCode } from "../peers/errors.ts";
import { isLate, SearchError } from "./errors.ts";
import type { CheckedAnswer } from "./leaf-answer.ts";
import type { Leaf } from "./merge.ts";
import type { PeerSearchStatus } from "./peer-selection.ts";

export interface Asked {
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

/** Of an answer. */
export function statusOfAnswer({ leaf, dropped, timedOut }: CheckedAnswer): PeerSearchStatus {
  if (leaf.stats === undefined) return "incompatible";
  if (timedOut && leaf.hits.length === 0 && leaf.stats.docs === 0) return "timeout";
  return timedOut || dropped > 0 ? "partial" : "ok";
}

/** Exhaustive by type: a new code does not compile until someone decides what a search says of it. */
const BY_CODE: Readonly<Record<PeerErrorCode, PeerSearchStatus>> = {
  UNREACHABLE: "unreachable",
  TLS_FAILED: "unreachable",
  IDENTITY_MISMATCH: "unreachable",
  PIN_MISMATCH: "unreachable",
  ADDRESS_FORBIDDEN: "unreachable",
  NO_ENDPOINT: "unreachable",
  OWN_NODE: "unreachable",
  VERSION_UNSUPPORTED: "incompatible",
  ANSWER_TOO_LARGE: "incompatible",
  BAD_ANSWER: "incompatible",
  NOT_ADMITTED: "refused",
  NOT_TRUSTED: "refused",
  TOO_MANY: "refused",
  BREAKER_OPEN: "breaker_open",
};

/** Of a call that failed. */
export function failureOf(error: unknown): PeerSearchStatus {
  if (error instanceof PeerError) return BY_CODE[error.code as PeerErrorCode];
  if (isLate(error)) return "timeout";
  return error instanceof SearchError ? "refused" : "unreachable";
}
