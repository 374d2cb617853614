/**
 * Stops a former leader from writing: the one place that knows until when writes are allowed.
 *
 * The transport asks when a request is about to go to the socket, so a process that was paused between deciding and
 * sending does not send. The elector moves the limit; without election the fence stays open.
 */
import type { Clock } from "./clock.ts";

export interface WriteFence {
  /** False when the lease may have run out. */
  isOpen(): boolean;
  /** Aborts when leadership is lost for good; in-flight writes end with it. */
  readonly signal: AbortSignal;
}

/** For programs that run alone: never closes. */
export const OPEN_FENCE: WriteFence = { isOpen: () => true, signal: new AbortController().signal };

export class LeaseFence implements WriteFence {
  readonly #clock: Clock;
  readonly #validForMs: number;
  readonly #lost = new AbortController();
  #renewedAtMs: number | undefined;

  /** @param validForMs - the renew deadline: how long after the start of a successful renewal writes may start */
  constructor(clock: Clock, validForMs: number) {
    this.#clock = clock;
    this.#validForMs = validForMs;
  }

  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  isOpen(): boolean {
    return (
      this.#renewedAtMs !== undefined &&
      !this.#lost.signal.aborted &&
      this.#clock.monotonicMs() - this.#renewedAtMs <= this.#validForMs
    );
  }

  /** @param startedAtMs - monotonic time at which the successful renewal was started, not when it was answered */
  renewed(startedAtMs: number): void {
    this.#renewedAtMs = startedAtMs;
  }

  /** Leadership is gone and does not come back in this process. */
  lost(reason: Error): void {
    this.#lost.abort(reason);
  }

  /** Closes without aborting: the lease is being handed over and no write is running. */
  released(): void {
    this.#renewedAtMs = undefined;
  }
}
