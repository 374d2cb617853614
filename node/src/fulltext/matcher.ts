/**
 * Answers questions from one reader connection: match, count facets, choose candidates, rank. Everything is bounded: rows
 * enumerated, candidates scored, time. What a bound cut off makes the total a lower bound.
 */
import type { DatabaseSync } from "node:sqlite";
import { CandidateReader, type ScoredDocument } from "./candidate-reader.ts";
import { DocColumns } from "./doc-columns.ts";
import { countFacets, SHOWN_VALUES } from "./facets.ts";
import { createImpactReader, planReading } from "./features.ts";
import { TIERS, tierTerm } from "./impact-tiers.ts";
import type {
  Candidate,
  CandidateAnswer,
  Level,
  MatchAnswer,
  MatchCounts,
  Question,
  UnitFrequencies,
} from "./question.ts";
import { type RankedHit, rankHits } from "./ranking.ts";
import { ENOUGH_MATCHES, expressionsAt, levelsOf } from "./relaxation.ts";
import { type KnownTerm, matchExpression, type ResolvedQuestion, resolveQuestion, type Unit } from "./resolve.ts";
import { Visibility } from "./visibility.ts";
import { VisibleStatistics } from "./visible-statistics.ts";

/** Matches enumerated for totals and facets. */
const MAX_MATCHES = 50_000;
/** Documents scored exactly; about 10 µs each. */
const MAX_CANDIDATES = 1_500;
/** Champions of each word of a question: matches that are most about it, by tiers of impact, the newest of the last tier. */
const CHAMPIONS_PER_UNIT = 750;
/** Index terms of one word whose champions are read; a prefix stands for many. */
const CHAMPION_TERMS_PER_UNIT = 4;
/** Ranked documents handed out: 50 pages of 20. */
const MAX_RANKED = 1_000;
/** Of an index, whose stems of a word are looked for: more than there are, so that no language hides its words. */
const QUERY_LANGUAGES = 256;
/** Values of each facet that are handed out to be added up with those of other indexes. */
const ADDED_VALUES = 50;

/** Matches of one level. */
interface Matches {
  readonly level: Level;
  /** Visible ones, newest first. */
  readonly docs: readonly number[];
  /** Newest visible capture of each. */
  readonly newest: readonly number[];
  readonly capped: boolean;
  /** What the engine was asked. */
  readonly expression: string;
}

interface Evaluated {
  /** Of each level that was tried; the last is the one that counts. */
  readonly tried: readonly Matches[];
  readonly last: Matches;
  readonly visibility: Visibility;
  readonly statistics: UnitFrequencies;
  readonly ranked: readonly RankedHit<ScoredDocument>[];
  readonly reader: CandidateReader;
  readonly isCut: boolean;
}

const statements = (database: DatabaseSync) => {
  const matching = database.prepare("SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid DESC LIMIT ?");
  matching.setReturnArrays(true);
  return {
    matching,
    term: database.prepare("SELECT id, term, df FROM terms WHERE term = ?"),
    expand: database.prepare("SELECT id, term, df FROM terms WHERE term >= ? AND term < ? ORDER BY df DESC LIMIT ?"),
    dataVersion: database.prepare("PRAGMA data_version"),
    forward: database.prepare("SELECT impacts FROM forward WHERE doc = ?"),
  };
};

const asTerm = (row: Record<string, unknown>): KnownTerm => ({
  id: Number(row["id"]),
  term: String(row["term"]),
  df: Number(row["df"]),
});

export class Matcher {
  readonly #database: DatabaseSync;
  readonly #sql: ReturnType<typeof statements>;
  readonly #nowMs: () => number;
  readonly #statistics: VisibleStatistics;
  readonly columns = new DocColumns();
  #dataVersion = -1;

  constructor(database: DatabaseSync, nowMs: () => number) {
    this.#database = database;
    this.#sql = statements(database);
    this.#nowMs = nowMs;
    this.#statistics = new VisibleStatistics(database, this.columns);
  }

  /** Ranked documents, total and facets of a question. */
  match(question: Question, deadlineMs: number): MatchAnswer {
    const { last, visibility, ranked, reader, statistics } = this.#evaluate(question, deadlineMs);
    return {
      ...this.#counts(last, visibility, SHOWN_VALUES),
      ranked: onePerPage(ranked, this.columns)
        .slice(0, MAX_RANKED)
        .map((hit) => reader.document(hit)),
      exact: ranked.length === last.docs.length && !last.capped,
      documents: statistics.documents,
    };
  }

  /** The best documents with their features and the statistics they are to be ranked by, for other indexes' beside them. */
  candidates(question: Question, limit: number, deadlineMs: number): CandidateAnswer {
    const { tried, visibility, statistics, ranked, reader, isCut } = this.#evaluate(question, deadlineMs);
    const levelOf = levelsByDocument(tried);
    const last = tried.at(-1)?.level ?? 0;
    // Those of a stricter level are few, or no looser one had been tried.
    const chosen = ranked.filter(({ hit }, place) => place < limit || (levelOf.get(hit.doc) ?? last) < last);
    return {
      candidates: chosen.map((hit): Candidate => reader.candidate(hit, levelOf.get(hit.hit.doc) ?? last)),
      levels: tried.map((matches) => ({
        level: matches.level,
        ...this.#counts(matches, visibility, ADDED_VALUES),
      })),
      statistics: { epoch: `${this.columns.rev}.${this.columns.count}`, ...statistics },
      isCut,
    };
  }

