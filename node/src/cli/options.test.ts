import { expect, test } from "vitest";
import { parseCommandArgs } from "./options.ts";
import { tableOf } from "./table.ts";

const SHAPE = { values: ["data"], lists: ["seed"], flags: ["json"], operands: ["URL"] } as const;

test("values, lists, flags and operands may come in any order", () => {
  expect(parseCommandArgs(["--seed", "a", "here", "--json", "--data", "D", "--seed", "b"], SHAPE)).toEqual({
    ...{ values: { data: "D" }, lists: { seed: ["a", "b"] }, flags: { json: true }, operands: ["here"] },
  });
  expect(parseCommandArgs(["x"], SHAPE)).toMatchObject({ values: {}, lists: { seed: [] }, flags: { json: false } });
});

test.each([
  [[], "URL is missing"],
  [["a", "b"], '"b" is one argument too many'],
  [["a", "--other", "b"], "--other"],
  [["a", "--data"], "--data"],
])("%j is a usage error", (args, said) => {
  expect(() => parseCommandArgs(args, SHAPE)).toThrow(said);
});

test("columns are as wide as their widest cell", () => {
  const rows = [
    { a: "1", b: "x" },
    { a: "222", b: "y" },
  ];
  expect(tableOf(rows, { A: ({ a }) => a, LONG: ({ b }) => b })).toBe("A    LONG\n1    x\n222  y\n");
  expect(tableOf([], { A: () => "" })).toBe("A\n");
});
