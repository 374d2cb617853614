/** When a pod is asked again. */
import { expect, test } from "vitest";
import { nextPollMs } from "./schedule.ts";

const middle = { random: () => 0.5, podCount: 1, failures: 0, lagging: false };

test.each([
  ["a minute while all is well", {}, 60_000],
  ["five seconds while something lags", { lagging: true }, 5_000],
  ["five seconds after a failure", { failures: 1 }, 5_000],
  ["five seconds still after the third", { failures: 3 }, 5_000],
  ["twice as long after the fourth", { failures: 4 }, 10_000],
  ["a minute at most, however often it failed", { failures: 50 }, 60_000],
  ["later when there are many pods: 10 calls a second in all", { podCount: 4_000 }, 400_000],
  ["quickly for one that lags among many", { podCount: 4_000, lagging: true }, 5_000],
])("%s", (_what, given, expected) => {
  expect(nextPollMs({ ...middle, ...given })).toBe(expected);
});

test("spreads by a fifth to either side", () => {
  expect(nextPollMs({ ...middle, random: () => 0 })).toBe(48_000);
  expect(nextPollMs({ ...middle, random: () => 1 })).toBe(72_000);
});
