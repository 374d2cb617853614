/**
 * Keys waiting to be worked: each at most once, in one pair of hands at a time, the urgent first, nobody for ever last.
 *
 * Of the first list and of resyncs only so many keys are in hand at once: a user's change finds a free worker, and an API
 * server that has time for it. Of a crowd of user changes every fourth key is an observed change, so that what was begun
 * gets finished: a thousand new objects become ready one after the other, and not all at the end.
 *
 * A key added while it is worked on is queued again when that is done. Waiting raises a key by one band per 30 s, so a
 * queue that is never empty still serves its oldest key: it is overtaken only by keys added less than 60 s after it.
 */
import type { Clock } from "../kube/clock.ts";
import { DelayHeap } from "./delay-heap.ts";

/** 100 a user changed something; 0 something was observed; -100 initial list and resync. */
export type Priority = 100 | 0 | -100;

export interface WorkQueueMetrics {
  added(): void;
  retried(): void;
  depth(priority: Priority, depth: number): void;
  waited(seconds: number): void;
  worked(seconds: number): void;
}

export interface Taken {
  readonly key: string;
  readonly priority: Priority;
}

export const PRIORITIES: readonly Priority[] = [100, 0, -100];
const BAND_STEP = 100;
/** controller-runtime's fixed -100 can starve (controller-runtime#3496); a minute makes initial work equal to a user's. */
const AGEING_STEP_MS = 30_000;

/** As many user changes in a row while observed changes wait. */
const USERS_IN_A_ROW = 3;

interface Waiting {
  readonly priority: Priority;
  readonly sinceMs: number;
}

