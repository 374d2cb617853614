/**
 * Which of our own writes a cache has not seen yet.
 *
 * A cache lags behind the server. While it still shows what it showed when we wrote, what it says about that object
 * (missing, drifted, old status) is not evidence. Versions are opaque, so only equality counts: the one our write
 * returned need never be seen, because a later change may hide it. An entry whose cache does not move runs out.
 */
import type { Clock } from "./clock.ts";

/** As long as a stale watch can plausibly lag; afterwards the cache is believed again. */
const EXPIRE_AFTER_MS = 5 * 60_000;

interface Expected {
  /** What the cache showed when we wrote; `undefined` for no such object. */
  readonly before: string | undefined;
  readonly expiresAtMs: number;
}

export class Expectations {
  readonly #clock: Clock;
  readonly #expected = new Map<string, Expected>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Our write of `id` was answered.
   *
   * @param before - the version the cache showed when we decided to write; `undefined` for no such object
   * @param after - the version in the answer: the same as before when nothing changed, and then nothing will be seen
   */
  wrote(id: string, before: string | undefined, after: string | undefined): void {
    if (before === after) this.#expected.delete(id);
    else this.#expected.set(id, { before, expiresAtMs: this.#clock.monotonicMs() + EXPIRE_AFTER_MS });
  }

  /** The cache shows this version, or `undefined` for no such object. True while it lags behind our write. */
  isStale(id: string, cachedVersion: string | undefined): boolean {
    const expected = this.#expected.get(id);
    if (expected === undefined) return false;
    if (expected.before === cachedVersion && this.#clock.monotonicMs() < expected.expiresAtMs) return true;
    this.#expected.delete(id);
    return false;
  }
}
