/** Waits for a condition instead of sleeping, and says what it waited for when that never came. */
import { setTimeout as delay } from "node:timers/promises";

export interface WaitOptions {
  /** How long to wait at most, milliseconds. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
  /** Pause between two looks, milliseconds; default 50. */
  readonly everyMs?: number;
}

type NotYet = undefined | null | false;

/** The condition did not come true in time. `cause` is what the last look threw, if it threw. */
export class WaitTimeoutError extends Error {
  override readonly name = "WaitTimeoutError";
  readonly what: string;

  constructor(what: string, deadlineMs: number, cause: unknown) {
    const reason = cause instanceof Error ? `; last failure: ${cause.message}` : "";
    super(`waited ${deadlineMs} ms for ${what}${reason}`, { cause });
    this.what = what;
  }
}

/**
 * Looks until `condition` returns something other than undefined, null or false, and returns that.
 *
 * A look that throws counts as "not yet": servers refuse connections while they start. A look that hangs does not hold
 * up the deadline.
 *
 * @param what - ends the sentence "waited N ms for …"
 * @throws {WaitTimeoutError} the deadline passed
 */
export async function waitUntil<T>(
  what: string,
  condition: () => Promise<T | NotYet> | T | NotYet,
  options: WaitOptions,
): Promise<T> {
  const deadline = AbortSignal.timeout(options.deadlineMs);
  const stop = options.signal === undefined ? deadline : AbortSignal.any([deadline, options.signal]);
  const stopped = new Promise<never>((_resolve, reject) => {
    stop.addEventListener("abort", () => reject(abortReason(stop)), { once: true });
  });
  stopped.catch(() => undefined);
  let lastFailure: unknown;
  while (!stop.aborted) {
    try {
      const seen = await Promise.race([condition(), stopped]);
      if (seen !== undefined && seen !== null && seen !== false) return seen;
      lastFailure = undefined;
    } catch (error) {
      if (!stop.aborted) lastFailure = error;
    }
    await delay(options.everyMs ?? 50, undefined, { signal: stop }).catch(() => undefined);
  }
  if (options.signal?.aborted === true) throw abortReason(options.signal);
  throw new WaitTimeoutError(what, options.deadlineMs, lastFailure);
}

/** An abort reason may be any value; errors are what callers can show. */
function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error("aborted", { cause: signal.reason });
}
