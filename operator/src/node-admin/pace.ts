/**
 * Lets calls to pods through at a bounded rate, in the order they came: polls and documents share it.
 *
 * A restart of the operator has something to ask of every pod at once; the pods and the network need not notice.
 */
import { type Clock, pause } from "../kube/clock.ts";
import type { AdminClient } from "./client.ts";

export interface PaceOptions {
  readonly perSecond: number;
  /** Calls that may go together after a pause. */
  readonly burst: number;
}

/** Calls per second over all pods; the burst is what one look of the poller starts. */
export const ADMIN_PACE: PaceOptions = { perSecond: 50, burst: 16 };

export class Pace {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #burstMs: number;
  /** When the next call is due if calls came evenly; may lie in the past by as much as the burst is worth. */
  #dueMs = -Infinity;

  constructor(clock: Clock, { perSecond, burst }: PaceOptions) {
    this.#clock = clock;
    this.#intervalMs = 1_000 / perSecond;
    this.#burstMs = (burst - 1) * this.#intervalMs;
  }

  /** Resolves when it is the caller's turn, or at once when `signal` aborts: the turn is spent either way. */
  async turn(signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    const dueMs = Math.max(this.#dueMs, nowMs - this.#burstMs);
    this.#dueMs = dueMs + this.#intervalMs;
    await pause(this.#clock, dueMs - nowMs, signal);
  }
}

/** The same calls, each after its turn; a call's own deadline begins when it is let through. */
export function paced(
  client: Pick<AdminClient, "status" | "push" | "report">,
  pace: Pick<Pace, "turn">,
): Pick<AdminClient, "status" | "push" | "report"> {
  return {
    status: async (target, etag, signal) => {
      await pace.turn(signal);
      return client.status(target, etag, signal);
    },
    report: async (target, page, etag, signal) => {
      await pace.turn(signal);
      return client.report(target, page, etag, signal);
    },
    push: async (target, path, document, signal) => {
      await pace.turn(signal);
      return client.push(target, path, document, signal);
    },
  };
}
