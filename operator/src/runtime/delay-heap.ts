/** Keys that become due later: a binary heap and one timer, however many keys wait. */
import { type Clock, MAX_TIMER_MS } from "../kube/clock.ts";

interface Entry {
  readonly key: string;
  readonly dueMs: number;
}

/** As many leftovers are not worth a look. */
const FEW_LEFTOVERS = 64;

export class DelayHeap {
  readonly #clock: Clock;
  readonly #due: (key: string) => void;
  #heap: Entry[] = [];
  /** The valid due time of a key; heap entries that disagree are leftovers. */
  readonly #dueTimes = new Map<string, number>();
  #cancelTimer: (() => void) | undefined;

  /** @param due - called once per key, from the timer */
  constructor(clock: Clock, due: (key: string) => void) {
    this.#clock = clock;
    this.#due = due;
  }

  /** Entries held: keys that wait, and leftovers of removed ones, which are at most as many and a few. */
  get size(): number {
    return this.#heap.length;
  }

  /** The earlier of two times for one key wins. */
  add(key: string, delayMs: number): void {
    const dueMs = this.#clock.monotonicMs() + delayMs;
    const known = this.#dueTimes.get(key);
    if (known !== undefined && known <= dueMs) return;
    this.#dueTimes.set(key, dueMs);
    this.#push({ key, dueMs });
    this.#dropLeftovers();
    if (this.#heap[0]?.key === key) this.#arm();
  }

  remove(key: string): void {
    if (this.#dueTimes.delete(key)) this.#dropLeftovers();
  }

  clear(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#heap = [];
    this.#dueTimes.clear();
  }

  /** A leftover would stay until it is due, which may be months: a key that is put off again and again leaves many. */
  #dropLeftovers(): void {
    if (this.#heap.length <= 2 * this.#dueTimes.size + FEW_LEFTOVERS) return;
    // In order of time, which is a heap too.
    this.#heap = [...this.#dueTimes].map(([key, dueMs]) => ({ key, dueMs })).sort((a, b) => a.dueMs - b.dueMs);
  }

  #fire(): void {
    const now = this.#clock.monotonicMs();
    for (let top = this.#heap[0]; top !== undefined && top.dueMs <= now; top = this.#heap[0]) {
      this.#pop();
      if (this.#dueTimes.get(top.key) !== top.dueMs) continue;
      this.#dueTimes.delete(top.key);
      this.#due(top.key);
    }
    this.#arm();
  }

  #arm(): void {
    this.#cancelTimer?.();
    const top = this.#heap[0];
    const delayMs = top === undefined ? undefined : Math.max(0, top.dueMs - this.#clock.monotonicMs());
    this.#cancelTimer =
      delayMs === undefined ? undefined : this.#clock.after(Math.min(delayMs, MAX_TIMER_MS), () => this.#fire());
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || above.dueMs <= entry.dueMs) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const child = smallerChild(heap, at);
      const below = child === undefined ? undefined : heap[child];
      if (child === undefined || below === undefined || below.dueMs >= last.dueMs) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
  }
}

function smallerChild(heap: readonly Entry[], at: number): number | undefined {
  const left = 2 * at + 1;
  const [a, b] = [heap[left], heap[left + 1]];
  if (a === undefined) return undefined;
  return b !== undefined && b.dueMs < a.dueMs ? left + 1 : left;
}
