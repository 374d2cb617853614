/** Distinct pages and the facets of a list of matches. Pure over the columns. */
import type { Dictionary, DocColumns } from "./doc-columns.ts";
import type { FacetCount, MatchAnswer } from "./question.ts";

/** Values of a facet that a person is shown. */
export const SHOWN_VALUES = 10;
/** A year is the leading four of fourteen digits. */
const YEAR_UNIT = 10_000_000_000;
const YEARS = 10_000;

/** How often each number was met; numbers are small, so that counting 50,000 matches is adding in an array. */
class Counts {
  readonly #counts: Uint32Array;

  constructor(size: number) {
    this.#counts = new Uint32Array(size);
  }

  add(key: number): void {
    this.#counts[key] = (this.#counts[key] ?? 0) + 1;
  }

  top(name: (key: number) => string, values: number): FacetCount[] {
    const found: FacetCount[] = [];
    this.#counts.forEach((count, key) => {
      if (count > 0 && name(key) !== "") found.push({ value: name(key), count });
    });
    return found.toSorted((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1)).slice(0, values);
  }
}

/**
 * Counts each page once, by its newest matching document.
 *
 * @param docs - newest first
 * @param newest - newest capture of each that may be seen, 14 digits as a number
 * @param values - of each facet, the commonest
 */
export function countFacets(
  docs: readonly number[],
  newest: readonly number[],
  columns: DocColumns,
  values = SHOWN_VALUES,
): { total: number; facets: MatchAnswer["facets"] } {
  const seen = new Uint8Array(columns.maxPage + 1);
  const { hosts, mimes, languages } = columns;
  const [host, type, language] = [new Counts(hosts.size), new Counts(mimes.size), new Counts(languages.size)];
  const year = new Counts(YEARS);
  let total = 0;
  for (let at = 0; at < docs.length; at += 1) {
    const doc = docs[at] ?? 0;
    const page = columns.page[doc] ?? 0;
    if (seen[page] === 1) continue;
    seen[page] = 1;
    total += 1;
    host.add(columns.host[doc] ?? 0);
    type.add(columns.mime[doc] ?? 0);
    language.add(columns.language[doc] ?? 0);
    year.add(Math.floor((newest[at] ?? 0) / YEAR_UNIT));
  }
  const named = (dictionary: Dictionary) => (id: number) => dictionary.value(id);
  return {
    total,
    facets: {
      host: host.top(named(hosts), values),
      type: type.top(named(mimes), values),
      language: language.top(named(languages), values),
      year: year.top(String, values),
    },
  };
}
