/**
 * A map of bounded size for what repeats a lot: two generations, of which the older is dropped when the younger is full.
 * What is asked for moves to the younger one, so the common survives. Costs a Map look-up, sometimes two.
 */
export class RecentMap<V> {
  readonly #perGeneration: number;
  #young = new Map<string, V>();
  #old = new Map<string, V>();

  /** @param capacity - most entries held */
  constructor(capacity: number) {
    this.#perGeneration = Math.max(1, Math.floor(capacity / 2));
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: string): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: string, value: V): void {
    if (this.#young.size >= this.#perGeneration) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}

/** From this length on, the engine keeps a part of a text as a reference to the whole. */
const REFERENCE_CHARS = 13;

/** The same text in memory of its own: a word that is remembered would hold on to the page it was first met on. */
export function ownCopy(text: string): string {
  return text.length < REFERENCE_CHARS ? text : Buffer.from(text, "utf16le").toString("utf16le");
}
