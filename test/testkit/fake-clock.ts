/** A clock that moves when the test says so; timers due on the way fire in order. */
import type { Clock } from "../../operator/src/kube/clock.ts";

export interface FakeClock extends Clock {
  /** Moves on and fires what is due, in order of time. */
  advance(ms: number): void;
  /** Moves on without firing anything, as a process that is stopped and resumed sees it. */
  sleepThrough(ms: number): void;
  /** Timers that have yet to fire: more than none means that somebody waits for time to pass. */
  readonly waiting: number;
}

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** 2026-11-23T00:00:00Z. */
const START_MS = 1_795_392_000_000;

export function createFakeClock(): FakeClock {
  const timers = new Set<Timer>();
  let elapsedMs = 0;
  const nextUntil = (limitMs: number) =>
    [...timers].filter((timer) => timer.dueMs <= limitMs).sort((a, b) => a.dueMs - b.dueMs)[0];
  return {
    now: () => START_MS + elapsedMs,
    monotonicMs: () => elapsedMs,
    after: (delayMs, callback) => {
      const timer = { dueMs: elapsedMs + Math.max(0, delayMs), callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance: (ms) => {
      const endMs = elapsedMs + ms;
      for (let next = nextUntil(endMs); next !== undefined; next = nextUntil(endMs)) {
        timers.delete(next);
        elapsedMs = Math.max(elapsedMs, next.dueMs);
        next.callback();
      }
      elapsedMs = endMs;
    },
    sleepThrough: (ms) => {
      elapsedMs += ms;
    },
    get waiting() {
      return timers.size;
    },
  };
}
