/** The end of a question's time as an abort signal, by a clock that tests can move. */

export interface Clock {
  readonly monotonicMs: () => number;
  /** @returns what to call so that it does not happen */
  readonly after: (delayMs: number, callback: () => void) => () => unknown;
}

export const SYSTEM_CLOCK: Clock = {
  monotonicMs: () => performance.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

const timeIsOver = (): Error => new DOMException("the time for the answer is over", "TimeoutError");

/** Ends when its time is over or its parent ends; to be disposed of when nobody waits for it any more. */
export class Deadline implements Disposable {
  readonly #clock: Clock;
  readonly #endsMs: number;
  readonly #ended = new AbortController();
  readonly #cancel: () => unknown;
  readonly #parent: AbortSignal;
  readonly #onParent = (): void => this.#ended.abort(this.#parent.reason);

  /** @param reason - of its signal when its time is over */
  constructor(clock: Clock, budgetMs: number, parent: AbortSignal, reason = timeIsOver) {
    this.#clock = clock;
    this.#endsMs = clock.monotonicMs() + budgetMs;
    this.#parent = parent;
    this.#cancel = clock.after(budgetMs, () => this.#ended.abort(reason()));
    if (parent.aborted) this.#onParent();
    else parent.addEventListener("abort", this.#onParent, { once: true });
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  get leftMs(): number {
    return Math.max(0, this.#endsMs - this.#clock.monotonicMs());
  }

  [Symbol.dispose](): void {
    this.#cancel();
    this.#parent.removeEventListener("abort", this.#onParent);
  }
}

/** What came of the work, or `undefined` when the signal ended first. A failure of the work is thrown. */
export async function until<T>(signal: AbortSignal, work: Promise<T>): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const end = (): void => resolve(undefined);
  if (signal.aborted) end();
  else signal.addEventListener("abort", end, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", end);
    // Its failure comes when nobody waits any more.
    work.catch(() => {});
  }
}
