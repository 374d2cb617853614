/** Time as gossip's loops need it, so that tests can let it pass. */
import { setTimeout as delay } from "node:timers/promises";

export interface GossipClock {
  /** Never goes back; for measuring. */
  readonly nowMs: () => number;
  /** Epoch milliseconds. */
  readonly epochMs: () => number;
  /** @throws when `signal` aborts */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Aborts after `ms`. */
  readonly timeout: (ms: number) => AbortSignal;
}

export const SYSTEM_CLOCK: GossipClock = {
  nowMs: () => performance.now(),
  epochMs: () => Date.now(),
  sleep: (ms, signal) => delay(ms, undefined, { signal, ref: false }),
  // A measured time is no whole number, and the platform takes no other.
  timeout: (ms) => AbortSignal.timeout(Math.ceil(ms)),
};
