/**
 * A question in the terms of this index: which index terms each word may be, how common they are, and the engine's
 * expression. Words come only from the analyser, in double quotes: nothing a user types reaches FTS5's own syntax.
 */
import { analyse, queryForms } from "./analyzer.ts";
import { collectionTerm, hostTerm, languageTerm, typeTerm } from "./facet-terms.ts";
import type { Clause, FacetFilter, Question } from "./question.ts";
import { foldWord } from "./tokens.ts";

export interface KnownTerm {
  readonly id: number;
  readonly term: string;
  readonly df: number;
}

/** What resolving needs from the database. */
export interface TermLookup {
  readonly find: (term: string) => KnownTerm | undefined;
  /** The commonest terms that begin so. */
  readonly expand: (prefix: string, limit: number) => readonly KnownTerm[];
  readonly languages: readonly string[];
}

/** One word of the question for scoring: the index terms that count as it. */
export interface Unit {
  readonly terms: readonly KnownTerm[];
  /** Documents with any of them, at least. */
  readonly df: number;
}

export interface ResolvedGroup {
  readonly units: readonly Unit[];
  /** FTS5 expression; `undefined` when the index holds no such word. */
  readonly expression: string | undefined;
  /** May be left out when too few pages match. */
  readonly relaxable: boolean;
}

export interface ResolvedQuestion {
  readonly groups: readonly ResolvedGroup[];
  readonly excluded: readonly ResolvedGroup[];
  /** Expression of the filters; `undefined` without any. */
  readonly filter: string | undefined;
  readonly excludedFilter: string | undefined;
}

/** Terms that a prefix stands for; a shorter prefix has more, and the rare rest is left out. */
const PREFIX_TERMS = 64;

const quoted = (terms: readonly string[]): string => `"${terms.join(" ")}"`;
const either = (parts: readonly string[]): string =>
  parts.length === 1 ? (parts[0] ?? "") : `(${parts.join(" OR ")})`;

function unitOf(terms: readonly (KnownTerm | undefined)[]): Unit {
  const known = new Map(terms.flatMap((term) => (term === undefined ? [] : [[term.id, term] as const])));
  const list = [...known.values()];
  return { terms: list, df: Math.max(0, ...list.map((term) => term.df)) };
}

function expressionOf(field: Clause["field"], forms: readonly (readonly string[])[]): string | undefined {
  if (forms.length === 0) return undefined;
  const any = either(forms.map(quoted));
  return field === "title" ? `title : ${any}` : any;
}

function resolvePrefix(clause: Clause, lookup: TermLookup): ResolvedGroup {
  const forms = queryForms(clause.text, lookup.languages).filter((form) => form.length === 1);
  const exact = forms.flatMap(([term = ""]) => lookup.find(term) ?? []);
  const unit = unitOf([...lookup.expand(foldWord(clause.text.toLowerCase()), PREFIX_TERMS), ...exact]);
  const expression = expressionOf(
    clause.field,
    unit.terms.map(({ term }) => [term]),
  );
  return { units: [unit], expression, relaxable: false };
}

function resolveWords(clause: Clause, lookup: TermLookup): ResolvedGroup {
  const forms = queryForms(clause.text, lookup.languages);
  // Counted without regard to languages, so that an index with other languages has the same units.
  const units = Array.from({ length: analyse(clause.text, undefined).length }, (_, position) =>
    unitOf(forms.map((form) => (form[position] === undefined ? undefined : lookup.find(form[position])))),
  );
  const present = forms.filter((form) => form.every((term) => lookup.find(term) !== undefined));
  return {
    units,
    expression: expressionOf(clause.field, present),
    relaxable: !clause.exact && clause.field === "any",
  };
}

function resolveGroup(clauses: readonly Clause[], lookup: TermLookup): ResolvedGroup | undefined {
  const parts = clauses
    .map((clause) => (clause.kind === "prefix" ? resolvePrefix(clause, lookup) : resolveWords(clause, lookup)))
    // A clause of punctuation alone asks for nothing.
    .filter((part) => part.units.length > 0);
  if (parts.length === 0) return undefined;
  const expressions = parts.flatMap(({ expression }) => expression ?? []);
  return {
    units: parts.flatMap(({ units }) => units),
    expression: expressions.length === 0 ? undefined : either(expressions.map((part) => `(${part})`)),
    relaxable: parts.every(({ relaxable }) => relaxable),
  };
}

/** Units of a question, the same in every index with this analyser. */
export function countUnits(groups: Question["groups"]): number {
  return groups
    .flat()
    .reduce((sum, { kind, text }) => sum + (kind === "prefix" ? 1 : analyse(text, undefined).length), 0);
}

function filterTerm({ field, value }: FacetFilter): string {
  if (field === "host") return hostTerm(value);
  return field === "type" ? typeTerm(value) : languageTerm(value);
}

function filterExpression(question: Question): string {
  const byField = Map.groupBy(question.filters, (filter) => filter.field);
  const parts = [
    question.scopes.map(({ name }) => collectionTerm(name)),
    ...[...byField.values()].map((filters) => filters.map(filterTerm)),
  ];
  return parts.map((terms) => either(terms.map((term) => quoted([term])))).join(" AND ");
}

/**
 * Puts a question into this index's terms.
 *
 * @param scopeIsAll - the question's collections are all there are, so that asking for them would only cost time
 */
export function resolveQuestion(question: Question, lookup: TermLookup, scopeIsAll: boolean): ResolvedQuestion {
  const groups = question.groups.flatMap((clauses) => resolveGroup(clauses, lookup) ?? []);
  const needsFilter = !scopeIsAll || question.filters.length > 0 || groups.length === 0;
  return {
    groups,
    excluded: question.excluded.flatMap((clause) => resolveGroup([clause], lookup) ?? []),
    filter: needsFilter ? filterExpression(question) : undefined,
    excludedFilter:
      question.excludedFilters.length === 0
        ? undefined
        : either(question.excludedFilters.map((filter) => quoted([filterTerm(filter)]))),
  };
}

/** The engine's expression for some groups together with filters and exclusions; `undefined` = nothing can match. */
export function matchExpression(resolved: ResolvedQuestion, wanted: readonly string[]): string | undefined {
  const positive = [...wanted, ...(resolved.filter === undefined ? [] : [resolved.filter])];
  if (positive.length === 0) return undefined;
  const negative = [
    ...resolved.excluded.flatMap(({ expression }) => expression ?? []),
    ...(resolved.excludedFilter === undefined ? [] : [resolved.excludedFilter]),
  ];
  const base = positive.map((part) => `(${part})`).join(" AND ");
  return negative.length === 0 ? base : `(${base}) NOT (${negative.join(" OR ")})`;
}
