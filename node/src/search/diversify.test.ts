import fc from "fast-check";
import { expect, test } from "vitest";
import type { RankedDocument } from "../fulltext/question.ts";
import { diversify } from "./diversify.ts";

/** Hashes far from each other unless a test says otherwise. */
const far = (doc: number): [number, number] => [Math.imul(doc, 0x9e3779b1) >>> 0, Math.imul(doc, 0x85ebca6b) >>> 0];
const hit = (doc: number, host: string, score: number, simhash = far(doc)): RankedDocument => ({
  doc,
  host,
  score,
  simhash,
});
const docs = (hits: readonly RankedDocument[]): number[] => hits.map(({ doc }) => doc);

test("the third hit of a host gives way to a nearly equal one of another", () => {
  const ranked = [hit(1, "a", 10), hit(2, "a", 9.9), hit(3, "a", 9.8), hit(4, "b", 9.5)];
  expect(docs(diversify(ranked))).toEqual([1, 2, 4, 3]);
});

test("a much better hit stays before another host's", () => {
  expect(docs(diversify([hit(1, "a", 10), hit(2, "a", 9.9), hit(3, "a", 9.8), hit(4, "b", 2)]))).toEqual([1, 2, 3, 4]);
});

test("hits of one host keep their order", () => {
  const ranked = Array.from({ length: 30 }, (_, at) => hit(at + 1, "a", 30 - at));
  expect(docs(diversify(ranked))).toEqual(docs(ranked));
});

test("copies of a text come after other texts", () => {
  const ranked = [hit(1, "a", 10, [7, 7]), hit(2, "b", 9.9, [7, 6]), hit(3, "c", 8)];
  expect(docs(diversify(ranked))).toEqual([1, 3, 2]);
});

test("nothing is lost, nothing is added", () => {
  const list = fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.double({ min: 0, max: 10, noNaN: true })), {
    maxLength: 260,
  });
  fc.assert(
    fc.property(list, (pairs) => {
      const ranked = pairs.map(([host, score], at) => hit(at, host, score)).toSorted((a, b) => b.score - a.score);
      expect(docs(diversify(ranked)).toSorted((a, b) => a - b)).toEqual(docs(ranked).toSorted((a, b) => a - b));
    }),
    { numRuns: 30 },
  );
});
