/** Twenty at once, then one each second, in the order in which they asked. */
import { expect, test } from "vitest";
import { CREATIONS, WriteBudget } from "./budget.ts";

const START_MS = 1_000_000;

test("twenty may go at once, then one per second", () => {
  const budget = new WriteBudget(CREATIONS);
  const waits = Array.from({ length: 22 }, (_, index) => budget.take(`p${index}`, START_MS));
  expect(new Set(waits.slice(0, 20))).toEqual(new Set([0]));
  expect(waits.slice(20)).toEqual([1_000, 2_000]);
  expect(budget.take("p20", START_MS + 1_000)).toBe(0);
  expect(budget.take("p21", START_MS + 1_000)).toBe(1_000);
});

test("who came first goes first, and who comes back early gains nothing", () => {
  const budget = new WriteBudget({ perSecond: 1, burst: 1 });
  expect(["a", "b", "c"].map((id) => budget.take(id, START_MS))).toEqual([0, 1_000, 2_000]);
  expect(budget.take("c", START_MS + 1_000)).toBe(1_000);
  expect(budget.take("b", START_MS + 1_000)).toBe(0);
});

test("who leaves makes room for those behind", () => {
  const budget = new WriteBudget({ perSecond: 1, burst: 1 });
  for (const id of ["a", "b", "c"]) budget.take(id, START_MS);
  budget.leave("b");
  expect(budget.take("c", START_MS + 1_000)).toBe(0);
});

test("two thousand that ask when they were told to are all served, and nobody asks more than twice", () => {
  const budget = new WriteBudget(CREATIONS);
  const due = Array.from({ length: 2_000 }, (_, index) => ({ id: `p${index}`, atMs: START_MS }));
  let asked = 0;
  for (let next = due.shift(); next !== undefined; next = due.shift()) {
    asked += 1;
    const waitMs = budget.take(next.id, next.atMs);
    if (waitMs > 0) due.push({ id: next.id, atMs: next.atMs + waitMs });
  }
  expect(asked).toBeLessThanOrEqual(4_000);
});
