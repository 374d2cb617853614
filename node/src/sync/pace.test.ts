import { expect, test } from "vitest";
import { firstRunMs, itemRetryMs, nextRunMs, peerRetryMs } from "./pace.ts";

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

test("an interval runs at once and then from begin to begin; a schedule waits for its dates in its time zone", () => {
  const every = { name: "p", intervalSeconds: 30 };
  expect([firstRunMs(every, NOW), nextRunMs(every, NOW)]).toEqual([NOW, NOW + 30_000]);
  const daily = { name: "p", schedule: "30 2 * * *" };
  expect(firstRunMs(daily, NOW)).toBe(Date.UTC(2026, 0, 3, 2, 30));
  expect(nextRunMs({ ...daily, timeZone: "America/New_York" }, NOW)).toBe(Date.UTC(2026, 0, 2, 7, 30));
});

test.each(["not a schedule", "0 0 30 2 *", ""])("a schedule of no date never runs: %s", (schedule) => {
  expect(nextRunMs({ name: "p", schedule }, NOW)).toBeUndefined();
});

test.each([
  { retryMs: peerRetryMs, firstMs: 2_000, capMs: 300_000 },
  { retryMs: itemRetryMs, firstMs: 5_000, capMs: 3_600_000 },
])("waits double up to $capMs ms, and the half of each is chance", ({ retryMs, firstMs, capMs }) => {
  const least = (failures: number) => retryMs(failures, () => 0);
  const most = (failures: number) => retryMs(failures, () => 1);
  expect([least(1), most(1), most(2), most(3)]).toEqual([firstMs / 2, firstMs, firstMs * 2, firstMs * 4]);
  expect([least(2_000), most(2_000)]).toEqual([capMs / 2, capMs]);
});
