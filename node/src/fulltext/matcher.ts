/**
 * Answers questions from one reader connection: match, count facets, choose candidates, score, rank. Everything is
 * bounded: rows enumerated, candidates scored, time. What a bound cut off makes the total a lower bound.
 */
import type { DatabaseSync } from "node:sqlite";
import { termOf } from "./analyzer.ts";
import { DocColumns } from "./doc-columns.ts";
import { countFacets } from "./facets.ts";
import { TIERS, tierTerm } from "./impact-tiers.ts";
import { readSequence } from "./packing.ts";
import type { MatchAnswer, Question, RankedDocument } from "./question.ts";
import { type KnownTerm, matchExpression, type ResolvedQuestion, resolveQuestion, type Unit } from "./resolve.ts";
import {
  type BaseScore,
  createScorer,
  finalScore,
  planScoring,
  proximity,
  type ScoringPlan,
  titleFit,
} from "./scoring.ts";
import { visitWords } from "./tokens.ts";
import { Visibility } from "./visibility.ts";

/** Matches enumerated for totals and facets. */
const MAX_MATCHES = 50_000;
/** Documents scored exactly; about 10 µs each. */
const MAX_CANDIDATES = 1_500;
/** Champions of each word of a question: matches that are most about it, by tiers of impact, the newest of the last tier. */
const CHAMPIONS_PER_UNIT = 750;
/** Index terms of one word whose champions are read; a prefix stands for many. */
const CHAMPION_TERMS_PER_UNIT = 4;
/** Best candidates looked at closely (word order, title). */
const CLOSE_LOOKS = 60;
/** Ranked documents handed out: 50 pages of 20. */
const MAX_RANKED = 1_000;
/** With fewer matching pages, questions are relaxed: fewer of their words must match. */
const ENOUGH_PAGES = 10;
const QUERY_LANGUAGES = 6;
/** Words of the longest question of which "all but one" is tried before "any". */
const ALL_BUT_ONE_WORDS = 8;

interface Matches {
  /** Visible ones, newest first. */
  readonly docs: readonly number[];
  /** Newest visible capture of each. */
  readonly newest: readonly number[];
  readonly capped: boolean;
  readonly resolved: ResolvedQuestion;
  /** What the engine was asked. */
  readonly expression: string;
}

interface Candidate {
  readonly doc: number;
  readonly base: BaseScore;
}

