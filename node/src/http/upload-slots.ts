/** Uploads that run now, over all listeners: a limit, and a way to wait until the last one is done. */
export class UploadSlots {
  readonly #limit: number;
  #running = 0;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @returns what to call when the upload is over; `undefined` when all slots are taken */
  tryTake(): (() => void) | undefined {
    if (this.#running >= this.#limit) return undefined;
    this.#running += 1;
    return () => {
      this.#running -= 1;
      if (this.#running === 0) this.#idle?.resolve();
    };
  }

  /** True when none runs any more, false when `signal` aborted first. */
  async idle(signal: AbortSignal): Promise<boolean> {
    if (this.#running === 0 || signal.aborted) return this.#running === 0;
    this.#idle ??= Promise.withResolvers<void>();
    const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    await Promise.race([this.#idle.promise, aborted]);
    return this.#running === 0;
  }
}
