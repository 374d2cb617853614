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

/** More than a million different words: far more work than the hard deadline leaves. The query parser refuses such questions. */
const ENDLESS = question(Array.from({ length: 1_500_000 }, (_, n) => `w${n.toString(36)}`).join(" "));
/** The hard deadline is for {@link ENDLESS} alone: a busy machine may take a second for any other question. */
const OPTIONS = { readers: 1, softMs: 100, hardMs: 3_000, queue: 2 };

test("a question past the hard deadline ends its thread, and another answers the next", async () => {
  await using dir = await tempDir("readers");
  const file = `${dir.path}/fulltext.db`;
  openWriter(file).close();
  const index = openFullTextIndex({ ...OPTIONS, file });
  expect((await index.match(question("lake"), SIGNAL)).total).toBe(0);
  await expect(index.match(ENDLESS, SIGNAL)).rejects.toMatchObject({
    code: "QUERY_TIMEOUT",
    details: { afterMs: OPTIONS.hardMs },
  });
  expect((await index.match(question("lake"), SIGNAL)).total).toBe(0);
  await index.close();
  await expect(index.match(question("lake"), SIGNAL)).rejects.toMatchObject({ code: "CLOSED" });
});

test("refuses what the queue does not hold; an abandoned question is not asked", async () => {
  await using dir = await tempDir("readers");
  const file = `${dir.path}/fulltext.db`;
  openWriter(file).close();
  let threads = 0;
  const count = () => {
    threads += 1;
  };
  process.on("worker", count);
  const index = openFullTextIndex({ ...OPTIONS, file });
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
  expect((await waiting).total).toBe(0);
  // Asked, it would have ended its thread first.
  expect(threads).toBe(1);
  process.off("worker", count);
  await index.close();
});

test("pauses between failing threads double up to a minute", () => {
  expect([1, 2, 3, 6, 7, 1_000].map(restartPause)).toEqual([1_000, 2_000, 4_000, 32_000, 60_000, 60_000]);
});
