/** How often peers are asked, how long they are waited for, and when they are given up. Pure. */

export const GOSSIP_LIMITS = {
  /** Between two rounds of pulling peer lists, spread by `jitterShare` either way. */
  roundMs: 10_000,
  /** Of a federation of more than `largeFederation` peers. */
  slowRoundMs: 30_000,
  largeFederation: 1_000,
  jitterShare: 0.2,
  /** Peers asked in a round. */
  fanOut: 3,
  probeMs: 5_000,
  /** Findings are this node's own, so that nobody else's look stands in for one that is late. */
  everyPeerWithinMs: 60_000,
  /** Suspects and newcomers looked at beside those whose turn it is. */
  urgentProbes: 8,
  probeTimeoutMinMs: 500,
  probeTimeoutMaxMs: 3_000,
  /** Of a call that needs a handshake first: a connection and three round trips. */
  connectTimeoutMs: 10_000,
  suspicionFactor: 6,
  /** Dead for so long: forgotten, unless a document names it. */
  forgetMs: 24 * 3_600_000,
  /** A forgotten peer's record is not taken again from gossip unless it is newer. */
  tombstoneMs: 30 * 24 * 3_600_000,
  pageRecords: 500,
  pageBytes: 1024 * 1024,
  /** Pages read from one peer in one round. */
  pagesPerRound: 8,
  /** New peers taken from one source while nobody has reached them. */
  newPerSource: 64,
  pageTimeoutMs: 10_000,
  /** How often known addresses without a node id are asked who is there. */
  addressMs: 60_000,
} as const;

/** @param random - 0 to 1 */
export function jittered(periodMs: number, random: number): number {
  return periodMs * (1 + GOSSIP_LIMITS.jitterShare * (2 * random - 1));
}

/** From the first missing answer until a peer counts as dead. @param peers - how many there are */
export function suspicionMs(peers: number): number {
  return GOSSIP_LIMITS.suspicionFactor * Math.max(1, Math.log10(Math.max(1, peers))) * GOSSIP_LIMITS.probeMs;
}

export function roundPeriodMs(peers: number): number {
  return peers > GOSSIP_LIMITS.largeFederation ? GOSSIP_LIMITS.slowRoundMs : GOSSIP_LIMITS.roundMs;
}

/** Peers whose turn it is in one probe period. */
export function probesPerPeriod(peers: number): number {
  return Math.max(1, Math.ceil((peers * GOSSIP_LIMITS.probeMs) / GOSSIP_LIMITS.everyPeerWithinMs));
}

const KEPT_ROUND_TRIPS = 100;
const MAX_TROUBLE = 8;

/**
 * How long to wait for an answer: by the slowest of the last round trips, and longer while this node itself is in trouble, so
 * that a node that is slow does not blame the others.
 */
export class ProbePatience {
  readonly #roundTripsMs: number[] = [];
  /** 0 to 8: rises with each missing answer, falls with each that comes. */
  #trouble = 0;

  get timeoutMs(): number {
    const sorted = this.#roundTripsMs.toSorted((a, b) => a - b);
    const p99 = sorted[Math.ceil(sorted.length * 0.99) - 1] ?? GOSSIP_LIMITS.probeTimeoutMaxMs;
    const { probeTimeoutMinMs, probeTimeoutMaxMs } = GOSSIP_LIMITS;
    return Math.min(probeTimeoutMaxMs, Math.max(probeTimeoutMinMs, 1.5 * p99)) * (1 + this.#trouble);
  }

  answered(afterMs: number): void {
    this.#roundTripsMs.push(afterMs);
    if (this.#roundTripsMs.length > KEPT_ROUND_TRIPS) this.#roundTripsMs.shift();
    this.#trouble = Math.max(0, this.#trouble - 1);
  }

  missed(): void {
    this.#trouble = Math.min(MAX_TROUBLE, this.#trouble + 1);
  }
}
