/** More matches than are scored: the pages that are most about a word are among those that are, however old they are. */
import { expect, test } from "vitest";
import { tempDir } from "../../../test/testkit/temp-dir.ts";
import { makeDocument } from "./document.ts";
import { IndexWriter } from "./index-writer.ts";
import { Matcher } from "./matcher.ts";
import type { Question } from "./question.ts";
import { openReader, openWriter } from "./schema.ts";
import type { SourceCapture } from "./source.ts";

const BLOB = { sequence: 1, hash: "", collection: "web" };
/** More than are scored. */
const PAGES = 1_600;
const NO_DEADLINE_MS = Number.MAX_SAFE_INTEGER;

function entry(number: number, title: string, body: string) {
  const url = `https://example.org/${number}`;
  const capture: SourceCapture = {
    ...{ url, urlkey: url, digest: url, timestamp: "20240101000000", mime: "text/plain", revisit: false },
    payload: () => Promise.reject(new Error("not read")),
  };
  const text = { title, headings: "", body, declaredLanguage: "xx" };
  const document = makeDocument(capture, "web", text);
  return { urlkey: url, timestamp: capture.timestamp, digest: url, bringsText: true, document };
}

const words = (...texts: string[]): Question["groups"] =>
  texts.map((text) => [{ kind: "words", field: "any", text, exact: false }]);

const question = (asked: Partial<Question>): Question => ({
  ...{ groups: [], excluded: [], filters: [], excludedFilters: [], from: undefined, to: undefined },
  scopes: [{ name: "web", cutoff: undefined, exclude: [] }],
  ...asked,
});

async function withPages<T>(ask: (matcher: Matcher) => T): Promise<T> {
  await using dir = await tempDir("matcher");
  const file = `${dir.path}/fulltext.db`;
  const weak = `zebra stripe ${"filler ".repeat(300)}`;
  const pages = Array.from({ length: PAGES }, (_none, at) => entry(at + 2, `page ${at}`, weak));
  const writer = openWriter(file);
  new IndexWriter(writer).commit(
    BLOB,
    [entry(0, "zebra zebra", "zebra ".repeat(50)), entry(1, "zebra stripe", "zebra stripe ".repeat(20)), ...pages],
    { sequence: 1, ordinal: 0 },
  );
  const reader = openReader(file);
  try {
    return ask(new Matcher(reader, () => 0));
  } finally {
    reader.close();
    writer.close();
  }
}

test("the strongest pages lead, though they are the oldest of more matches than are scored", async () => {
  await withPages((matcher) => {
    const one = matcher.match(question({ groups: words("zebra") }), NO_DEADLINE_MS);
    expect([one.total, one.totalIsLowerBound, one.exact]).toEqual([PAGES + 2, false, false]);
    expect(one.ranked.slice(0, 2).map(({ doc }) => doc)).toEqual([1, 2]);
    const two = matcher.match(question({ groups: words("zebra", "stripe") }), NO_DEADLINE_MS);
    expect([two.total, two.ranked[0]?.doc]).toEqual([PAGES + 1, 2]);
    const filtered = question({ groups: words("zebra"), filters: [{ field: "host", value: "example.org" }] });
    expect(matcher.match(filtered, NO_DEADLINE_MS).ranked[0]?.doc).toBe(1);
    const without = question({ groups: words("zebra"), excluded: words("stripe").flat() });
    expect(matcher.match(without, NO_DEADLINE_MS).ranked.map(({ doc }) => doc)).toEqual([1]);
  });
});

test("facets count every match, also those that are not scored", async () => {
  await withPages((matcher) => {
    const { facets } = matcher.match(question({ groups: words("zebra") }), NO_DEADLINE_MS);
    expect(facets.host).toEqual([{ value: "example.org", count: PAGES + 2 }]);
    expect(facets.year).toEqual([{ value: "2024", count: PAGES + 2 }]);
  });
});
