import fc from "fast-check";
import { expect, test } from "vitest";
import { ANALYZER } from "../fulltext/analyzer.ts";
import { SCORER } from "../fulltext/ranking.ts";
import { type Leaf, type LeafHit, mergeLeaves } from "./merge.ts";

interface Page {
  readonly name: string;
  readonly host: string;
  readonly impacts: readonly number[];
  readonly level: 0 | 1 | 2;
}

function hitOf({ name, host, impacts, level }: Page, timestamp = "20240101000000"): LeafHit {
  return {
    ...{ urlkey: `key ${name}`, digest: `digest ${name}`, host, rank: 0 },
    features: {
      ...{ level, impacts: [...impacts], depth: 1, simhash: "00000000ffffffff" },
      ...{ proximity: 0.5, title: { units: [0], length: 2 } },
    },
    shown: {
      ...{ url: `https://${host}/${name}`, timestamp, title: name, snippet: "", mime: "text/html" },
      ...{ language: undefined, collection: "web" },
      captures: { count: 1, first: timestamp, last: timestamp },
    },
  };
}

function leafOf(nodeId: string, pages: readonly Page[], hits = pages.map((page) => hitOf(page))): Leaf {
  const units = [0, 1].map((unit) => [
    { term: `term${unit}`, df: pages.filter(({ impacts }) => (impacts[unit] ?? 0) > 0).length },
  ]);
  const none = { host: [], type: [], language: [], year: [] };
  const total = { value: pages.length, relation: "eq" as const };
  return {
    ...{ nodeId, hits, total, levels: [{ level: 0, total, facets: none }] },
    stats: { epoch: "1", docs: pages.length, units, analyzer: ANALYZER, scorer: SCORER },
  };
}

const urls = (leaves: readonly Leaf[]): readonly string[] => mergeLeaves(leaves).hits.map(({ url }) => url);
const impact = fc.integer({ min: 0, max: 255 });
const pages = fc.uniqueArray(
  fc.record({
    name: fc.string({ minLength: 1, maxLength: 4, unit: fc.constantFrom("a", "b", "c", "d") }),
    host: fc.constantFrom("one.example", "two.example", "three.example"),
    impacts: fc.tuple(fc.integer({ min: 1, max: 255 }), impact),
    level: fc.constant(0 as const),
  }),
  { selector: ({ name }) => name, maxLength: 40 },
);

test("disjoint parts come in the order of the whole, whichever answers first", () => {
  const parts = fc.tuple(pages, fc.array(fc.nat(2), { minLength: 40, maxLength: 40 }));
  fc.assert(
    fc.property(parts, ([all, places]) => {
      const leaves = ["a", "b", "c"].map((nodeId, share) =>
        leafOf(
          nodeId,
          all.filter((_page, at) => places[at] === share),
        ),
      );
      const whole = urls([leafOf("whole", all)]);
      expect(urls(leaves)).toEqual(whole);
      expect(urls(leaves.toReversed())).toEqual(whole);
      expect(mergeLeaves(leaves)).toMatchObject({ total: all.length, totalIsLowerBound: false });
    }),
    { numRuns: 200 },
  );
});

test("hits of the same score are ordered by their keys", () => {
  const equal = ["c", "a", "b"].map((name): Page => ({ name, host: `${name}.example`, impacts: [9, 9], level: 0 }));
  const far = equal.map((page, at) => {
    const hit = hitOf(page);
    const simhash = ["00000000ffffffff", "ffffffff00000000", "0f0f0f0f0f0f0f0f"][at] ?? "";
    return hit.features === undefined ? hit : { ...hit, features: { ...hit.features, simhash } };
  });
  expect(mergeLeaves([leafOf("x", equal, far)]).hits.map(({ title }) => title)).toEqual(["a", "b", "c"]);
});

test("one page of several nodes is one hit, as its newest capture shows it", () => {
  const page: Page = { name: "a", host: "one.example", impacts: [9, 9], level: 0 };
  const leaves = [leafOf("x", [page]), leafOf("y", [page], [hitOf(page, "20250101000000")])];
  const { hits, total } = mergeLeaves(leaves);
  expect(total).toBe(1);
  expect(hits).toMatchObject([
    {
      ...{ timestamp: "20250101000000", sources: ["x", "y"] },
      captures: { count: 1, first: "20240101000000", last: "20250101000000" },
    },
  ]);
});

test("looser hits give way once all together have enough strict ones", () => {
  const named = (from: number, count: number, level: 0 | 2): Page[] =>
    Array.from({ length: count }, (_none, at) => ({
      ...{ name: `${level}-${from + at}`, host: `h${from + at}.example`, impacts: [9, 9], level },
    }));
  const few = [leafOf("x", [...named(0, 5, 0), ...named(100, 3, 2)]), leafOf("y", named(50, 4, 0))];
  expect(urls(few)).toHaveLength(12);
  const enough = [...few, leafOf("z", named(70, 1, 0))];
  expect(urls(enough).filter((url) => url.includes("/2-"))).toEqual([]);
  expect(urls(enough)).toHaveLength(10);
});

test("hits that cannot be scored come last, in their own order, and only add themselves to a page that is there", () => {
  const page: Page = { name: "a", host: "one.example", impacts: [9, 9], level: 0 };
  const own = ["z", "a", "y"].map((name, rank) => ({
    ...hitOf({ name, host: "other.example", impacts: [], level: 0 }),
    ...{ features: undefined, rank },
  }));
  const other: Leaf = { nodeId: "old", hits: own, stats: undefined, levels: [], total: undefined };
  const { hits, totalIsLowerBound } = mergeLeaves([other, leafOf("x", [page])]);
  expect(hits.map(({ title, sources }) => [title, sources])).toEqual([
    ["a", ["old", "x"]],
    ["z", ["old"]],
    ["y", ["old"]],
  ]);
  expect(totalIsLowerBound).toBe(true);
});
