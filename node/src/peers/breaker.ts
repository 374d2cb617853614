/** A circuit breaker towards one peer: after three failures in a row it is not tried for a while, then by one call at a time. */
const FAILURES = 3;
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 600_000;

export type BreakerState = "closed" | "open" | "half_open";

export class Breaker {
  #failures = 0;
  #pauseMs = FIRST_PAUSE_MS;
  #openUntilMs: number | undefined;
  #isProbing = false;
  #last = "";

  state(nowMs: number): BreakerState {
    if (this.#openUntilMs === undefined) return "closed";
    return this.#isProbing || nowMs >= this.#openUntilMs ? "half_open" : "open";
  }

  /** Whether a call may be made now; when it may not, for how long and why. In half-open state the first caller is the probe. */
  enter(nowMs: number): { readonly waitMs: number; readonly last: string } | undefined {
    if (this.#openUntilMs === undefined) return undefined;
    const waitMs = this.#openUntilMs - nowMs;
    if (waitMs > 0 || this.#isProbing) return { waitMs: Math.max(1, waitMs), last: this.#last };
    this.#isProbing = true;
    return undefined;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#openUntilMs = undefined;
    this.#isProbing = false;
  }

  failed(nowMs: number, message: string): void {
    this.#last = message;
    this.#failures += 1;
    if (this.#openUntilMs !== undefined) {
      // Calls that began before it opened fail after it did: they say nothing new.
      if (!this.#isProbing) return;
      this.#isProbing = false;
      this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
      this.#openUntilMs = nowMs + this.#pauseMs;
    } else if (this.#failures >= FAILURES) {
      this.#openUntilMs = nowMs + this.#pauseMs;
    }
  }

  /** The probe ended without saying anything of the peer. */
  left(): void {
    this.#isProbing = false;
  }

  /** The peer has shown that it is there: try again at once. */
  encourage(nowMs: number): void {
    this.#failures = Math.min(this.#failures, FAILURES - 1);
    if (this.#openUntilMs !== undefined && !this.#isProbing) this.#openUntilMs = nowMs;
  }
}
