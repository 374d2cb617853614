/**
 * Notices an object that is reconciled over and over, which no healthy object is, and says how much to slow down.
 *
 * Runs of every cause count, not only those that our own writes woke: telling them apart would take the cause of each
 * event, and an object that others change without end is worth the same brake and the same attention.
 */
import type { Clock } from "../kube/clock.ts";

const WINDOW_MS = 60_000;
/** A rollout of a few pods makes some ten events in a minute; a loop on our own writes makes hundreds. */
const LIMIT = 60;
const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 60_000;

interface Window {
  readonly startedMs: number;
  count: number;
}

export class HotLoopBreaker {
  readonly #clock: Clock;
  readonly #windows = new Map<string, Window>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * One more run of `key`.
   *
   * @returns milliseconds to wait at least before the next run, 0 when all is well; `first` in the run that trips it
   */
  ran(key: string): { readonly delayMs: number; readonly first: boolean } {
    const now = this.#clock.monotonicMs();
    const window = this.#windowOf(key, now);
    window.count += 1;
    const over = window.count - LIMIT - 1;
    if (over < 0) return { delayMs: 0, first: false };
    return { delayMs: Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(over, 16)), first: over === 0 };
  }

  #windowOf(key: string, now: number): Window {
    const known = this.#windows.get(key);
    if (known !== undefined && now - known.startedMs < WINDOW_MS) return known;
    this.#sweep(now);
    const fresh = { startedMs: now, count: 0 };
    this.#windows.set(key, fresh);
    return fresh;
  }

  #sweep(now: number): void {
    if (this.#windows.size < 1_000) return;
    for (const [key, window] of this.#windows) if (now - window.startedMs >= WINDOW_MS) this.#windows.delete(key);
  }
}
