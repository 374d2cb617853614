import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { type FullTextArchive, openFullTextArchive } from "../../../test/testkit/full-text-archive.ts";
import { type ListedCapture, listBlob } from "../../../test/testkit/listed-captures.ts";
import { tempDir } from "../../../test/testkit/temp-dir.ts";

const html = (title: string, body: string): string => `<html lang="en"><title>${title}</title><p>${body}</p></html>`;
const page = (path: string, text: string, more: Partial<ListedCapture> = {}): ListedCapture => ({
  ...{ url: `https://www.example.org/${path}`, timestamp: "20200101000000", digest: text, text },
  ...more,
});
const GONE = page("gone", html("Zeppelin", "unrepeatable zeppelins over the harbour"));
const OTHER = page("other", html("Harbour", "ships in the harbour"));

async function found(archive: FullTextArchive, q: string) {
  const { hits, total } = await archive.ask(q);
  return { total, pages: hits.map(({ url, captures }) => [new URL(url).pathname, captures.count, captures.first]) };
}

/** Rows of the index that say anything of what was read. */
function rows(file: string): unknown {
  using database = new DatabaseSync(file, { readOnly: true });
  const all = (sql: string) =>
    database
      .prepare(sql)
      .all()
      .map((row) => Object.values(row));
  return {
    pages: all("SELECT urlkey FROM pages ORDER BY urlkey"),
    docs: all("SELECT url, blob, first, last, length FROM docs ORDER BY url"),
    texts: all("SELECT count(*) FROM forward UNION ALL SELECT count(*) FROM bodies"),
    sightings: all("SELECT timestamp, blob, text FROM sightings ORDER BY timestamp, blob"),
    waiting: all("SELECT urlkey, timestamp, blob FROM waiting"),
    terms: all("SELECT term, df FROM terms ORDER BY term"),
    stats: all("SELECT docs, total_len FROM blob_stats ORDER BY blob"),
    words: all("SELECT count(*) FROM words WHERE words MATCH 'zeppelin'"),
  };
}

test("of a withdrawn blob nothing is found, counted or kept: the index is as if it had never come", async () => {
  await using dir = await tempDir("removal");
  await using archive = await openFullTextArchive({ dir: dir.path });
  await archive.add([OTHER]);
  const before = rows(archive.file);
  expect((await found(archive, "zeppelin")).total).toBe(0);
  await archive.add([GONE, page("gone", html("Zeppelin", "another text of the page"))]);
  expect((await archive.ask("harbour")).facets.host).toEqual([{ value: "www.example.org", count: 2 }]);
  await archive.withdraw(2);
  expect(await found(archive, "zeppelin")).toEqual({ total: 0, pages: [] });
  expect(await found(archive, "zeppel*")).toEqual({ total: 0, pages: [] });
  const harbour = await archive.ask("harbour");
  expect([harbour.total, harbour.facets.host]).toEqual([1, [{ value: "www.example.org", count: 1 }]]);
  expect(rows(archive.file)).toEqual(before);
});

test("a page that another blob holds too stays found, by the captures that are left", async () => {
  await using dir = await tempDir("removal");
  await using archive = await openFullTextArchive({ dir: dir.path });
  await archive.add([GONE, { ...GONE, timestamp: "20190101000000" }, OTHER]);
  await archive.add([{ ...GONE, timestamp: "20210101000000" }]);
  expect(await found(archive, "zeppelin")).toEqual({ total: 1, pages: [["/gone", 3, "20190101000000"]] });
  await archive.withdraw(1);
  expect(await found(archive, "zeppelin")).toEqual({ total: 1, pages: [["/gone", 1, "20210101000000"]] });
  expect((await archive.ask("zeppelin", { to: "2020" })).total).toBe(0);
  expect((await found(archive, "harbour")).pages).toEqual([["/gone", 1, "20210101000000"]]);
  expect(rows(archive.file)).toMatchObject({
    docs: [["https://www.example.org/gone", 2, 20210101000000, 20210101000000, expect.any(Number)]],
    sightings: [[20210101000000, 2, 1]],
    stats: [[1, expect.any(Number)]],
  });
  await archive.withdraw(2);
  expect(await found(archive, "zeppelin")).toEqual({ total: 0, pages: [] });
});

test("a revisit loses the text that only a withdrawn blob had, and has it again when it comes again", async () => {
  await using dir = await tempDir("removal");
  await using archive = await openFullTextArchive({ dir: dir.path });
  await archive.add([GONE]);
  await archive.add([{ ...GONE, timestamp: "20220101000000", revisit: true }]);
  expect(await found(archive, "zeppelin")).toEqual({ total: 1, pages: [["/gone", 2, "20200101000000"]] });
  await archive.withdraw(1);
  expect(await found(archive, "zeppelin")).toEqual({ total: 0, pages: [] });
  await archive.add([{ ...GONE, timestamp: "20230101000000" }]);
  expect(await found(archive, "zeppelin")).toEqual({ total: 1, pages: [["/gone", 2, "20220101000000"]] });
  // A revisit that is withdrawn leaves the text to those that have it.
  await archive.withdraw(2);
  expect(await found(archive, "zeppelin")).toEqual({ total: 1, pages: [["/gone", 1, "20230101000000"]] });
});

test("what was withdrawn while no indexer ran is out before anybody can ask", async () => {
  await using dir = await tempDir("removal");
  {
    await using archive = await openFullTextArchive({ dir: dir.path });
    await archive.add([GONE]);
    await archive.add([OTHER]);
  }
  await listBlob(`${dir.path}/captures.jsonl`, { sequence: 3, blob: 1 });
  await using archive = await openFullTextArchive({ dir: dir.path });
  expect(await found(archive, "zeppelin")).toEqual({ total: 0, pages: [] });
  expect((await found(archive, "harbour")).total).toBe(1);
});
