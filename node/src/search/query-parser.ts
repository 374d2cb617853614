/**
 * What a user types to a question. Pure. Words, `"phrases"`, `prefix*`, `-not`, `a OR b`, and the fields `host:` (or
 * `site:`), `title:`, `type:`, `lang:`, `year:` (`2014` or `2010-2014`). Anything else is a word: no input is a syntax error.
 * Refused are only questions that would be too much work or that ask for nothing.
 */
import type { Clause, FacetFilter } from "../fulltext/question.ts";
import { badQuery } from "./errors.ts";

export interface ParsedQuery {
  readonly groups: readonly (readonly Clause[])[];
  readonly excluded: readonly Clause[];
  readonly filters: readonly FacetFilter[];
  readonly excludedFilters: readonly FacetFilter[];
  /** Inclusive years. */
  readonly years: { readonly from: number; readonly to: number } | undefined;
}

/** Longer questions are pasted texts; their first words would not mean what the person meant. */
const MAX_QUERY_CHARS = 1_000;
const MAX_CLAUSES = 32;
const MAX_CLAUSE_CHARS = 200;
/** A shorter prefix stands for too much to be useful. */
const MIN_PREFIX_CHARS = 2;

/** An optional minus, an optional field, then a phrase (closed or not) or a run without spaces. */
const PART = /(-?)(?:(host|site|title|type|lang|year):)?(?:"([^"]*)"?|([^\s"]+))/giu;
const WORD_CHARACTER = /[\p{L}\p{N}]/u;
const YEARS = /^(\d{4})(?:(?:-|\.\.)(\d{4}))?$/;

interface Part {
  readonly negated: boolean;
  readonly field: string | undefined;
  readonly phrase: string | undefined;
  readonly word: string;
}

function split(text: string): Part[] {
  return [...text.matchAll(PART)].map(([, minus, field, phrase, word]) => ({
    negated: minus === "-",
    field: field?.toLowerCase(),
    phrase,
    word: word ?? "",
  }));
}

function toClause({ field, phrase, word }: Part): Clause | undefined {
  const text = phrase ?? word;
  if (!WORD_CHARACTER.test(text)) return undefined;
  if (text.length > MAX_CLAUSE_CHARS) throw badQuery(`shorten the words: at most ${MAX_CLAUSE_CHARS} characters each`);
  const inField = field === "title" ? "title" : "any";
  if (phrase !== undefined || !word.endsWith("*")) {
    return { kind: "words", field: inField, text, exact: phrase !== undefined };
  }
  const prefix = word.replace(/\*+$/, "");
  if (Array.from(prefix).length < MIN_PREFIX_CHARS) throw badQuery(`put at least ${MIN_PREFIX_CHARS} letters before *`);
  return { kind: "prefix", field: inField, text: prefix, exact: true };
}

const FILTER_FIELDS: Readonly<Record<string, FacetFilter["field"]>> = {
  host: "host",
  site: "host",
  type: "type",
  lang: "language",
};

function toFilter(part: Part): FacetFilter | undefined {
  const field = FILTER_FIELDS[part.field ?? ""];
  const value = (part.phrase ?? part.word).toLowerCase();
  return field === undefined || value === "" ? undefined : { field, value };
}

function toYears(part: Part): { from: number; to: number } {
  const [, from, to] = YEARS.exec(part.phrase ?? part.word) ?? [];
  if (part.negated || from === undefined) throw badQuery("write year:2014 or year:2010-2014");
  return { from: Number(from), to: Number(to ?? from) };
}

/** Collects parts in order; `OR` joins the clause before it with the one after. */
class QueryBuilder implements ParsedQuery {
  readonly groups: Clause[][] = [];
  readonly excluded: Clause[] = [];
  readonly filters: FacetFilter[] = [];
  readonly excludedFilters: FacetFilter[] = [];
  years: { from: number; to: number } | undefined;
  #joinNext = false;

  add(part: Part): void {
    const join = this.#joinNext;
    this.#joinNext = false;
    const filter = toFilter(part);
    if (part.field === "year") this.years = toYears(part);
    else if (filter !== undefined) (part.negated ? this.excludedFilters : this.filters).push(filter);
    else if (isOr(part)) this.#joinNext = this.groups.length > 0;
    else this.#addClause(part, join);
  }

  get clauses(): number {
    const included = this.groups.reduce((sum, group) => sum + group.length, 0);
    return included + this.excluded.length + this.filters.length + this.excludedFilters.length;
  }

  #addClause(part: Part, join: boolean): void {
    const clause = toClause(part);
    if (clause === undefined) return;
    if (part.negated) this.excluded.push(clause);
    else if (join) this.groups.at(-1)?.push(clause);
    else this.groups.push([clause]);
  }
}

function isOr({ negated, field, phrase, word }: Part): boolean {
  return !negated && field === undefined && phrase === undefined && word === "OR";
}

/**
 * Parses a user's query.
 *
 * @throws {SearchError} `BAD_QUERY` with what to change
 */
export function parseQuery(text: string): ParsedQuery {
  if (text.length > MAX_QUERY_CHARS) throw badQuery(`shorten the query: at most ${MAX_QUERY_CHARS} characters`);
  const query = new QueryBuilder();
  for (const part of split(text.toWellFormed())) query.add(part);
  if (query.clauses > MAX_CLAUSES) throw badQuery(`use fewer words: at most ${MAX_CLAUSES}`);
  if (query.groups.length + query.filters.length === 0 && query.years === undefined) {
    throw badQuery("give at least one word to look for");
  }
  return query;
}
