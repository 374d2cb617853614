/**
 * Which of our own writes a cache has not seen yet.
 *
 * A cache lags behind the server. Until it shows the resourceVersion our write returned, what it says about that object
 * (missing, drifted, old status) is not evidence. Versions are opaque, so only equality counts; an entry that is
 * never seen (a relist skipped it) runs out.
 */
import type { Clock } from "./clock.ts";

/** As long as a stale watch can plausibly lag; afterwards the cache is believed again. */
const EXPIRE_AFTER_MS = 5 * 60_000;

interface Expected {
  readonly resourceVersion: string;
  readonly expiresAtMs: number;
}

export class Expectations {
  readonly #clock: Clock;
  readonly #expected = new Map<string, Expected>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Our write of `id` was answered with this version. */
  wrote(id: string, resourceVersion: string | undefined): void {
    if (resourceVersion === undefined) return;
    this.#expected.set(id, { resourceVersion, expiresAtMs: this.#clock.monotonicMs() + EXPIRE_AFTER_MS });
  }

  /** The cache shows this version, or `undefined` for no such object. True while it lags behind our write. */
  isStale(id: string, cachedVersion: string | undefined): boolean {
    const expected = this.#expected.get(id);
    if (expected === undefined) return false;
    if (expected.resourceVersion !== cachedVersion && this.#clock.monotonicMs() < expected.expiresAtMs) return true;
    this.#expected.delete(id);
    return false;
  }

  /** We deleted the object ourselves, or no longer care. */
  forget(id: string): void {
    this.#expected.delete(id);
  }
}
