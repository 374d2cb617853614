/**
 * This node's own index as one of several: ranked hits with the features and statistics by which a coordinator, this node or
 * a peer, ranks them among those of other indexes. Ends in time with what it has.
 */
import type { LeafQuestion, LeafSearchService } from "../archive/archive.ts";
import {
  type FeaturesMessage,
  type LevelMessage,
  SEARCH_LIMITS,
  type SearchAnswerMessage,
  type SearchResultMessage,
  type StatsMessage,
} from "../asfp/search-messages.ts";
import { ANALYZER } from "../fulltext/analyzer.ts";
import type {
  Candidate,
  CandidateAnswer,
  CollectionScope,
  FacetFilter,
  PresentedDocument,
  Question,
} from "../fulltext/question.ts";
import { SCORER } from "../fulltext/ranking.ts";
import { type Clock, Deadline, until } from "./deadline.ts";
import { diversify } from "./diversify.ts";
import { digits, toSearchError } from "./local-search.ts";
import { makeQuestion } from "./make-question.ts";
import { parseQuery } from "./query-parser.ts";

export interface LeafSearchDeps {
  readonly index: {
    readonly candidates: (
      question: Question,
      options: { readonly limit: number; readonly softMs: number },
      signal: AbortSignal,
    ) => Promise<CandidateAnswer>;
    readonly present: (
      question: Question,
      docs: readonly number[],
      signal: AbortSignal,
    ) => Promise<readonly PresentedDocument[]>;
  };
  /** What may be seen of a collection now; `undefined` = there is no such collection. */
  readonly scopeOf: (collection: string) => CollectionScope | undefined;
  readonly clock: Clock;
}

/** Hits handed out in the order of their scores: as many as are spread over hosts. */
const RANKED_HITS = 200;
/** Part of the time in which hits are scored; in the rest they are presented and sent. */
const SCORING_SHARE = 0.6;

export function createLeafSearch(deps: LeafSearchDeps): LeafSearchService {
  return {
    ask: async (asked, signal) => {
      const { clock, scopeOf, index } = deps;
      const startedMs = clock.monotonicMs();
      const took = () => ({ took_ms: Math.round(clock.monotonicMs() - startedMs) });
      const query = parseQuery(asked.query);
      const scopes = asked.collections.flatMap((name) => scopeOf(name) ?? []);
      const question = makeQuestion(query, boundsOf(asked.filters), scopes);
      if (scopes.length === 0) return { ...nothing(asked), ...took(), timed_out: false };
      using deadline = new Deadline(clock, asked.budgetMs, signal);
      const softMs = deadline.leftMs * SCORING_SHARE;
      try {
        const found = await until(
          deadline.signal,
          index.candidates(question, { limit: RANKED_HITS, softMs }, deadline.signal),
        );
        signal.throwIfAborted();
        if (found === undefined) return { ...nothing(asked), ...took(), timed_out: true };
        const chosen = choose(found, asked);
        const documents = await until(
          deadline.signal,
          index.present(
            question,
            chosen.map(({ doc }) => doc),
            deadline.signal,
          ),
        );
        signal.throwIfAborted();
        const timedOut = found.isCut || documents === undefined;
        return { ...toMessage(asked, found, { chosen, documents: documents ?? [] }), ...took(), timed_out: timedOut };
      } catch (error) {
        if (deadline.signal.aborted && !signal.aborted) return { ...nothing(asked), ...took(), timed_out: true };
        throw toSearchError(error);
      }
    },
  };
}

function boundsOf({ from, to, host, mime = [], lang = [] }: LeafQuestion["filters"]) {
  const filters: FacetFilter[] = [
    ...(host === undefined ? [] : [{ field: "host", value: host.toLowerCase() } as const]),
    ...mime.map((value) => ({ field: "type", value: value.toLowerCase() }) as const),
    ...lang.map((value) => ({ field: "language", value: value.toLowerCase() }) as const),
  ];
  return { from, to, filters };
}

