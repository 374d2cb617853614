/** The search of a node over the real index: query language, timeline, access, hostile questions, snippets, resuming. */
import { open, rm, stat, writeFile } from "node:fs/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { makeSnippet } from "../../node/src/fulltext/snippet.ts";
import { openFullTextArchive } from "../testkit/full-text-archive.ts";
import { tempDir } from "../testkit/temp-dir.ts";
import { waitUntil } from "../testkit/wait-until.ts";

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

test("counts and dates a page by the captures that may be seen, not by its first and last", async () => {
  await using dir = await tempDir("search");
  const scopeOf = (name: string) => ({ name, cutoff: 20170101000000, exclude: [] });
  await using archive = await openFullTextArchive({ dir: dir.path, scopeOf });
  await archive.add(PAGES);
  const between = await archive.ask("lake year:2015");
  expect([between.total, between.facets.year, between.hits]).toEqual([0, [], []]);
  const found = await archive.ask("lake");
  expect(found.facets.year).toEqual([{ value: "2016", count: 1 }]);
  expect(found.hits[0]?.timestamp).toBe("20160101000000");
});

test("a revisit that arrives before its text joins it when it comes", async () => {
  await using dir = await tempDir("search");
  await using archive = await openFullTextArchive({ dir: dir.path });
  await archive.add([{ ...page("lake", "", "", "20180101000000", "lake"), revisit: true }]);
  expect((await archive.ask("lake")).total).toBe(0);
  await archive.add([page("lake", "The lake", "A quiet lake.")]);
  const [lake] = (await archive.ask("lake year:2018")).hits;
  expect(lake?.captures).toEqual({ count: 2, first: "20140203112233", last: "20180101000000" });
});

test("finds the text of JSON", async () => {
  await using dir = await tempDir("search");
  await using archive = await openFullTextArchive({ dir: dir.path });
  const json = {
    url: "https://www.example.org/api/1",
    timestamp: "20200101000000",
    digest: "j",
    mime: "application/json",
  };
  await archive.add([{ ...json, text: '{"content":"an otter in the reeds"}' }]);
  expect((await archive.ask("otter")).hits[0]?.mime).toBe("application/json");
  expect((await archive.ask("otter -type:json")).total).toBe(0);
});

test("pages of answers do not overlap and leave nothing out", async () => {
  await using dir = await tempDir("search");
  await using archive = await openFullTextArchive({ dir: dir.path });
  await archive.add(
    Array.from({ length: 45 }, (_, n) => page(`p${n}`, `Page ${n}`, `The lake, seen ${"again ".repeat(n)}.`)),
  );
  const urls: string[] = [];
  for (const [offset, length] of [
    [0, 20],
    [20, 20],
    [40, 5],
    [60, 0],
  ] as const) {
    const { hits, total } = await archive.ask("lake", { offset, limit: 20 });
    expect([total, hits.length]).toEqual([45, length]);
    urls.push(...hits.map(({ url }) => url));
  }
  expect(new Set(urls).size).toBe(45);
  await expect(archive.ask("lake", { offset: 990, limit: 20 })).rejects.toMatchObject({ code: "BAD_QUERY" });
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

/** Overwrites everything behind the first page, as a failing disk would; the database still opens. */
async function damage(file: string): Promise<void> {
  await using handle = await open(file, "r+");
  const { size } = await handle.stat();
  await handle.write(Buffer.alloc(size - 8_192, 0xa5), 0, size - 8_192, 8_192);
}

test.each([
  ["in its pages", damage],
  ["that leaves no database", async (file: string) => writeFile(file, "x".repeat(20_000))],
])("sets a damaged database aside and fills a new one: damage %s", async (_name, spoil) => {
  await using dir = await tempDir("search");
  {
    await using archive = await openFullTextArchive({ dir: dir.path });
    await archive.add(PAGES);
  }
  await spoil(`${dir.path}/fulltext.db`);
  await using archive = await openFullTextArchive({ dir: dir.path });
  await archive.add([page("sea", "The sea", "A rough sea.")]);
  await waitUntil(
    "both files to be searchable again",
    async () => (await archive.ask("lake")).total === 1 && (await archive.ask("sea")).total >= 1,
    { deadlineMs: 60_000 },
  );
  expect((await stat(`${dir.path}/fulltext.db.damaged`)).size).toBeGreaterThan(0);
});

test("damage that a question meets makes the index fill again while it runs", async () => {
  await using dir = await tempDir("search");
  await using archive = await openFullTextArchive({ dir: dir.path });
  await archive.add(PAGES);
  archive.checkpoint();
  await damage(archive.file);
  await waitUntil(
    "a question to meet the damage and the index to be rebuilt",
    async () => {
      await archive.ask("harbour").catch(() => undefined);
      return (await stat(`${archive.file}.damaged`).catch(() => undefined)) !== undefined;
    },
    { deadlineMs: 60_000 },
  );
  await waitUntil("the rebuilt index to answer", async () => (await archive.ask("harbour")).total === 1, {
    deadlineMs: 60_000,
  });
});
