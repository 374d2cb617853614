/** Files that one peer reads at once: a limit for each of them. */
export class PeerSlots {
  readonly #limit: number;
  readonly #running = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @returns what to call when the answer is over; `undefined` when this peer has as many as it may */
  tryTake(peer: string): (() => void) | undefined {
    const running = this.#running.get(peer) ?? 0;
    if (running >= this.#limit) return undefined;
    this.#running.set(peer, running + 1);
    return () => {
      const left = (this.#running.get(peer) ?? 1) - 1;
      if (left === 0) this.#running.delete(peer);
      else this.#running.set(peer, left);
    };
  }
}
