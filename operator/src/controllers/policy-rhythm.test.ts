/** Schedules that the API server takes by their form, and that name no time, are told from those that do. */
import { expect, test } from "vitest";
import { neverBegins } from "./policy-rhythm.ts";

test.each([
  "5-1 * * * *",
  "0 0 * * FRI-MON",
  "0 0 * dec-jan *",
  "0 0 31 2 *",
  "0 0 30,31 feb *",
  "0 0 31 4,6,9,nov ?",
  "*/70 * * * *",
  "0 8-18/30 * * *",
])("%s never begins", (schedule) => {
  expect(neverBegins(schedule)).toBe(true);
});

test.each([
  "0 3 * * *",
  "*/15 8-18/2 1,15 jan-jun MON-fri",
  "0 0 29 2 *",
  "0 0 30,31 1,2 *",
  "0 0 31 2 MON",
  "0 0 LW * 5#2",
  "0 0 * * 5-7",
])("%s begins", (schedule) => {
  expect(neverBegins(schedule)).toBe(false);
});
