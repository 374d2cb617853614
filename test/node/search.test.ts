/** The search of a node over the real index: query language, timeline, access, hostile questions, snippets, resuming. */
import { rm } from "node:fs/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { makeSnippet } from "../../node/src/fulltext/snippet.ts";
import { openFullTextArchive } from "../testkit/full-text-archive.ts";
import { tempDir } from "../testkit/temp-dir.ts";

const page = (path: string, title: string, text: string, timestamp = "20140203112233", digest = path) => ({
  url: `https://www.example.org/${path}`,
  timestamp,
  digest,
  text: `<html lang="en"><title>${title}</title><p>${text}</p></html>`,
});

const PAGES = [
  page("lake", "The lake", "A quiet lake lies between high mountains and the village."),
  page("harbour", "The harbour", "Fishing boats leave the harbour for the open sea every morning."),
  page("lake", "The lake", "unread", "20160101000000", "lake"),
  { ...page("lake", "", "", "20180101000000", "lake"), revisit: true },
];

test("answers words, phrases, prefixes, fields, negation; one hit per page with its timeline", async () => {
  await using dir = await tempDir("search");
  await using archive = await openFullTextArchive({ dir: dir.path });
  await archive.add(PAGES);
  const urls = async (q: string) => (await archive.ask(q)).hits.map((hit) => new URL(hit.url).pathname);
  expect(await urls("mountain")).toEqual(["/lake"]);
  expect(await urls('"fishing boats"')).toEqual(["/harbour"]);
  expect(await urls('"boats fishing"')).toEqual([]);
  expect(await urls("harb*")).toEqual(["/harbour"]);
  expect(await urls("title:harbour")).toEqual(["/harbour"]);
  expect(await urls("title:boats")).toEqual([]);
  expect(await urls("the -boats")).toEqual(["/lake"]);
  expect(await urls("host:example.org lake")).toEqual(["/lake"]);
  expect(await urls("host:example.net lake")).toEqual([]);
  expect(await urls("lake year:2015")).toEqual([]);
  const [lake] = (await archive.ask("lake")).hits;
  expect(lake?.captures).toEqual({ count: 3, first: "20140203112233", last: "20180101000000" });
});

test("hides excluded prefixes and embargoed captures", async () => {
  await using dir = await tempDir("search");
  const scopeOf = (name: string) => ({ name, cutoff: 20150101000000, exclude: ["org,example,www)/harbour"] });
  await using archive = await openFullTextArchive({ dir: dir.path, scopeOf });
  await archive.add([...PAGES, page("new", "The new lake", "Another lake.", "20200101000000")]);
  expect((await archive.ask("harbour")).total).toBe(0);
  const found = await archive.ask("lake");
  expect(found.total).toBe(1);
  expect(found.hits[0]?.captures).toEqual({ count: 1, first: "20140203112233", last: "20140203112233" });
});

test("no question is a syntax error or an unexpected failure", async () => {
  await using dir = await tempDir("search");
  await using archive = await openFullTextArchive({ dir: dir.path });
  await archive.add(PAGES);
  for (const q of ["x".repeat(10_000), Array.from({ length: 1_000 }, (_, at) => `w${at}`).join(" "), "-", ""]) {
    await expect(archive.ask(q)).rejects.toMatchObject({ code: "BAD_QUERY" });
  }
  const syntax = fc.constantFrom(
    '"',
    "(",
    ")",
    "*",
    "NEAR",
    "AND",
    "NOT",
    "OR",
    "^",
    ":",
    "-",
    "title:",
    "lake",
    "\u{e000}",
  );
  const question = fc.array(fc.oneof(syntax, fc.string({ unit: "grapheme", maxLength: 8 })), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(question, async (parts) => {
      const outcome = await archive.ask(parts.join(" ")).then(
        () => "ok",
        (error: { code?: string }) => error.code,
      );
      expect(["ok", "BAD_QUERY"]).toContain(outcome);
    }),
    { numRuns: 150 },
  );
});

test("archived markup never reaches a snippet", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("<script>", "</mark>", "lake", '"', "&", "'", " ", "é", "湖水")), (parts) => {
      const snippet = makeSnippet(parts.join(""), new Map([["lake", 0]]), "en");
      expect(snippet.replace(/<\/?mark>/g, "")).not.toMatch(/[<>"']/);
      expect(snippet.replace(/<mark>[^<]*<\/mark>/g, "")).not.toContain("<");
    }),
  );
});

test("goes on after a restart, and fills a deleted database again", async () => {
  await using dir = await tempDir("search");
  {
    await using archive = await openFullTextArchive({ dir: dir.path });
    await archive.add(PAGES);
  }
  for (const suffix of ["", "-wal", "-shm"]) await rm(`${dir.path}/fulltext.db${suffix}`, { force: true });
  await using archive = await openFullTextArchive({ dir: dir.path });
  await archive.indexed(1);
  expect((await archive.ask("lake")).total).toBe(1);
});