  /** The words of a question as index terms, for marking them. */
  resolve(question: Question): ResolvedQuestion {
    const known = new Map<string, KnownTerm | undefined>();
    const find = (term: string): KnownTerm | undefined => {
      if (known.has(term)) return known.get(term);
      const row = this.#sql.term.get(term);
      const found = row === undefined ? undefined : asTerm(row);
      known.set(term, found);
      return found;
    };
    const expand = (prefix: string, limit: number): KnownTerm[] =>
      prefix === "" ? [] : this.#sql.expand.all(prefix, `${prefix}\u{10ffff}`, limit).map(asTerm);
    const languages = this.columns.commonLanguages(QUERY_LANGUAGES);
    const asked = new Set(question.scopes.map(({ name }) => name));
    const scopeIsAll = this.columns.collections.values.every((name) => asked.has(name));
    return resolveQuestion(question, { find, expand, languages }, scopeIsAll);
  }

  /** Takes in what was committed since the last question; cheap when nothing was. */
  refresh(): void {
    const version = Number(this.#sql.dataVersion.get()?.["data_version"]);
    if (version === this.#dataVersion) return;
    this.columns.refresh(this.#database);
    this.#statistics.forget();
    this.#dataVersion = version;
  }

  #evaluate(question: Question, deadlineMs: number): Evaluated {
    this.refresh();
    const visibility = new Visibility(this.#database, this.columns, question);
    const resolved = this.resolve(question);
    const units = resolved.groups.flatMap((group) => group.units);
    const tried = this.#tryLevels(resolved, visibility);
    const last = tried.at(-1) ?? NOTHING;
    const statistics = this.#statistics.of(question.scopes, units);
    const plan = planReading(units);
    const chosen = this.#candidates(last, units, visibility);
    const scored = this.#score(chosen, createImpactReader(plan), deadlineMs);
    const reader = new CandidateReader(this.#database, this.columns, plan);
    const frequencies = statistics.units.map((terms) => Math.max(0, ...terms.map(({ df }) => df)));
    const ranked = rankHits(scored, { documents: statistics.documents, frequencies }, reader);
    return { tried, last, visibility, statistics, ranked, reader, isCut: scored.length < chosen.length };
  }

  #tryLevels(resolved: ResolvedQuestion, visibility: Visibility): readonly Matches[] {
    const tried: Matches[] = [];
    for (const level of levelsOf(resolved)) {
      const wanted = expressionsAt(resolved, level);
      const expression = wanted && matchExpression(resolved, wanted);
      tried.push(
        expression === undefined
          ? { ...NOTHING, level }
          : { ...this.#visible(expression, MAX_MATCHES, visibility), level, expression },
      );
      if ((tried.at(-1)?.docs.length ?? 0) >= ENOUGH_MATCHES) break;
    }
    return tried;
  }

  #counts({ docs, newest, capped }: Matches, visibility: Visibility, values: number): MatchCounts {
    const { total, facets } = countFacets(docs, newest, this.columns, values);
    return { total, totalIsLowerBound: capped || visibility.undecided > 0, facets };
  }

  /** The newest matches of an expression, without those that the question may not see. */
  #visible(expression: string, limit: number, visibility: Visibility) {
    const rows = this.#sql.matching.all(expression, limit) as unknown as [number][];
    const docs: number[] = [];
    const newest: number[] = [];
    for (const [doc] of rows) {
      const timestamp = visibility.newest(doc);
      if (timestamp === 0) continue;
      docs.push(doc);
      newest.push(timestamp);
    }
    return { docs, newest, capped: rows.length >= limit };
  }

  #score(docs: readonly number[], impacts: (packed: Uint8Array) => Uint8Array, deadlineMs: number): ScoredDocument[] {
    const scored: ScoredDocument[] = [];
    for (const [index, doc] of docs.entries()) {
      if (index % 128 === 127 && this.#nowMs() > deadlineMs) break;
      const row = this.#sql.forward.get(doc);
      if (row !== undefined) scored.push({ doc, impacts: impacts(row["impacts"] as Uint8Array) });
    }
    return scored;
  }

  /** All matches when they are few; else the champions of each word, and the newest matches to fill up. */
  #candidates({ docs, expression }: Matches, units: readonly Unit[], visibility: Visibility): readonly number[] {
    if (docs.length <= MAX_CANDIDATES) return docs;
    const chosen = new Set(units.flatMap((unit) => this.#champions(unit, expression, visibility)));
    for (const doc of docs) {
      if (chosen.size >= MAX_CANDIDATES) break;
      chosen.add(doc);
    }
    return [...chosen];
  }

  #champions({ terms }: Unit, expression: string, visibility: Visibility): number[] {
    const champions: number[] = [];
    const best = terms.slice(0, CHAMPION_TERMS_PER_UNIT);
    for (let tier = 0; tier < TIERS && champions.length < CHAMPIONS_PER_UNIT && best.length > 0; tier += 1) {
      const strong = best.map(({ term }) => `"${tierTerm(term, tier)}"`).join(" OR ");
      const wanted = CHAMPIONS_PER_UNIT - champions.length;
      champions.push(...this.#visible(`(${strong}) AND (${expression})`, wanted, visibility).docs);
    }
    return champions;
  }
}

const NOTHING: Matches = { level: 0, docs: [], newest: [], capped: false, expression: "" };

/** Strictest level of each document that matches at more than the last that was tried. */
function levelsByDocument(tried: readonly Matches[]): ReadonlyMap<number, Level> {
  const levels = new Map<number, Level>();
  for (const { level, docs } of tried.slice(0, -1)) {
    for (const doc of docs) if (!levels.has(doc)) levels.set(doc, level);
  }
  return levels;
}

/** The best document of each page. */
function onePerPage(ranked: readonly RankedHit<ScoredDocument>[], columns: DocColumns) {
  const seen = new Set<number>();
  return ranked.filter(({ hit }) => {
    const page = columns.page[hit.doc] ?? 0;
    if (seen.has(page)) return false;
    seen.add(page);
    return true;
  });
}
