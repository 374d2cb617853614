import { ArchiveNodeSpecSchema } from "@archivestream/crds";
import fc from "fast-check";
import { expect, test } from "vitest";
import { quantityBytes } from "./quantity.ts";

test.each([
  ["1Gi", 1_073_741_824],
  ["1024Mi", 1_073_741_824],
  ["1.5Gi", 1_610_612_736],
  ["1e3", 1_000],
  ["2k", 2_000],
  [7, 7],
  [-7, -7],
  ["-1Gi", -1_073_741_824],
  ["10.", 10],
  [".5Ki", 512],
  ["1500m", 1.5],
  ["2000000u", 2],
  ["3000000000n", 3],
  ["10737418240000000000n", 10_737_418_240],
  ["1E", 1e18],
  ["1E3", 1_000],
  ["0e999", 0],
  ["1e999", 2 ** 63],
])("reads %s", (text, expected) => {
  expect(quantityBytes(text)).toBe(expected);
});

test("reads whatever the schema of the API lets through", () => {
  const { size } = ArchiveNodeSpecSchema.properties.storage.properties;
  const { pattern } = size as { readonly pattern?: string };
  const texts = fc.stringMatching(new RegExp(pattern ?? ""));
  fc.assert(fc.property(texts, (text) => Number.isFinite(quantityBytes(text))));
});

test.each(["", "Gi", "1gi", "1ki", "1 Gi"])("refuses %j", (text) => {
  expect(() => quantityBytes(text)).toThrow(RangeError);
});
