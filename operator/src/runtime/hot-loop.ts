/**
 * Notices an object that is reconciled over and over, which no healthy object is, and says how much to slow down.
 *
 * Runs of every cause are slowed down, for an object that others change without end is worth the same brake. A hot loop
 * in the narrow sense, and a mistake of ours, is one that our own writes keep going: run after run woken by nothing else.
 */
import type { Clock } from "../kube/clock.ts";
import type { WakeCause } from "./wake-causes.ts";

const WINDOW_MS = 60_000;
/** A rollout of a few pods makes some ten events in a minute; a loop on our own writes makes hundreds. */
const LIMIT = 60;
/** Own writes are never followed by this many runs in a row that had to write again. */
const OWN_LIMIT = 20;
const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 60_000;

interface Window {
  readonly startedMs: number;
  count: number;
  /** Runs in a row that our own writes woke. */
  own: number;
}

export interface Brake {
  /** Milliseconds to wait at least before the next run, 0 when all is well. */
  readonly delayMs: number;
  /** True in the one run of a minute that shows a loop on our own writes. */
  readonly hotLoop: boolean;
  /** True in the run that trips the brake. */
  readonly first: boolean;
}

export class HotLoopBreaker {
  readonly #clock: Clock;
  readonly #windows = new Map<string, Window>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** One more run of `key`. */
  ran(key: string, cause: WakeCause): Brake {
    const window = this.#windowOf(key, this.#clock.monotonicMs());
    window.count += 1;
    if (cause !== "unknown") window.own = cause === "own-writes" ? window.own + 1 : 0;
    const hotLoop = window.own === OWN_LIMIT;
    const over = window.count - LIMIT - 1;
    if (over < 0) return { delayMs: 0, hotLoop, first: false };
    return { delayMs: Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(over, 16)), hotLoop, first: over === 0 };
  }

  #windowOf(key: string, now: number): Window {
    const known = this.#windows.get(key);
    if (known !== undefined && now - known.startedMs < WINDOW_MS) return known;
    this.#sweep(now);
    const fresh = { startedMs: now, count: 0, own: 0 };
    this.#windows.set(key, fresh);
    return fresh;
  }

  #sweep(now: number): void {
    if (this.#windows.size < 1_000) return;
    for (const [key, window] of this.#windows) if (now - window.startedMs >= WINDOW_MS) this.#windows.delete(key);
  }
}