const statements = (database: DatabaseSync) => {
  const matching = database.prepare("SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid DESC LIMIT ?");
  matching.setReturnArrays(true);
  return {
    matching,
    term: database.prepare("SELECT id, term, df FROM terms WHERE term = ?"),
    expand: database.prepare("SELECT id, term, df FROM terms WHERE term >= ? AND term < ? ORDER BY df DESC LIMIT ?"),
    collections: database.prepare("SELECT DISTINCT collection FROM pages"),
    dataVersion: database.prepare("PRAGMA data_version"),
    forward: database.prepare("SELECT impacts FROM forward WHERE doc = ?"),
    sequence: database.prepare("SELECT sequence FROM bodies WHERE doc = ?"),
    title: database.prepare("SELECT title FROM docs WHERE id = ?"),
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
  readonly columns = new DocColumns();
  #dataVersion = -1;
  #collections: readonly string[] = [];

  constructor(database: DatabaseSync, nowMs: () => number) {
    this.#database = database;
    this.#sql = statements(database);
    this.#nowMs = nowMs;
  }

  /** Ranked documents, total and facets of a question. */
  match(question: Question, deadlineMs: number): MatchAnswer {
    this.refresh();
    const visibility = new Visibility(this.#database, this.columns, question);
    const matches = this.#findMatches(question, visibility);
    const { total, facets } = countFacets(matches.docs, matches.newest, this.columns);
    const { ranked, exact } = this.#rank(matches, visibility, deadlineMs);
    return { ranked, total, totalIsLowerBound: matches.capped || visibility.undecided > 0, exact, facets };
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
    const scopeIsAll = this.#collections.every((name) => asked.has(name));
    return resolveQuestion(question, { find, expand, languages }, scopeIsAll);
  }

  /** Takes in what was committed since the last question; cheap when nothing was. */
  refresh(): void {
    const version = Number(this.#sql.dataVersion.get()?.["data_version"]);
    if (version === this.#dataVersion) return;
    this.columns.refresh(this.#database);
    this.#collections = this.#sql.collections.all().map((row) => String(row["collection"]));
    this.#dataVersion = version;
  }

  #findMatches(question: Question, visibility: Visibility): Matches {
    const resolved = this.resolve(question);
    let best: Matches = { docs: [], newest: [], capped: false, resolved, expression: "" };
    for (const wanted of relaxations(resolved)) {
      const expression = matchExpression(resolved, wanted);
      if (expression === undefined) continue;
      best = { ...this.#visible(expression, MAX_MATCHES, visibility), resolved, expression };
      if (best.docs.length >= ENOUGH_PAGES) break;
    }
    return best;
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

  #rank(matches: Matches, visibility: Visibility, deadlineMs: number): { ranked: RankedDocument[]; exact: boolean } {
    const units = matches.resolved.groups.flatMap((group) => group.units);
    const plan = planScoring(units, this.columns.count);
    const chosen = this.#candidates(matches, units, visibility);
    const scorer = createScorer(plan);
    const scored: Candidate[] = [];
    for (const [index, doc] of chosen.entries()) {
      if (index % 128 === 127 && this.#nowMs() > deadlineMs) break;
      const row = this.#sql.forward.get(doc);
      if (row !== undefined) scored.push({ doc, base: scorer(row["impacts"] as Uint8Array) });
    }
    const ranked = this.#lookClosely(scored, plan, units);
    const all = scored.length === matches.docs.length && !matches.capped;
    return { ranked: onePerPage(ranked, this.columns).slice(0, MAX_RANKED), exact: all };
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

  #lookClosely(candidates: Candidate[], plan: ScoringPlan, units: readonly Unit[]): RankedDocument[] {
    const count = Math.max(1, units.length);
    const coverage = (base: BaseScore): number => (units.length === 0 ? 1 : bitCount(base.units) / Math.min(31, count));
    const rough = candidates
      .map(({ doc, base }) => ({ doc, base, score: base.score * Math.sqrt(coverage(base)) }))
      .toSorted((a, b) => b.score - a.score || b.doc - a.doc);
    const words = new Map(units.flatMap((unit, index) => unit.terms.map(({ term }) => [term, index] as const)));
    return rough
      .map(({ doc, base, score }, place) =>
        this.#ranked(
          doc,
          place >= CLOSE_LOOKS || units.length === 0
            ? score
            : finalScore({
                base: base.score,
                coverage: coverage(base),
                proximity: units.length < 2 ? 0 : proximity(this.#sequence(doc), plan),
                title: titleFit(this.#titleUnits(doc, words), plan.weights),
                urlDepth: this.columns.depth[doc] ?? 0,
              }),
        ),
      )
      .toSorted((a, b) => b.score - a.score || b.doc - a.doc);
  }

  #ranked(doc: number, score: number): RankedDocument {
    const { columns } = this;
    return {
      doc,
      score,
      host: columns.hosts.value(columns.host[doc] ?? 0),
      simhash: [columns.simhashA[doc] ?? 0, columns.simhashB[doc] ?? 0],
    };
  }

  #sequence(doc: number): Uint32Array {
    const row = this.#sql.sequence.get(doc);
    return row === undefined ? new Uint32Array() : readSequence(row["sequence"] as Uint8Array);
  }

  #titleUnits(doc: number, words: ReadonlyMap<string, number>): (number | undefined)[] {
    const language = this.columns.languages.value(this.columns.language[doc] ?? 0) || undefined;
    const units: (number | undefined)[] = [];
    visitWords(String(this.#sql.title.get(doc)?.["title"] ?? ""), (word) => {
      units.push(words.get(termOf(word, language)));
    });
    return units;
  }
}

/** What must match, strictest first: all groups, all but one of the plain ones, any of them. Exact groups always. */
function relaxations({ groups }: ResolvedQuestion): string[][] {
  if (groups.length === 0) return [[]];
  const fixed = groups.filter((group) => !group.relaxable);
  const plain = groups.filter((group) => group.relaxable).flatMap(({ expression }) => expression ?? []);
  // An exact word that the index does not hold: nothing can match.
  if (fixed.some(({ expression }) => expression === undefined)) return [];
  const required = fixed.flatMap(({ expression }) => expression ?? []);
  const strict = groups.every(({ expression }) => expression !== undefined) ? [[...required, ...plain]] : [];
  if (plain.length === 0) return strict;
  const steps = [...strict];
  if (plain.length >= 3 && plain.length <= ALL_BUT_ONE_WORDS) {
    const allButOne = plain.map((_, left) => `(${plain.filter((_part, index) => index !== left).join(" AND ")})`);
    steps.push([...required, `(${allButOne.join(" OR ")})`]);
  }
  if (plain.length >= 2 || strict.length === 0) steps.push([...required, `(${plain.join(" OR ")})`]);
  return steps;
}

function bitCount(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}

/** The best document of each page. */
function onePerPage(ranked: readonly RankedDocument[], columns: DocColumns): RankedDocument[] {
  const seen = new Set<number>();
  return ranked.filter(({ doc }) => {
    const page = columns.page[doc] ?? 0;
    if (seen.has(page)) return false;
    seen.add(page);
    return true;
  });
}
