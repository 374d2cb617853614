/** How many files are fetched at once: overall, and from each peer. First come, first served, past those whose peer is busy. */
export interface SlotLimits {
  readonly overall: number;
  readonly perPeer: number;
}

interface Waiting {
  readonly peer: string;
  readonly begin: () => void;
}

export class TransferSlots {
  readonly #limits: SlotLimits;
  readonly #perPeer = new Map<string, number>();
  #running = 0;
  #waiting: Waiting[] = [];

  constructor(limits: SlotLimits) {
    this.#limits = limits;
  }

  /** Waits for its turn; dispose to let the next one in. @throws the signal's reason */
  async take(peer: string, signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (!this.#isFree(peer)) await this.#turn(peer, signal);
    else this.#count(peer, 1);
    return {
      [Symbol.dispose]: () => {
        this.#count(peer, -1);
        this.#admit();
      },
    };
  }

  #isFree(peer: string): boolean {
    return this.#running < this.#limits.overall && (this.#perPeer.get(peer) ?? 0) < this.#limits.perPeer;
  }

  async #turn(peer: string, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting: Waiting = { peer, begin: resolve };
    const abort = (): void => {
      this.#waiting = this.#waiting.filter((one) => one !== waiting);
      reject(signal.reason);
    };
    this.#waiting.push(waiting);
    signal.addEventListener("abort", abort, { once: true });
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  #admit(): void {
    for (const waiting of this.#waiting) {
      if (!this.#isFree(waiting.peer)) continue;
      this.#waiting = this.#waiting.filter((one) => one !== waiting);
      this.#count(waiting.peer, 1);
      waiting.begin();
    }
  }

  #count(peer: string, change: 1 | -1): void {
    this.#running += change;
    const left = (this.#perPeer.get(peer) ?? 0) + change;
    if (left === 0) this.#perPeer.delete(peer);
    else this.#perPeer.set(peer, left);
  }
}
