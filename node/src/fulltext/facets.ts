/** Distinct pages and the facets of a list of matches. Pure over the columns. */
import type { Dictionary, DocColumns } from "./doc-columns.ts";
import type { FacetCount, MatchAnswer } from "./question.ts";

const MAX_VALUES = 10;
/** A year is the leading four of fourteen digits. */
const YEAR_UNIT = 10_000_000_000;

function add(counts: Map<number, number>, key: number): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function top(counts: ReadonlyMap<number, number>, name: (key: number) => string): FacetCount[] {
  return [...counts]
    .map(([key, count]) => ({ value: name(key), count }))
    .filter(({ value }) => value !== "")
    .toSorted((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
    .slice(0, MAX_VALUES);
}

/**
 * Counts each page once, by its newest matching document (matches come newest first).
 *
 * @param newest - the document's newest capture that may be seen, 14 digits as a number
 */
export function countFacets(
  docs: readonly number[],
  columns: DocColumns,
  newest: (doc: number) => number,
): { total: number; facets: MatchAnswer["facets"] } {
  const seen = new Uint8Array(columns.maxPage + 1);
  const counts = {
    host: new Map<number, number>(),
    type: new Map<number, number>(),
    language: new Map<number, number>(),
    year: new Map<number, number>(),
  };
  let total = 0;
  for (const doc of docs) {
    const page = columns.page[doc] ?? 0;
    if (seen[page] === 1) continue;
    seen[page] = 1;
    total += 1;
    add(counts.host, columns.host[doc] ?? 0);
    add(counts.type, columns.mime[doc] ?? 0);
    add(counts.language, columns.language[doc] ?? 0);
    add(counts.year, Math.floor(newest(doc) / YEAR_UNIT));
  }
  const named = (dictionary: Dictionary) => (id: number) => dictionary.value(id);
  return {
    total,
    facets: {
      host: top(counts.host, named(columns.hosts)),
      type: top(counts.type, named(columns.mimes)),
      language: top(counts.language, named(columns.languages)),
      year: top(counts.year, String),
    },
  };
}
