import { join } from "node:path";
import { expect, test } from "vitest";
import { tempDir } from "../../../test/testkit/temp-dir.ts";
import { type Migration, openForReading, openForWriting } from "./database.ts";

const FIRST: Migration = "CREATE TABLE a (x INTEGER NOT NULL); INSERT INTO a VALUES (1)";
const SECOND: Migration = "ALTER TABLE a ADD COLUMN y TEXT NOT NULL DEFAULT 'new'";

test("a file of an earlier schema is brought up to date, each step once, its rows kept", async () => {
  await using dir = await tempDir("schema");
  const file = join(dir.path, "x.db");
  openForWriting(file, [FIRST]).close();
  for (let start = 0; start < 2; start += 1) openForWriting(file, [FIRST, SECOND]).close();
  const database = openForReading(file);
  expect(database.prepare("SELECT x, y FROM a").all()).toEqual([{ x: 1, y: "new" }]);
  database.close();
});

test("a step that fails changes nothing, and the version before goes on with the file", async () => {
  await using dir = await tempDir("schema");
  const file = join(dir.path, "x.db");
  openForWriting(file, [FIRST]).close();
  expect(() => openForWriting(file, [FIRST, `${SECOND}; INSERT INTO nowhere VALUES (1)`])).toThrow("nowhere");
  const database = openForWriting(file, [FIRST]);
  expect(database.prepare("SELECT * FROM a").all()).toEqual([{ x: 1 }]);
  database.close();
});

test("a file of a later schema is refused with what to do, and not touched", async () => {
  await using dir = await tempDir("schema");
  const file = join(dir.path, "x.db");
  openForWriting(file, [FIRST, SECOND]).close();
  expect(() => openForWriting(file, [FIRST])).toThrow(
    /later version of archive-node \(schema 2, .* up to 1\).*rebuild/,
  );
  const database = openForWriting(file, [FIRST, SECOND]);
  expect(database.prepare("SELECT y FROM a").get()).toEqual({ y: "new" });
  database.close();
});
