/**
 * How fast discovered peers are written: a token bucket whose waiters come in the order in which they asked, so that a
 * burst of new peers neither fills etcd nor has everybody ask again each second.
 */

export interface Rate {
  readonly perSecond: number;
  /** At once, after a pause. */
  readonly burst: number;
}

/** Of the API reference, for all namespaces together: it is etcd that is spared. */
export const CREATIONS: Rate = { perSecond: 1, burst: 20 };
/** Addresses and owners of objects that are there: a peer may change its address as often as it likes. */
export const UPDATES: Rate = { perSecond: 1, burst: 20 };
/** What was forgotten by mistake comes back as Pending: slow enough that somebody can stop it. */
export const DELETIONS: Rate = { perSecond: 1, burst: 5 };

export class WriteBudget {
  readonly #rate: Rate;
  /** In the order in which they asked first. */
  readonly #waiting = new Set<string>();
  #tokens: number;
  #atMs = 0;

  constructor(rate: Rate) {
    this.#rate = rate;
    this.#tokens = rate.burst;
  }

  /**
   * Takes one for this object.
   *
   * @param nowMs - monotonic
   * @returns milliseconds to wait before asking again; 0 when it was taken
   */
  take(id: string, nowMs: number): number {
    const { perSecond, burst } = this.#rate;
    this.#tokens = Math.min(burst, this.#tokens + (Math.max(0, nowMs - this.#atMs) / 1_000) * perSecond);
    this.#atMs = nowMs;
    this.#waiting.add(id);
    const place = [...this.#waiting].indexOf(id) + 1;
    if (place > this.#tokens) return Math.ceil(((place - this.#tokens) / perSecond) * 1_000);
    this.#tokens -= 1;
    this.#waiting.delete(id);
    return 0;
  }

  /** It is not to be written any more: those behind it move up. */
  leave(id: string): void {
    this.#waiting.delete(id);
  }
}
