import { expect, test } from "vitest";
import { tempDir } from "../../../test/testkit/temp-dir.ts";
import { DocColumns } from "./doc-columns.ts";
import { makeDocument } from "./document.ts";
import { countFacets } from "./facets.ts";
import { IndexWriter } from "./index-writer.ts";
import { openWriter } from "./schema.ts";
import type { SourceCapture } from "./source.ts";

const BLOB = { sequence: 1, hash: "", collection: "web" };

function entry(url: string, digest: string, timestamp: string, mime = "text/html") {
  const capture: SourceCapture = {
    ...{ url, urlkey: url, digest, timestamp, mime, revisit: false },
    payload: () => Promise.reject(new Error("not read")),
  };
  const text = { title: "", headings: "", body: "", declaredLanguage: undefined };
  return { urlkey: url, timestamp, digest, bringsText: true, document: makeDocument(capture, "web", text) };
}

test("counts a page once, by its newest text, its host, its type and the year that may be seen", async () => {
  await using dir = await tempDir("facets");
  const database = openWriter(`${dir.path}/fulltext.db`);
  new IndexWriter(database).commit(
    BLOB,
    [
      entry("https://a.example/1", "old", "20100101000000"),
      entry("https://a.example/1", "new", "20150101000000"),
      entry("https://a.example/2.pdf", "x", "20150101000000", "application/pdf"),
      entry("https://b.example/3", "y", "20160101000000"),
    ],
    { sequence: 1, ordinal: 0 },
  );
  const columns = new DocColumns();
  columns.refresh(database);
  database.close();
  const docs = [4, 3, 2, 1];
  const newest = docs.map((doc) => columns.last[doc] ?? 0);
  const { total, facets } = countFacets(docs, newest, columns);
  expect(total).toBe(3);
  expect(facets.host).toEqual([
    { value: "a.example", count: 2 },
    { value: "b.example", count: 1 },
  ]);
  expect(facets.type).toEqual([
    { value: "text/html", count: 2 },
    { value: "application/pdf", count: 1 },
  ]);
  expect(facets.year).toEqual([
    { value: "2015", count: 2 },
    { value: "2016", count: 1 },
  ]);
  expect(facets.language).toEqual([]);
  const embargoed = countFacets([1], [20_090_101_000_000], columns);
  expect(embargoed.facets.year).toEqual([{ value: "2009", count: 1 }]);
});
