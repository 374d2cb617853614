/**
 * Leaves peers alone that fail: after three failures in a row, or ten of the last twenty calls, a peer is not asked for 5 s,
 * then for twice as long after each further failure, up to 10 min. One call then tries whether it is well again.
 */

const CONSECUTIVE = 3;
const REMEMBERED = 20;
const HALF = REMEMBERED / 2;
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 600_000;

interface Breaker {
  /** Newest last; true = failed. */
  readonly calls: boolean[];
  opensUntilMs: number;
  pauseMs: number;
}

export class Breakers {
  readonly #byPeer = new Map<string, Breaker>();
  readonly #monotonicMs: () => number;

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  isOpen(nodeId: string): boolean {
    const breaker = this.#byPeer.get(nodeId);
    return breaker !== undefined && breaker.opensUntilMs > this.#monotonicMs();
  }

  /** Peers that are left alone now. */
  get open(): number {
    const nowMs = this.#monotonicMs();
    return [...this.#byPeer.values()].filter(({ opensUntilMs }) => opensUntilMs > nowMs).length;
  }

  /** Forgets those that are no peers any more. */
  keepOnly(nodeIds: ReadonlySet<string>): void {
    for (const nodeId of this.#byPeer.keys()) if (!nodeIds.has(nodeId)) this.#byPeer.delete(nodeId);
  }

  succeeded(nodeId: string): void {
    const breaker = this.#of(nodeId);
    note(breaker, false);
    breaker.pauseMs = FIRST_PAUSE_MS;
  }

  failed(nodeId: string): void {
    const breaker = this.#of(nodeId);
    note(breaker, true);
    const failures = breaker.calls.filter(Boolean).length;
    const isRow = breaker.calls.length >= CONSECUTIVE && breaker.calls.slice(-CONSECUTIVE).every(Boolean);
    if (!isRow && failures < HALF) return;
    breaker.opensUntilMs = this.#monotonicMs() + breaker.pauseMs;
    breaker.pauseMs = Math.min(LONGEST_PAUSE_MS, breaker.pauseMs * 2);
  }

  #of(nodeId: string): Breaker {
    const known = this.#byPeer.get(nodeId);
    if (known !== undefined) return known;
    const fresh = { calls: [], opensUntilMs: 0, pauseMs: FIRST_PAUSE_MS };
    this.#byPeer.set(nodeId, fresh);
    return fresh;
  }
}

function note({ calls }: Breaker, isFailure: boolean): void {
  calls.push(isFailure);
  if (calls.length > REMEMBERED) calls.shift();
}