/** No hit at all: nothing may be seen, or there was no time. */
function nothing({ stats }: LeafQuestion): SearchAnswerMessage {
  const none = { epoch: "", docs: 0, units: [], analyzer: ANALYZER, scorer: SCORER };
  return { total: { value: 0, relation: "gte" }, ...(stats ? { stats: none } : {}), levels: [], results: [] };
}

/** The best document of each page, spread over hosts; hits of a stricter level are never left out for looser ones. */
function choose({ candidates, levels }: CandidateAnswer, { size, features }: LeafQuestion): readonly Candidate[] {
  const pages = new Set<number>();
  const best = candidates.filter(({ page }) => !pages.has(page) && pages.add(page));
  const ordered = diversify(best);
  if (!features) return ordered.slice(0, size);
  const last = levels.at(-1)?.level ?? 0;
  const strict = ordered.filter(({ level }) => level < last);
  const wanted = new Set([...strict, ...ordered].slice(0, Math.max(size, strict.length)).slice(0, SEARCH_LIMITS.size));
  return ordered.filter((candidate) => wanted.has(candidate));
}

function toMessage(
  asked: LeafQuestion,
  found: CandidateAnswer,
  { chosen, documents }: { readonly chosen: readonly Candidate[]; readonly documents: readonly PresentedDocument[] },
): SearchAnswerMessage {
  const presented = new Map(documents.map((document) => [document.doc, document]));
  const last = found.levels.at(-1);
  const results = chosen.flatMap((candidate) => {
    const document = presented.get(candidate.doc);
    return document === undefined ? [] : toResult(candidate, document, asked.features);
  });
  const others = found.candidates
    .filter(({ doc }) => !presented.has(doc))
    .map((candidate) => {
      const { urlkey, digest, host } = candidate;
      return { urlkey, digest, host, features: featuresOf(candidate) };
    });
  return {
    total: { value: last?.total ?? 0, relation: last?.totalIsLowerBound === false ? "eq" : "gte" },
    ...(asked.stats ? { stats: statsOf(found) } : {}),
    ...(asked.features ? { levels: found.levels.map(toLevel) } : {}),
    results,
    ...(asked.features ? { others } : {}),
  };
}

function toResult(candidate: Candidate, document: PresentedDocument, features: boolean): SearchResultMessage {
  const { urlkey, digest, score } = candidate;
  const { url, title, snippet, host, mime, language, collection, captures } = document;
  return {
    ...{ url, urlkey, timestamp: digits(document.timestamp), digest, title, snippet, score, host, mime, collection },
    ...(language === undefined ? {} : { language }),
    captures: { count: captures.count, first: digits(captures.first), last: digits(captures.last) },
    ...(features ? { features: featuresOf(candidate) } : {}),
  };
}

function featuresOf({ level, impacts, depth, simhash, look }: Candidate): FeaturesMessage {
  const hex = (half: number): string => half.toString(16).padStart(8, "0");
  return {
    ...{ level, impacts: [...impacts], depth, simhash: simhash.map(hex).join("") },
    ...(look === undefined
      ? {}
      : { proximity: look.proximity, title: { units: [...look.title.units], length: look.title.length } }),
  };
}

function statsOf({ statistics: { epoch, documents, units, estimated } }: CandidateAnswer): StatsMessage {
  return {
    ...{ epoch, docs: documents, units: units.map((terms) => [...terms]), analyzer: ANALYZER, scorer: SCORER },
    ...(estimated ? { estimated } : {}),
  };
}

function toLevel({ level, total, totalIsLowerBound, facets }: CandidateAnswer["levels"][number]): LevelMessage {
  const { host, type, language, year } = facets;
  return {
    level,
    total: { value: total, relation: totalIsLowerBound ? "gte" : "eq" },
    facets: { host: [...host], type: [...type], language: [...language], year: [...year] },
  };
}
