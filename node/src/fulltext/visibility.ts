/**
 * Which documents a question may see: excluded SURT prefixes, embargo, capture time. Excluded pages are looked up by
 * range of their key, once per question, so that hidden pages are not even counted.
 */
import type { DatabaseSync } from "node:sqlite";
import type { DocColumns } from "./doc-columns.ts";
import type { CollectionScope, Question } from "./question.ts";

export type Visibility = (doc: number) => boolean;

const BY_PREFIX = "SELECT id FROM pages WHERE collection = ? AND urlkey >= ? AND urlkey < ?";
const BY_COLLECTION = "SELECT id FROM pages WHERE collection = ?";

function markExcluded(database: DatabaseSync, scopes: readonly CollectionScope[], hidden: Uint8Array): void {
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

/** The test for one question. */
export function createVisibility(database: DatabaseSync, columns: DocColumns, question: Question): Visibility {
  const hidden = new Uint8Array(columns.maxPage + 1);
  markExcluded(database, question.scopes, hidden);
  const embargo = embargoes(database, question);
  const cutoffOf = (page: number): number | undefined => (typeof embargo === "object" ? embargo.get(page) : embargo);
  const { from, to } = question;
  return (doc) => {
    const page = columns.page[doc] ?? 0;
    const first = columns.first[doc] ?? 0;
    const cutoff = cutoffOf(page);
    return (
      page !== 0 &&
      hidden[page] === 0 &&
      (cutoff === undefined || first <= cutoff) &&
      (from === undefined || (columns.last[doc] ?? 0) >= from) &&
      (to === undefined || first <= to)
    );
  };
}
