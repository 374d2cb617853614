/**
 * Notices an object whose runs keep waking it, which no healthy object does, and says how much to slow down.
 *
 * Counted are runs that nothing but our own writes woke: a mistake of ours, which must not become load on the server. Runs
 * that others woke are a person at work or a rollout; only a rate that neither of them reaches, as of two programs that
 * undo each other, is slowed down too. Another object of the same name, and another generation of it, begin at nothing.
 */
import type { Clock } from "../kube/clock.ts";
import type { WakeCause } from "./wake-causes.ts";

const WINDOW_MS = 60_000;
/** Own writes are never followed by this many runs in a row that had to write again. */
const OWN_LIMIT = 20;
/** A rollout of 32 pods makes some two hundred events in a minute; two programs that undo each other make thousands. */
const LIMIT = 300;
const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 60_000;

interface Window {
  /** UID and generation that the runs were about; see {@link HotLoopBreaker.ran}. */
  readonly about: string;
  startedMs: number;
  count: number;
  /** Runs in a row that our own writes woke; outlives the window, or a slowed loop would be forgotten. */
  own: number;
}

export interface Brake {
  /** Milliseconds to wait at least before the next run, 0 when all is well. */
  readonly delayMs: number;
  /** True in the one run of a row that shows a loop on our own writes. */
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

  /**
   * One more run of `key`.
   *
   * @param about - which state of the object a person asked for: its UID and generation
   */
  ran(key: string, cause: WakeCause, about: string): Brake {
    const window = this.#windowOf(key, about, this.#clock.monotonicMs());
    window.count += 1;
    if (cause !== "unknown") window.own = cause === "own-writes" ? window.own + 1 : 0;
    const over = Math.max(window.own - OWN_LIMIT, window.count - LIMIT - 1);
    const hotLoop = window.own === OWN_LIMIT;
    if (over < 0) return { delayMs: 0, hotLoop, first: false };
    return { delayMs: Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(over, 16)), hotLoop, first: over === 0 };
  }

  #windowOf(key: string, about: string, now: number): Window {
    const known = this.#windows.get(key);
    if (known?.about === about) {
      if (now - known.startedMs >= WINDOW_MS) [known.startedMs, known.count] = [now, 0];
      return known;
    }
    this.#sweep(now);
    const fresh = { about, startedMs: now, count: 0, own: 0 };
    this.#windows.set(key, fresh);
    return fresh;
  }

  #sweep(now: number): void {
    if (this.#windows.size < 1_000) return;
    for (const [key, window] of this.#windows) if (now - window.startedMs >= WINDOW_MS) this.#windows.delete(key);
  }
}
