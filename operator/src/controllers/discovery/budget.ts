/** How fast discovered peers may be created: a token bucket, so that a burst of new peers does not fill etcd. */

const PER_SECOND = 1;
const BURST = 20;

export class CreationBudget {
  #tokens = BURST;
  #atMs = 0;

  /** Takes one. @returns milliseconds to wait before asking again; 0 when it was taken */
  take(nowMs: number): number {
    this.#tokens = Math.min(BURST, this.#tokens + (Math.max(0, nowMs - this.#atMs) / 1_000) * PER_SECOND);
    this.#atMs = nowMs;
    if (this.#tokens < 1) return Math.ceil(((1 - this.#tokens) / PER_SECOND) * 1_000);
    this.#tokens -= 1;
    return 0;
  }
}
