/** One holder per key at a time, first come first served. */
export class KeyedLock {
  readonly #tails = new Map<string, Promise<void>>();

  /** Waits for its turn; dispose to let the next one in. */
  async lock(key: string): Promise<Disposable> {
    const before = this.#tails.get(key);
    const done = Promise.withResolvers<void>();
    this.#tails.set(key, done.promise);
    await before;
    return {
      [Symbol.dispose]: () => {
        if (this.#tails.get(key) === done.promise) this.#tails.delete(key);
        done.resolve();
      },
    };
  }
}
