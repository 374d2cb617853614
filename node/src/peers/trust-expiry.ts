/** Says when somebody's trust is over by time, at which no document says anything new. */
import type { TrustDocument } from "../contract/documents.ts";
import { nextExpiryMs } from "./trust.ts";

/** A clock that was set, or a machine that slept, is noticed after so long; timers also take no more than 24 days. */
const LONGEST_WAIT_MS = 60_000;

export interface ExpiryClock {
  /** Epoch milliseconds. */
  readonly nowMs: () => number;
  /** @returns what calls it off */
  readonly after: (delayMs: number, callback: () => void) => () => void;
}

export const SYSTEM_EXPIRY_CLOCK: ExpiryClock = {
  nowMs: () => Date.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

export class TrustExpiry {
  readonly #document: () => TrustDocument | undefined;
  readonly #expired: () => void;
  readonly #clock: ExpiryClock;
  #callOff: (() => void) | undefined;

  constructor(document: () => TrustDocument | undefined, expired: () => void, clock: ExpiryClock) {
    this.#document = document;
    this.#expired = expired;
    this.#clock = clock;
  }

  /** Looks at the document of now; to be called again whenever there is another one. */
  watch(): void {
    this.stop();
    const nowMs = this.#clock.nowMs();
    const dueMs = nextExpiryMs(this.#document(), nowMs);
    if (dueMs === undefined) return;
    this.#callOff = this.#clock.after(Math.min(LONGEST_WAIT_MS, dueMs - nowMs), () => {
      this.#callOff = undefined;
      if (this.#clock.nowMs() >= dueMs) this.#expired();
      this.watch();
    });
  }

  stop(): void {
    this.#callOff?.();
    this.#callOff = undefined;
  }
}
