/** What to do after a watch or a list ended: pure, with the numbers and their reasons. */
import type { KubeError } from "../kube/api-errors.ts";

export interface ReflectorTimings {
  /** Bounds of the random `timeoutSeconds` of a watch; client-go uses 5 to 10 minutes. */
  readonly watchTimeoutMs: readonly [min: number, max: number];
  /** How much longer than its timeout a watch may live before it is taken for stalled. */
  readonly inactivityMarginMs: number;
  readonly backoffBaseMs: number;
  readonly backoffCapMs: number;
  /** A connection that held this long proves the server well again. */
  readonly stableAfterMs: number;
  /** Between looks when the kind is absent or forbidden for long; the first looks come sooner. */
  readonly unavailableMs: number;
}

export const REFLECTOR_TIMINGS: ReflectorTimings = {
  watchTimeoutMs: [300_000, 600_000],
  inactivityMarginMs: 30_000,
  backoffBaseMs: 800,
  backoffCapMs: 30_000,
  stableAfterMs: 120_000,
  unavailableMs: 60_000,
};

/** `absent`: no such kind; `forbidden`: no right to read it. Both are looked at again, soon at first, then once a minute. */
export type ReflectorState = "starting" | "watching" | "retrying" | "absent" | "forbidden";

export function stateAfter(error: KubeError): ReflectorState {
  if (error.code === "NOT_FOUND") return "absent";
  return error.code === "FORBIDDEN" ? "forbidden" : "retrying";
}

export function isUnavailable(state: ReflectorState): boolean {
  return state === "absent" || state === "forbidden";
}

export interface Ending {
  /** `undefined`: the server closed the watch in good order. */
  readonly error: KubeError | undefined;
  /** How long the stream was open, milliseconds; 0 when it never was. */
  readonly livedMs: number;
}

export interface NextStep {
  readonly relist: boolean;
  readonly delayMs: number;
  /** Consecutive failures to carry on; never zeroed by a mere restart. */
  readonly failures: number;
}

/** Below this, a clean close counts as a failure: some proxies close at once, for ever. */
const TOO_SHORT_MS = 1_000;
const FIRST_UNAVAILABLE_MS = 1_000;

export function afterEnding(
  ending: Ending,
  failuresBefore: number,
  timings: ReflectorTimings,
  random: () => number,
): NextStep {
  const failures = ending.livedMs >= timings.stableAfterMs ? 0 : failuresBefore;
  if (ending.error === undefined && ending.livedMs > TOO_SHORT_MS) return { relist: false, delayMs: 0, failures };
  const backoff = backoffMs(failures, timings, random);
  const next = { relist: false, delayMs: backoff, failures: failures + 1 };
  switch (ending.error?.code) {
    case "GONE":
      // The first relist is at once; a server that answers 410 to every watch meets the back-off.
      return { ...next, relist: true, delayMs: failures === 0 ? 0 : backoff };
    case "MALFORMED":
    case "BAD_REQUEST":
    case "INVALID":
      return { ...next, relist: true };
    case "TOO_MANY_REQUESTS":
      return { ...next, delayMs: Math.max(ending.error.details.retryAfterMs ?? 0, backoff) };
    case "FORBIDDEN":
    case "NOT_FOUND":
      return { ...next, relist: true, delayMs: unavailableMs(failures, timings, random) };
    // What is left says nothing about our version: go on from it.
    case "ABORTED":
    case "ALREADY_EXISTS":
    case "CONFLICT":
    case "CONNECTION":
    case "CREDENTIALS":
    case "FENCED":
    case "FIELD_CONFLICT":
    case "SERVER_ERROR":
    case "TIMEOUT":
    case "UNAUTHORIZED":
    case undefined:
      return next;
  }
}

/**
 * Full jitter, so that reflectors cut off together do not come back together.
 *
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
function backoffMs(failures: number, timings: ReflectorTimings, random: () => number): number {
  const ceiling = Math.min(timings.backoffCapMs, timings.backoffBaseMs * 2 ** Math.min(failures, 30));
  return random() * ceiling;
}

/** A kind that is being put back, or a right, is there again in seconds; one that is not used here never comes. */
function unavailableMs(failures: number, timings: ReflectorTimings, random: () => number): number {
  const plain = Math.min(timings.unavailableMs, FIRST_UNAVAILABLE_MS * 2 ** Math.min(failures, 30));
  return plain * (0.9 + 0.2 * random());
}

/** A streaming list is an alpha to beta feature of older servers; these answers mean "not here". */
export function refusesStreamingList(error: KubeError): boolean {
  return error.code === "INVALID" || error.code === "BAD_REQUEST";
}