export class WorkQueue {
  readonly #clock: Clock;
  readonly #metrics: WorkQueueMetrics;
  readonly #delayed: DelayHeap;
  /** Waiting keys by band, in the order they came. */
  readonly #bands = new Map<Priority, Map<string, Waiting>>(
    PRIORITIES.map((band): [Priority, Map<string, Waiting>] => [band, new Map<string, Waiting>()]),
  );
  readonly #processing = new Map<string, number>();
  /** Added while being worked on. */
  readonly #dirty = new Map<string, Priority>();
  readonly #delayedPriorities = new Map<string, Priority>();
  /** Done, but not to be worked on before a time; ended by the function. */
  readonly #heldBack = new Map<string, () => void>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((taken: Taken | undefined) => void)[] = [];
  readonly #initialLimit: number;
  /** Keys of the first list and of resyncs that are being worked on. */
  readonly #initial = new Set<string>();
  #usersInARow = 0;
  #closed = false;

  /** @param initialLimit - most keys of priority -100 in hand at once; at least 1 */
  constructor(clock: Clock, metrics: WorkQueueMetrics, initialLimit = Number.POSITIVE_INFINITY) {
    this.#clock = clock;
    this.#metrics = metrics;
    this.#initialLimit = initialLimit;
    this.#delayed = new DelayHeap(clock, (key) => this.add(key, this.#delayedPriorities.get(key) ?? 0));
  }

  /** Keys ready to be taken. */
  get depth(): number {
    return PRIORITIES.reduce<number>((sum, band) => sum + this.#band(band).size, 0);
  }

  get processing(): number {
    return this.#processing.size;
  }

  /** Start times of the keys being worked on, monotonic milliseconds. */
  get startedAt(): readonly number[] {
    return [...this.#processing.values()];
  }

  /** Adding a waiting key again can only raise its band; its place among the waiting is kept. */
  add(key: string, priority: Priority): void {
    if (this.#closed) return;
    this.#delayed.remove(key);
    this.#delayedPriorities.delete(key);
    if (this.#processing.has(key) || this.#heldBack.has(key)) {
      this.#dirty.set(key, higher(this.#dirty.get(key), priority));
      return;
    }
    this.#enqueue(key, priority);
  }

  /** A key that waits already, or is added meanwhile, is not delayed by this. */
  addAfter(key: string, priority: Priority, delayMs: number): void {
    if (this.#closed) return;
    if (delayMs <= 0) {
      this.add(key, priority);
      return;
    }
    if (this.#waiting(key) !== undefined || this.#dirty.has(key)) return;
    this.#delayedPriorities.set(key, higher(this.#delayedPriorities.get(key), priority));
    this.#delayed.add(key, delayMs);
  }

  /**
   * Adds after a failure; `delayFor` is told how many came before. The priority is kept across retries.
   *
   * @returns failures in a row, this one included
   */
  retry(taken: Taken, delayFor: (failures: number) => number): number {
    const failures = this.#failures.get(taken.key) ?? 0;
    this.#failures.set(taken.key, failures + 1);
    this.#metrics.retried();
    this.addAfter(taken.key, taken.priority, delayFor(failures));
    return failures + 1;
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key, once there is one; `undefined` when the queue is closed. Every taken key must be given to `done`. */
  async take(): Promise<Taken | undefined> {
    if (this.#closed) return undefined;
    const band = this.#nextBand();
    if (band !== undefined) return this.#remove(band);
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  /** @param holdBackMs - the key waits at least this long before it is given out again */
  done(key: string, holdBackMs = 0): void {
    const startedMs = this.#processing.get(key);
    if (startedMs === undefined) return;
    this.#processing.delete(key);
    this.#metrics.worked((this.#clock.monotonicMs() - startedMs) / 1000);
    if (this.#initial.delete(key)) this.#giveNext();
    if (holdBackMs <= 0) this.#readdIfDirty(key);
    else if (!this.#closed)
      this.#heldBack.set(
        key,
        this.#clock.after(holdBackMs, () => this.#readdIfDirty(key)),
      );
  }

  /** Ends the time for which `done` holds a key back. */
  release(key: string): void {
    this.#heldBack.get(key)?.();
    if (this.#heldBack.has(key)) this.#readdIfDirty(key);
  }

  /** Takes no more keys and gives out none; keys being worked on stay with their workers. */
  close(): void {
    this.#closed = true;
    this.#delayed.clear();
    this.#delayedPriorities.clear();
    for (const cancel of this.#heldBack.values()) cancel();
    this.#heldBack.clear();
    for (const band of PRIORITIES) this.#band(band).clear();
    for (const give of this.#takers.splice(0)) give(undefined);
  }

  #readdIfDirty(key: string): void {
    this.#heldBack.delete(key);
    const priority = this.#dirty.get(key);
    this.#dirty.delete(key);
    if (priority !== undefined) this.add(key, priority);
  }

  #enqueue(key: string, priority: Priority): void {
    const waiting = this.#waiting(key);
    if (waiting !== undefined && waiting.priority >= priority) return;
    if (waiting === undefined) this.#metrics.added();
    else this.#band(waiting.priority).delete(key);
    const sinceMs = waiting?.sinceMs ?? this.#clock.monotonicMs();
    this.#insert(key, { priority, sinceMs });
    this.#reportDepth(priority);
    if (waiting !== undefined) this.#reportDepth(waiting.priority);
    this.#giveNext();
  }

  /** To whoever waits longest, if there is a key that may be taken. */
  #giveNext(): void {
    const band = this.#takers.length === 0 ? undefined : this.#nextBand();
    if (band !== undefined) this.#takers.shift()?.(this.#remove(band));
  }

  /** A raised key is older than its new band's newest: it goes in front of those that came after it. */
  #insert(key: string, waiting: Waiting): void {
    const band = this.#band(waiting.priority);
    if (waiting.sinceMs === this.#clock.monotonicMs()) {
      band.set(key, waiting); // a new key is the youngest: the usual case, in constant time
      return;
    }
    const later = [...band].filter(([, other]) => other.sinceMs > waiting.sinceMs);
    for (const [other] of later) band.delete(other);
    band.set(key, waiting);
    for (const [other, entry] of later) band.set(other, entry);
  }

  #nextBand(): Priority | undefined {
    const first = this.#firstBand();
    const isOthersTurn = first === 100 && this.#usersInARow >= USERS_IN_A_ROW && this.#band(0).size > 0;
    return isOthersTurn ? 0 : first;
  }

  #firstBand(): Priority | undefined {
    const now = this.#clock.monotonicMs();
    let best: { band: Priority; rank: number; sinceMs: number } | undefined;
    for (const band of PRIORITIES) {
      const oldest: Waiting | undefined = this.#band(band).values().next().value;
      if (oldest === undefined || (band === -100 && this.#initial.size >= this.#initialLimit)) continue;
      const rank = band + BAND_STEP * Math.floor((now - oldest.sinceMs) / AGEING_STEP_MS);
      const first = best === undefined || rank > best.rank || (rank === best.rank && oldest.sinceMs < best.sinceMs);
      if (first) best = { band, rank, sinceMs: oldest.sinceMs };
    }
    return best?.band;
  }

  #remove(band: Priority): Taken | undefined {
    const next = this.#band(band).entries().next().value;
    if (next === undefined) return undefined;
    const [key, waiting] = next;
    this.#band(band).delete(key);
    this.#usersInARow = band === 100 ? this.#usersInARow + 1 : 0;
    const now = this.#clock.monotonicMs();
    this.#processing.set(key, now);
    if (band === -100) this.#initial.add(key);
    this.#metrics.waited((now - waiting.sinceMs) / 1000);
    this.#reportDepth(band);
    return { key, priority: waiting.priority };
  }

  #waiting(key: string): Waiting | undefined {
    for (const band of PRIORITIES) {
      const found = this.#band(band).get(key);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #band(priority: Priority): Map<string, Waiting> {
    const band = this.#bands.get(priority);
    if (band === undefined) throw new RangeError(`no band ${priority}`);
    return band;
  }

  #reportDepth(priority: Priority): void {
    this.#metrics.depth(priority, this.#band(priority).size);
  }
}

function higher(left: Priority | undefined, right: Priority): Priority {
  return left !== undefined && left > right ? left : right;
}
