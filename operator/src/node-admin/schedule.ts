/** When a pod is asked again. Pure; the numbers are those of the API reference: quick while something lags, else slow. */

export interface ScheduleInput {
  /** A document has not arrived, or the pod has not answered yet. */
  readonly lagging: boolean;
  /** Failed calls in a row. */
  readonly failures: number;
  /** Pods this operator asks. */
  readonly podCount: number;
  /** Draws from [0, 1). */
  readonly random: () => number;
}

const LAGGING_MS = 5_000;
const STEADY_MS = 60_000;
/** All pods together are asked at most this often per second while nothing lags. */
const STEADY_CALLS_PER_SECOND = 10;
const SPREAD = 0.2;
const LONGEST_FAILURE_MS = 60_000;

/** @returns milliseconds */
export function nextPollMs({ lagging, failures, podCount, random }: ScheduleInput): number {
  const steady = Math.max(STEADY_MS, (podCount / STEADY_CALLS_PER_SECOND) * 1_000);
  const base =
    lagging || failures > 0 ? Math.min(LONGEST_FAILURE_MS, LAGGING_MS * 2 ** Math.max(0, failures - 3)) : steady;
  return Math.round(base * (1 - SPREAD + 2 * SPREAD * random()));
}
