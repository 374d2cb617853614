/**
 * Which captures a question may see: excluded SURT prefixes, embargo, capture time. Excluded pages are looked up by
 * range of their key, once per question, so that hidden pages are not even counted.
 */
import type { DatabaseSync } from "node:sqlite";
import type { DocColumns } from "./doc-columns.ts";
import type { CollectionScope, Question } from "./question.ts";

/** Captures looked up one by one for a question, where first and last capture do not decide; about 5 µs each. */
const MAX_LOOK_UPS = 10_000;
const NEWEST_BETWEEN =
  "SELECT max(timestamp) AS newest FROM sightings WHERE page = ? AND timestamp BETWEEN ? AND ? AND doc = ?";
const BY_PREFIX = "SELECT id FROM pages WHERE collection = ? AND urlkey >= ? AND urlkey < ?";
const BY_COLLECTION = "SELECT id FROM pages WHERE collection = ?";

/** Marks the pages that are never shown. @param hidden - by page */
export function markExcluded(database: DatabaseSync, scopes: readonly CollectionScope[], hidden: Uint8Array): void {
  const byPrefix = database.prepare(BY_PREFIX);
  for (const { name, exclude } of scopes) {
    for (const prefix of exclude) {
      for (const row of byPrefix.iterate(name, prefix, `${prefix}\u{10ffff}`)) hidden[Number(row["id"])] = 1;
    }
  }
}

/** Embargo per page; only pages of collections that have one. */
function embargoes(database: DatabaseSync, question: Question): Map<number, number> | number | undefined {
  const cutoffs = new Set(question.scopes.map(({ cutoff }) => cutoff));
  // The usual case: every collection asked has the same rule.
  if (cutoffs.size === 1) return question.scopes[0]?.cutoff;
  const byPage = new Map<number, number>();
  for (const { name, cutoff } of question.scopes) {
    if (cutoff === undefined) continue;
    for (const row of database.prepare(BY_COLLECTION).iterate(name)) byPage.set(Number(row["id"]), cutoff);
  }
  return byPage;
}

/** The test for one question; remembers what it looked up. */
export class Visibility {
  readonly #columns: DocColumns;
  readonly #hidden: Uint8Array;
  readonly #cutoffOf: (page: number) => number;
  readonly #from: number;
  readonly #newestBetween: (page: number, doc: number, from: number, to: number) => number;
  readonly #lookedUp = new Map<number, number>();
  /** Documents that more look-ups than allowed would have been needed for; they were taken as not visible. */
  undecided = 0;

  constructor(database: DatabaseSync, columns: DocColumns, question: Question) {
    this.#columns = columns;
    this.#hidden = new Uint8Array(columns.maxPage + 1);
    markExcluded(database, question.scopes, this.#hidden);
    const embargo = embargoes(database, question);
    const to = question.to ?? Number.POSITIVE_INFINITY;
    this.#from = question.from ?? 0;
    this.#cutoffOf = (page) =>
      Math.min(to, (typeof embargo === "object" ? embargo.get(page) : embargo) ?? Number.POSITIVE_INFINITY);
    const newest = database.prepare(NEWEST_BETWEEN);
    this.#newestBetween = (page, doc, from, until) => Number(newest.get(page, from, until, doc)?.["newest"] ?? 0);
  }

  /** Newest capture of a document that the question may see, 14 digits as a number; 0 = none. */
  newest(doc: number): number {
    const page = this.#columns.page[doc] ?? 0;
    if (page === 0 || this.#hidden[page] === 1) return 0;
    const first = this.#columns.first[doc] ?? 0;
    const last = this.#columns.last[doc] ?? 0;
    const to = this.#cutoffOf(page);
    if (first > to || last < this.#from) return 0;
    // Most documents have one capture, or none after the bound.
    if (last <= to) return last;
    return this.#lookUp(page, doc, to);
  }

  #lookUp(page: number, doc: number, to: number): number {
    const known = this.#lookedUp.get(doc);
    if (known !== undefined) return known;
    if (this.#lookedUp.size >= MAX_LOOK_UPS) {
      this.undecided += 1;
      return 0;
    }
    const newest = this.#newestBetween(page, doc, this.#from, to);
    this.#lookedUp.set(doc, newest);
    return newest;
  }
}
