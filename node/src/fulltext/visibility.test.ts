import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import type { DocColumns } from "./doc-columns.ts";
import type { Question } from "./question.ts";
import { Visibility } from "./visibility.ts";

const LOOK_UPS = 10_000;
const [OLD, ASKED, NEW] = [20200101000000, 20220101000000, 20240101000000];

test("beyond 10,000 look-ups a document counts as hidden and as undecided, never as seen", () => {
  const docs = LOOK_UPS + 50;
  const database = new DatabaseSync(":memory:");
  database.exec("CREATE TABLE pages (id INTEGER PRIMARY KEY, collection TEXT, urlkey TEXT)");
  database.exec(
    "CREATE TABLE sightings (page INTEGER, timestamp INTEGER, doc INTEGER, PRIMARY KEY (page, timestamp, doc))",
  );
  const add = database.prepare("INSERT INTO sightings VALUES (?, ?, ?)");
  database.exec("BEGIN");
  // Each was seen before and after the asked time: only a look-up tells which capture is the newest until then.
  for (let doc = 1; doc <= docs; doc += 1) for (const time of [OLD, NEW]) add.run(doc, time, doc);
  database.exec("COMMIT");
  const filled = (value: number | undefined) => Float64Array.from({ length: docs + 1 }, (_none, doc) => value ?? doc);
  const columns = { maxPage: docs, page: filled(undefined), first: filled(OLD), last: filled(NEW) };
  const question: Question = {
    ...{ groups: [], excluded: [], filters: [], excludedFilters: [], from: undefined, to: ASKED },
    scopes: [{ name: "web", cutoff: undefined, exclude: [] }],
  };
  const visibility = new Visibility(database, columns as unknown as DocColumns, question);
  const seen = Array.from({ length: docs }, (_none, index) => visibility.newest(index + 1));
  expect(seen.slice(0, LOOK_UPS).every((time) => time === OLD)).toBe(true);
  expect(seen.slice(LOOK_UPS)).toEqual(Array.from({ length: 50 }, () => 0));
  expect(visibility.undecided).toBe(50);
  // What was looked up once is known, and costs nothing again.
  expect(visibility.newest(1)).toBe(OLD);
  database.close();
});
