import { expect, test } from "vitest";
import { quantityBytes } from "./quantity.ts";

test.each([
  ["1Gi", 1_073_741_824],
  ["1024Mi", 1_073_741_824],
  ["1.5Gi", 1_610_612_736],
  ["1e3", 1_000],
  ["2k", 2_000],
  [7, 7],
])("reads %s", (text, expected) => {
  expect(quantityBytes(text)).toBe(expected);
});

test.each(["", "Gi", "1gi", "1ki", "-1Gi", "1 Gi"])("refuses %j", (text) => {
  expect(() => quantityBytes(text)).toThrow(RangeError);
});
