/**
 * How many documents there are, and how many have a term, among those that the asker may see. Where everything may be seen
 * these are the sums that the index keeps. Otherwise they are counted, up to a bound, and remembered until the index changes.
 */
import type { DatabaseSync } from "node:sqlite";
import type { DocColumns } from "./doc-columns.ts";
import type { CollectionScope, UnitFrequencies } from "./question.ts";
import type { KnownTerm, Unit } from "./resolve.ts";
import { markExcluded } from "./visibility.ts";

/** Documents with its words that are looked at for one question, about 1 µs each; the rest is estimated from them. */
const MAX_COUNTED = 20_000;
/** Of each term, also of a prefix that stands for many. */
const LEAST_COUNTED = 100;
/** Rules remembered: usually those of everybody and those of who holds the token. */
const REMEMBERED_RULES = 8;
const REMEMBERED_TERMS = 4_000;
/** Hour, minute and second of a timestamp. */
const DAY_UNIT = 1_000_000;
const HAS_TERM = "SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid DESC LIMIT ?";

interface VisibleDocuments {
  readonly count: number;
  /** By document. */
  readonly isVisible: Uint8Array;
  readonly frequencies: Map<string, number>;
}

/** An embargo moves with the clock: by whole days, so that what is counted can be remembered. Never too late. */
const wholeDay = (cutoff: number | undefined): number | undefined =>
  cutoff === undefined ? undefined : Math.floor(cutoff / DAY_UNIT) * DAY_UNIT;

export class VisibleStatistics {
  readonly #database: DatabaseSync;
  readonly #columns: DocColumns;
  readonly #hasTerm: ReturnType<DatabaseSync["prepare"]>;
  readonly #byRules = new Map<string, VisibleDocuments>();

  constructor(database: DatabaseSync, columns: DocColumns) {
    this.#database = database;
    this.#columns = columns;
    this.#hasTerm = database.prepare(HAS_TERM);
    this.#hasTerm.setReturnArrays(true);
  }

  /** The index has changed. */
  forget(): void {
    this.#byRules.clear();
  }

  /** Whether every document may be seen. */
  isAll(scopes: readonly CollectionScope[]): boolean {
    const open = new Set(
      scopes.filter(({ cutoff, exclude }) => cutoff === undefined && exclude.length === 0).map(({ name }) => name),
    );
    return this.#columns.collections.values.every((name) => open.has(name));
  }

  of(scopes: readonly CollectionScope[], units: readonly Unit[]): UnitFrequencies {
    if (this.isAll(scopes)) {
      const known = units.map(({ terms }) => terms.map(({ term, df }) => ({ term, df })));
      return { documents: this.#columns.count, units: known, estimated: false };
    }
    const visible = this.#visible(scopes);
    const terms = units.reduce((sum, unit) => sum + unit.terms.length, 0);
    const limit = Math.max(LEAST_COUNTED, Math.floor(MAX_COUNTED / Math.max(1, terms)));
    let estimated = false;
    const count = ({ term }: KnownTerm): { term: string; df: number } => {
      const before = visible.frequencies.get(term);
      if (before !== undefined) return { term, df: before };
      const { df, isCut } = this.#count(term, visible, limit);
      estimated ||= isCut;
      if (!isCut && visible.frequencies.size < REMEMBERED_TERMS) visible.frequencies.set(term, df);
      return { term, df };
    };
    // A term that only hidden documents have is not even named.
    const seenTerms = (unit: Unit) => unit.terms.map(count).filter(({ df }) => df > 0);
    return { documents: visible.count, units: units.map(seenTerms), estimated };
  }

  /** Visible documents with a term; of more than `limit` documents the newest tell how many there are among the others. */
  #count(term: string, visible: VisibleDocuments, limit: number): { df: number; isCut: boolean } {
    // node:sqlite types rows as objects; setReturnArrays makes them arrays.
    const rows = this.#hasTerm.all(`"${term}"`, limit) as unknown as [number][];
    const df = rows.reduce((sum, [doc]) => sum + (visible.isVisible[doc] ?? 0), 0);
    if (rows.length < limit) return { df, isCut: false };
    const oldest = rows.at(-1)?.[0] ?? this.#columns.maxDoc;
    const behind = visible.isVisible.subarray(oldest).reduce((sum, seen) => sum + seen, 0);
    const share = behind === 0 ? 0 : visible.count / behind;
    return { df: Math.min(visible.count, Math.round(df * share)), isCut: true };
  }

  #visible(scopes: readonly CollectionScope[]): VisibleDocuments {
    const rules = scopes.map((scope) => ({ ...scope, cutoff: wholeDay(scope.cutoff) }));
    const key = JSON.stringify(rules);
    const known = this.#byRules.get(key);
    if (known !== undefined) return known;
    const visible = this.#look(rules);
    if (this.#byRules.size >= REMEMBERED_RULES) this.#byRules.clear();
    this.#byRules.set(key, visible);
    return visible;
  }

  #look(rules: readonly CollectionScope[]): VisibleDocuments {
    const columns = this.#columns;
    const hidden = new Uint8Array(columns.maxPage + 1);
    markExcluded(this.#database, rules, hidden);
    const until = this.#untilByCollection(rules);
    const isVisible = new Uint8Array(columns.maxDoc + 1);
    columns.first.subarray(0, columns.maxDoc + 1).forEach((first, doc) => {
      const page = columns.page[doc] ?? 0;
      const collection = columns.collection[doc] ?? 0;
      if (page !== 0 && hidden[page] === 0 && first <= (until[collection] ?? 0)) isVisible[doc] = 1;
    });
    return { count: isVisible.reduce((sum, seen) => sum + seen, 0), isVisible, frequencies: new Map() };
  }

  /** Last capture that may be seen of each collection; 0 for those that were not asked. */
  #untilByCollection(rules: readonly CollectionScope[]): Float64Array {
    const { collections } = this.#columns;
    const until = new Float64Array(collections.size);
    for (const { name, cutoff } of rules) {
      const collection = collections.find(name);
      if (collection !== undefined) until[collection] = cutoff ?? Number.POSITIVE_INFINITY;
    }
    return until;
  }
}
