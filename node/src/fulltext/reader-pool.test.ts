import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { tempDir } from "../../../test/testkit/temp-dir.ts";
import { restartPause } from "./indexer.ts";
import type { Question } from "./question.ts";
import { openFullTextIndex } from "./reader-pool.ts";
import { openWriter } from "./schema.ts";

const SIGNAL = AbortSignal.timeout(60_000);

function question(text: string): Question {
  return {
    groups: [[{ kind: "words", field: "any", text, exact: false }]],
    ...{ excluded: [], filters: [], excludedFilters: [], from: undefined, to: undefined },
    scopes: [{ name: "web", cutoff: undefined, exclude: [] }],
  };
}

/** Different words by the hundred thousand: far more work than the hard deadline leaves. The query parser refuses such questions. */
const ENDLESS = question(Array.from({ length: 400_000 }, (_, n) => `w${n.toString(36)}`).join(" "));
const OPTIONS = { readers: 1, softMs: 100, hardMs: 300, queue: 2 };

test("a question past the hard deadline ends its thread, and another answers the next", async () => {
  await using dir = await tempDir("readers");
  const file = `${dir.path}/fulltext.db`;
  openWriter(file).close();
  const index = openFullTextIndex({ ...OPTIONS, file });
  expect((await index.match(question("lake"), SIGNAL)).total).toBe(0);
  await expect(index.match(ENDLESS, SIGNAL)).rejects.toMatchObject({
    code: "QUERY_TIMEOUT",
    details: { afterMs: 300 },
  });
  expect((await index.match(question("lake"), SIGNAL)).total).toBe(0);
  await index.close();
  await expect(index.match(question("lake"), SIGNAL)).rejects.toMatchObject({ code: "CLOSED" });
});

test("refuses what the queue does not hold; an abandoned question is not asked", async () => {
  await using dir = await tempDir("readers");
  const file = `${dir.path}/fulltext.db`;
  openWriter(file).close();
  const index = openFullTextIndex({ ...OPTIONS, file, hardMs: 5_000 });
  const gone = new AbortController();
  // The thread is still starting: these wait.
  const abandoned = index.match(ENDLESS, gone.signal);
  const waiting = index.match(question("lake"), SIGNAL);
  await expect(index.match(question("lake"), SIGNAL)).rejects.toMatchObject({
    code: "OVERLOADED",
    details: { waiting: 2 },
  });
  gone.abort(new Error("the asker left"));
  await expect(abandoned).rejects.toThrow("the asker left");
  expect((await Promise.race([waiting, delay(4_000, undefined, { ref: false })]))?.total).toBe(0);
  await index.close();
});

test("pauses between failing threads double up to a minute", () => {
  expect([1, 2, 3, 6, 7, 1_000].map(restartPause)).toEqual([1_000, 2_000, 4_000, 32_000, 60_000, 60_000]);
});
