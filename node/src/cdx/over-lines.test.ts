import { appendFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { tempDir } from "../../../test/testkit/temp-dir.ts";
import { Journal } from "./journal.ts";
import { overLines } from "./over-lines.ts";

const [ONE, TWO] = ["1".repeat(64), "2".repeat(64)];
const TIME = "2026-01-02T03:04:05Z";
const entry = (hash: string, collection = "web") => ({
  collection,
  hash,
  filename: undefined,
  size: 1,
  receivedAt: TIME,
});
const withdrawal = (hash: string, collection = "web") => ({ collection, hash, withdrawnAt: TIME });

test("of a file's lines those before its withdrawal are over, those behind it are not; each collection is its own", async () => {
  await using dir = await tempDir("journal");
  const path = `${dir.path}/journal.ndjson`;
  const journal = new Journal(path);
  for (const line of [entry(ONE), entry(TWO), withdrawal(ONE), entry(ONE), entry(TWO, "other"), withdrawal(TWO)]) {
    journal.append(line);
  }
  journal.close();
  await appendFile(path, `${JSON.stringify({ collection: "web", hash: "../x", withdrawnAt: TIME })}\n`);
  const again = new Journal(path);
  const over = overLines(again.linesFrom(0));
  const lines = [...again.linesFrom(0)];
  expect(lines.map((line) => over.has(line))).toEqual([true, true, false, false, false, false, false]);
  expect(lines[2]).toMatchObject({ entry: undefined, withdrawal: withdrawal(ONE) });
  expect(lines[6]).toMatchObject({ entry: undefined, withdrawal: undefined });
  again.close();
});
