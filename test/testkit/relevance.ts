/** Known-answer questions out of the books' own indexes, the reciprocal rank of an order, and plain FTS5 as its rival. */
import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import type { Corpus, KnownAnswer } from "./documentation-corpus.ts";

/** An entry with more answers is not one question. */
const MAX_ANSWERS = 3;
const RANKS = 10;

/** The same questions on every machine: entries in the order of a hash of their text, as many of each book. */
export function chooseQuestions(corpus: Corpus, count: number): KnownAnswer[] {
  const order = ({ query }: KnownAnswer): string => createHash("sha256").update(query).digest("hex");
  return corpus.answers.flatMap((answers) =>
    answers
      // Entries such as "method" under a heading, or a lone sign, are no question by themselves.
      .filter(({ query, urls }) => urls.length <= MAX_ANSWERS && /[\p{L}\p{N}]{4}/u.test(query))
      .toSorted((a, b) => order(a).localeCompare(order(b)))
      .slice(0, count / corpus.answers.length),
  );
}

/** 1 / rank of the first right page among the first ten, else 0. */
export function reciprocalRank(urls: readonly string[], right: readonly string[]): number {
  const rank = urls.slice(0, RANKS).findIndex((url) => right.includes(url));
  return rank < 0 ? 0 : 1 / (rank + 1);
}

export interface PlainEngine extends Disposable {
  readonly search: (query: string) => string[];
}

export interface PlainPage {
  readonly url: string;
  readonly title: string;
  readonly body: string;
}

/** SQLite's own engine as its manual shows it: porter stemming, title and body, any word, `ORDER BY bm25()`. */
export function plainBm25(pages: readonly PlainPage[]): PlainEngine {
  const database = new DatabaseSync(":memory:");
  database.exec("CREATE VIRTUAL TABLE pages USING fts5(url UNINDEXED, title, body, tokenize='porter unicode61')");
  const insert = database.prepare("INSERT INTO pages VALUES (?, ?, ?)");
  for (const { url, title, body } of pages) insert.run(url, title, body);
  const select = database.prepare(`SELECT url FROM pages WHERE pages MATCH ? ORDER BY bm25(pages) LIMIT ${RANKS}`);
  return {
    search: (query) => {
      const words = query.match(/[\p{L}\p{N}]+/gu) ?? [];
      return select.all(words.map((word) => `"${word}"`).join(" OR ")).map((row) => String(row["url"]));
    },
    [Symbol.dispose]: () => database.close(),
  };
}
