import { expect, test } from "vitest";
import { durationMs } from "./duration.ts";

test.each([
  ["90s", 90_000],
  ["1h30m", 5_400_000],
  ["250ms", 250],
  ["0s", 0],
  ["1.5h", 5_400_000],
])("reads %s", (text, expected) => {
  expect(durationMs(text)).toBe(expected);
});

test.each(["", "5", "5 m", "m", "5d", "1h,5m"])("refuses %j", (text) => {
  expect(() => durationMs(text)).toThrow(RangeError);
});
