/** What a peer may send that is not believed. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { SearchAnswerMessage, SearchResultMessage } from "../asfp/search-messages.ts";
import { ANALYZER } from "../fulltext/analyzer.ts";
import { SCORER } from "../fulltext/ranking.ts";
import { checkAnswer, cleanSnippet } from "./leaf-answer.ts";

const EXPECTED = { nodeId: "peer", size: 10, units: 2 };
const FEATURES = { level: 0, impacts: [9, 0], depth: 1, simhash: "0123456789abcdef" } as const;
const RESULT: SearchResultMessage = {
  ...{ url: "https://example.org/", urlkey: "org,example)/", timestamp: "20240101000000", digest: "sha1:X" },
  ...{ title: "A title", snippet: "a <mark>word</mark>", score: 1, collection: "web" },
  features: { ...FEATURES, impacts: [...FEATURES.impacts] },
};
const STATS = { epoch: "1", docs: 9, units: [[{ term: "a", df: 3 }], []], analyzer: ANALYZER, scorer: SCORER };
const answer = (result: Partial<SearchResultMessage>, more: Partial<SearchAnswerMessage> = {}) => ({
  ...{ stats: STATS, results: [{ ...RESULT, ...result }], levels: [] },
  ...more,
});
const hits = (body: unknown) => checkAnswer(body, EXPECTED)?.leaf.hits;
const features = (more: object) => ({ features: { ...FEATURES, ...more } }) as unknown as Partial<SearchResultMessage>;

test("a sound answer is taken", () => {
  expect(hits(answer({}))).toMatchObject([{ host: "example.org", shown: { title: "A title" } }]);
});

test.each([
  ["no object", "text"],
  ["no results", { stats: STATS }],
  ["an impact beyond a byte", answer(features({ impacts: [256, 1] }))],
  ["a level that is none", answer(features({ level: 3 }))],
  ["proximity beyond 1", answer(features({ proximity: 2, title: { units: [], length: 1 } }))],
  ["a score that is text", answer({ score: "9" as unknown as number })],
  ["more documents than there are", answer({}, { stats: { ...STATS, docs: 1e15 } })],
])("is no answer: %s", (_name, body) => {
  expect(checkAnswer(body, EXPECTED)).toBeUndefined();
});

test.each([
  ["a script for a URL", answer({ url: "javascript:alert(1)" })],
  ["a file for a URL", answer({ url: "file:///etc/passwd" })],
  ["impacts of another question", answer(features({ impacts: [9] }))],
  ["a match that matches nothing", answer(features({ impacts: [0, 0] }))],
  ["a title with more matches than words", answer(features({ proximity: 1, title: { units: [0, 1], length: 1 } }))],
  ["a title with a word that nobody asked for", answer(features({ proximity: 1, title: { units: [2], length: 3 } }))],
])("a hit is left out: %s", (_name, body) => {
  expect(checkAnswer(body, EXPECTED)).toMatchObject({ dropped: 1, leaf: { hits: [] } });
});

test.each([
  ["another analyser", { ...STATS, analyzer: "other" }],
  ["another scorer", { ...STATS, scorer: "other" }],
  ["more documents with a word than documents", { ...STATS, units: [[{ term: "a", df: 10 }], []] }],
  ["statistics of another question", { ...STATS, units: [[]] }],
  ["no statistics", undefined],
])("hits are not scored beside others: %s", (_name, stats) => {
  const { results } = answer({});
  const body = stats === undefined ? { results } : { results, stats };
  const leaf = checkAnswer(body, EXPECTED)?.leaf;
  expect([leaf?.stats, leaf?.hits[0]?.features, leaf?.hits.length]).toEqual([undefined, undefined, 1]);
});

test("no more hits are taken than were asked for", () => {
  expect(hits({ stats: STATS, results: Array.from({ length: 60 }, () => RESULT) })).toHaveLength(10);
});

test("long texts are cut", () => {
  const [hit] = hits(answer({ title: "t".repeat(4_000), snippet: "s".repeat(4_000) })) ?? [];
  expect([hit?.shown?.title.length, hit?.shown?.snippet.length]).toEqual([300, 600]);
});

test("of any snippet only marks survive", () => {
  const part = fc.constantFrom("<mark>", "</mark>", "<", ">", "&lt;", "&amp;", '"', "<script>", "<b onclick=x>", "a");
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
      const clean = cleanSnippet(parts.join(""));
      expect(clean.replace(/<mark>[^<>]*<\/mark>/g, "")).not.toMatch(/[<>"]/);
      expect(cleanSnippet(clean)).toBe(clean);
    }),
  );
  expect(cleanSnippet('a &lt;b&gt; <mark>c</mark> <img src="x">')).toBe(
    "a &lt;b&gt; <mark>c</mark> &lt;img src=&quot;x&quot;&gt;",
  );
});
