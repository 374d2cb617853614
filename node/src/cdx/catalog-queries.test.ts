/** Reading a range in batches gives what sorting and filtering all captures gives, in both directions, however small they are. */
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ScanPosition } from "./catalog-calls.ts";
import { catalogQueries } from "./catalog-queries.ts";
import { MIGRATIONS } from "./catalog-schema.ts";
import type { CaptureRange } from "./stored-capture.ts";

interface Row {
  readonly id: number;
  readonly urlkey: string;
  readonly timestamp: number;
}

const FIRST_TIME = 20_240_101_000_000;
const KEYS = ["org,a)/", "org,a)/1", "org,a)/2", "org,b)/", "org,b,sub)/"];
const time = fc.integer({ min: FIRST_TIME, max: FIRST_TIME + 5 });
const captures = fc.array(fc.record({ urlkey: fc.constantFrom(...KEYS), timestamp: time }), {
  maxLength: 40,
  size: "max",
});
const bound = fc.option(time.map(String), { nil: undefined });
const range: fc.Arbitrary<CaptureRange> = fc.record({
  keyFrom: fc.constantFrom(...KEYS),
  keyTo: fc.constantFrom(undefined, "org,a*", "org,b)/1", "org-"),
  timeFrom: bound,
  timeTo: bound,
  descending: fc.boolean(),
});

function catalogOf(rows: readonly Row[]): DatabaseSync {
  const database = new DatabaseSync(":memory:");
  for (const step of MIGRATIONS) database.exec(step);
  database.exec(`INSERT INTO collections VALUES (1, 'web'), (2, 'other');
    INSERT INTO blobs VALUES (1, 1, 'hash', NULL, 1, 'warc', 'gzip', 1, 1, '[]', NULL, '2026-01-01T00:00:00Z', 1, 100, 0, 0, NULL, NULL)`);
  const insert = database.prepare(
    `INSERT INTO captures (id, blob, collection, urlkey, timestamp, url, mime, digest, offset, length, skip, type)
     VALUES (?, 1, ?, ?, ?, '', 'text/html', '-', ?, 1, 0, 'response')`,
  );
  for (const { id, urlkey, timestamp } of rows) insert.run(id, 1, urlkey, timestamp, id);
  // Of another collection: never part of an answer.
  for (const urlkey of KEYS) insert.run(null, 2, urlkey, FIRST_TIME, 0);
  return database;
}

function wanted(rows: readonly Row[], { keyFrom, keyTo, timeFrom, timeTo, descending }: CaptureRange): number[] {
  const order = (a: Row, b: Row): number =>
    a.urlkey < b.urlkey ? -1 : a.urlkey > b.urlkey ? 1 : a.timestamp - b.timestamp || a.id - b.id;
  const found = rows
    .filter(({ urlkey }) => (keyTo === undefined ? urlkey === keyFrom : urlkey >= keyFrom && urlkey < keyTo))
    .filter(({ timestamp }) => timestamp >= Number(timeFrom ?? 0) && timestamp <= Number(timeTo ?? Infinity))
    .toSorted(order)
    .map(({ id }) => id);
  return descending ? found.reverse() : found;
}

test("batches of a range join to the range", () => {
  const limits = fc.record({ limit: fc.integer({ min: 1, max: 7 }), passed: fc.integer({ min: 1, max: 9 }) });
  fc.assert(
    fc.property(captures, range, limits, (made, asked, { limit, passed }) => {
      const rows = made.map((row, at) => ({ ...row, id: at + 1 }));
      using database = catalogOf(rows);
      const queries = catalogQueries(database, passed);
      const found: number[] = [];
      let after: ScanPosition | undefined;
      do {
        const batch = queries.scan({ collection: "web", range: asked, after, limit });
        expect(batch.captures.length).toBeLessThanOrEqual(limit);
        // The offset is the row's id here.
        found.push(...batch.captures.map(({ place }) => place.offset));
        after = batch.next;
      } while (after !== undefined);
      expect(found).toEqual(wanted(rows, asked));
    }),
    { numRuns: 150 },
  );
});

test.each([
  ["a range of keys", { keyTo: "org,z", descending: false }],
  ["a range of keys, last first", { keyTo: "org,z", descending: true }],
  ["one key", { keyTo: undefined, descending: false }],
  ["one key, last first", { keyTo: undefined, descending: true }],
])("going on in %s begins at its place, not at the beginning of the range", (_name, part) => {
  using database = catalogOf([]);
  const asked: string[] = [];
  const prepare = database.prepare.bind(database);
  database.prepare = (sql: string) => {
    asked.push(sql);
    return prepare(sql);
  };
  const after = { urlkey: "org,a)/", timestamp: FIRST_TIME, id: 1 };
  const read: CaptureRange = { keyFrom: "org,a)/", timeFrom: undefined, timeTo: undefined, ...part };
  catalogQueries(database).scan({ collection: "web", range: read, after, limit: 10 });
  const plan = prepare(`EXPLAIN QUERY PLAN ${asked.at(-1)}`).all() as { detail: string }[];
  const used = part.keyTo === undefined ? /urlkey=\? AND timestamp[<>]\?/ : /\(urlkey,timestamp\)[<>]\(\?,\?\)/;
  expect(plan[0]?.detail).toMatch(used);
});
