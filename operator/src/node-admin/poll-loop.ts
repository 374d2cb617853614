/** Which pods are due, and how many are asked at once: the loop of everything that asks pods again and again. */
import { setTimeout as sleep } from "node:timers/promises";
import type { PolledPod } from "./polled-pod.ts";

/** What is remembered of one pod. */
export interface PodState {
  readonly pod: PolledPod;
  /** Monotonic. */
  readonly dueMs: number;
}

/** Of a poller; tests bring their own time. */
export interface PollTiming {
  readonly nowMs: () => number;
  readonly random: () => number;
  /** Milliseconds between looks at what is due; shorter in tests. */
  readonly tickMs: number;
}

export interface PollLoopOptions<S extends PodState> extends Pick<PollTiming, "nowMs" | "tickMs"> {
  /** Calls at once. */
  readonly concurrency: number;
  /** Pods to ask, as the cache has them now; the same object while a pod is as it was. */
  readonly pods: () => readonly PolledPod[];
  /** A pod that is not there any more. */
  readonly gone: (pod: PolledPod) => void;
  /** What a pod that is new or has changed begins with. */
  readonly stateNow: (pod: PolledPod, before: S | undefined) => S;
  /** Asks, and says with {@link PollLoop.put} when the pod is due again. */
  readonly ask: (state: S, signal: AbortSignal) => Promise<void>;
}

export class PollLoop<S extends PodState> {
  readonly #options: PollLoopOptions<S>;
  readonly #states = new Map<string, S>();
  readonly #running = new Set<string>();
  /** More pods were due than may be asked at once. */
  #someWait = false;

  constructor(options: PollLoopOptions<S>) {
    this.#options = options;
  }

  get podCount(): number {
    return this.#states.size;
  }

  /** As the pod is now; undefined when it went meanwhile. */
  get(uid: string): S | undefined {
    return this.#states.get(uid);
  }

  /** Nothing is remembered of a pod that went meanwhile. */
  put(state: S): void {
    if (this.#states.has(state.pod.uid)) this.#states.set(state.pod.uid, state);
  }

  /** Asks until the signal ends it. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#refresh();
      this.#startDue(signal);
      await sleep(this.#options.tickMs, undefined, { signal }).catch(() => undefined);
    }
  }

  #refresh(): void {
    const seen = new Set<string>();
    for (const pod of this.#options.pods()) {
      seen.add(pod.uid);
      const before = this.#states.get(pod.uid);
      if (before?.pod !== pod) this.#states.set(pod.uid, this.#options.stateNow(pod, before));
    }
    for (const [uid, { pod }] of this.#states) {
      if (seen.has(uid)) continue;
      this.#states.delete(uid);
      this.#options.gone(pod);
    }
  }

  #startDue(signal: AbortSignal): void {
    const now = this.#options.nowMs();
    const due = [...this.#states.values()]
      .filter(({ pod, dueMs }) => dueMs <= now && !this.#running.has(pod.uid))
      .sort((a, b) => a.dueMs - b.dueMs);
    const starting = due.slice(0, Math.max(0, this.#options.concurrency - this.#running.size));
    this.#someWait = due.length > starting.length;
    for (const state of starting) {
      const { uid } = state.pod;
      this.#running.add(uid);
      this.#options
        .ask(state, signal)
        .catch(() => undefined) // who asks reports failures itself; a throw from a listener must not end the loop
        .finally(() => {
          this.#running.delete(uid);
          // The rate is bounded by the pace; the tick must not bound it once more.
          if (this.#someWait && !signal.aborted) this.#startDue(signal);
        });
    }
  }
}
