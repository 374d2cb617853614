/** How many handshakes are answered: by address group and node id for strangers, and in all. */
import { ASFP_LIMITS } from "../asfp/limits.ts";
import { addressGroup } from "./address-group.ts";

const MINUTE_MS = 60_000;
const SECOND_MS = 1_000;
/** Keys remembered of each kind; those that refilled for longest are dropped first. */
const MAX_KEYS = 10_000;

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Token buckets of one size: each refills within its period. */
class Buckets {
  readonly #size: number;
  readonly #periodMs: number;
  /** Used least recently first. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(size: number, periodMs: number) {
    this.#size = size;
    this.#periodMs = periodMs;
  }

  /** Takes one; when there is none, how long until there is. */
  take(key: string, nowMs: number): number {
    const bucket = this.#buckets.get(key) ?? { tokens: this.#size, atMs: nowMs };
    const refilled = (Math.max(0, nowMs - bucket.atMs) / this.#periodMs) * this.#size;
    const tokens = Math.min(this.#size, bucket.tokens + refilled);
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs: nowMs });
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > MAX_KEYS && oldest !== undefined) this.#buckets.delete(oldest);
    return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) / this.#size) * this.#periodMs);
  }
}

/** Each method takes one of what is allowed, and says for how long to wait when nothing is left; 0 when it may go on. */
export class HandshakeLimits {
  readonly #groups = new Buckets(ASFP_LIMITS.handshakesPerGroup, MINUTE_MS);
  readonly #nodes = new Buckets(ASFP_LIMITS.handshakesPerNode, MINUTE_MS);
  readonly #all = new Buckets(ASFP_LIMITS.handshakesPerSecond, SECOND_MS);

  /**
   * @param isNamed - the trust document names the id it claims: behind one address there may be many trusted peers. Whoever
   *   lies about that takes nothing from strangers, and gets no further than the first answer.
   */
  first(address: string, isNamed: boolean, nowMs: number): number {
    const ofGroup = isNamed ? 0 : this.#groups.take(addressGroup(address), nowMs);
    return ofGroup > 0 ? ofGroup : this.#all.take(isNamed ? "named" : "stranger", nowMs);
  }

  second(isNamed: boolean, nowMs: number): number {
    return this.#all.take(isNamed ? "named" : "stranger", nowMs);
  }

  /** Of a stranger that proved its key. */
  proven(nodeId: string, nowMs: number): number {
    return this.#nodes.take(nodeId, nowMs);
  }
}
