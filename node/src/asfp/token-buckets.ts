/** A rate for each caller: so many calls at once, then so many a second. Callers that were long silent are forgotten. */

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Callers remembered; about 100 bytes each. */
const REMEMBERED = 10_000;

export class TokenBuckets {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #monotonicMs: () => number;
  /** Least recently seen first. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: { readonly perSecond: number; readonly burst: number }, monotonicMs: () => number) {
    this.#perSecond = rate.perSecond;
    this.#burst = rate.burst;
    this.#monotonicMs = monotonicMs;
  }

  /** @returns 0 when the call may go on, else after how long another may be made, milliseconds */
  take(caller: string): number {
    const nowMs = this.#monotonicMs();
    const { tokens, atMs } = this.#buckets.get(caller) ?? { tokens: this.#burst, atMs: nowMs };
    const filled = Math.min(this.#burst, tokens + ((nowMs - atMs) / 1_000) * this.#perSecond);
    const isTaken = filled >= 1;
    this.#buckets.delete(caller);
    this.#buckets.set(caller, { tokens: isTaken ? filled - 1 : filled, atMs: nowMs });
    this.#forgetOldest();
    return isTaken ? 0 : Math.ceil(((1 - filled) / this.#perSecond) * 1_000);
  }

  #forgetOldest(): void {
    for (const caller of this.#buckets.keys()) {
      if (this.#buckets.size <= REMEMBERED) return;
      this.#buckets.delete(caller);
    }
  }
}
