/**
 * Ranking, guarded by known answers: 100 questions from the indexes of two real books over their 1,600 pages. Ours must
 * beat SQLite's plain `bm25()` over the same extracted text, and stay above a floor.
 */
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { DEFAULT_CAPS, extractText } from "../../node/src/fulltext/text-extractor.ts";
import { openCorpus } from "../testkit/documentation-corpus.ts";
import { openFullTextArchive } from "../testkit/full-text-archive.ts";
import { chooseQuestions, plainBm25, reciprocalRank } from "../testkit/relevance.ts";
import { tempDir } from "../testkit/temp-dir.ts";

const QUESTIONS = 100;
const PAGES_AT_LEAST = 1_500;
/** Mean reciprocal rank; 0.80 was seen, less a margin for newer editions of the books. */
const FLOOR = 0.6;
const PAGES_PER_BLOB = 200;
/** Half a minute on a calm machine. */
const INDEX_MS = 600_000;
const TEST_MS = 900_000;

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

test("finds what the books' own indexes say, better than plain bm25()", { timeout: TEST_MS }, async () => {
  const corpus = await openCorpus();
  const questions = chooseQuestions(corpus, QUESTIONS);
  expect(corpus.pages.length).toBeGreaterThanOrEqual(PAGES_AT_LEAST);
  expect(questions).toHaveLength(QUESTIONS);

  await using dir = await tempDir("relevance");
  await using archive = await openFullTextArchive({ dir: dir.path, indexDeadlineMs: INDEX_MS });
  let last = 0;
  for (let at = 0; at < corpus.pages.length; at += PAGES_PER_BLOB) {
    const pages = corpus.pages.slice(at, at + PAGES_PER_BLOB);
    last = await archive.append(
      pages.map(({ url, file }) => ({ url, file, digest: url, timestamp: "20240101000000" })),
    );
  }
  await archive.indexed(last);

  const texts = await Promise.all(
    corpus.pages.map(async ({ url, file }) => {
      const input = { url, mime: "text/html", contentType: undefined, body: await readFile(file) };
      const { title, body } = extractText(input, { ...DEFAULT_CAPS, timeMs: 60_000 }, () => performance.now());
      return { url, title, body };
    }),
  );
  using plain = plainBm25(texts);
  const ours: number[] = [];
  const theirs: number[] = [];
  for (const { query, urls } of questions) {
    const found = await archive.ask(query, { limit: 10 });
    ours.push(
      reciprocalRank(
        found.hits.map((hit) => hit.url),
        urls,
      ),
    );
    theirs.push(reciprocalRank(plain.search(query), urls));
  }
  console.log(
    `MRR@10 of ${QUESTIONS} questions: ours ${mean(ours).toFixed(3)}, plain bm25() ${mean(theirs).toFixed(3)}`,
  );
  if (process.env["RELEVANCE_MISSES"] !== undefined) {
    questions.forEach(({ query, urls }, at) => {
      if ((ours[at] ?? 0) < 0.5) console.log(ours[at]?.toFixed(2), theirs[at]?.toFixed(2), query, urls);
    });
  }
  expect(mean(ours)).toBeGreaterThanOrEqual(mean(theirs));
  expect(mean(ours)).toBeGreaterThanOrEqual(FLOOR);
});
