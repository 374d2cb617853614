/**
 * Answers a search from this node's own index: parse, match, spread over hosts, cut the page, present. Access rules of the
 * asked collections go into every question; a collection without a rule is not searched.
 */
import type { SearchHit, SearchRequest, SearchService } from "../archive/archive.ts";
import { FullTextError } from "../fulltext/errors.ts";
import type { CollectionScope, MatchAnswer, PresentedDocument, Question } from "../fulltext/question.ts";
import { diversify } from "./diversify.ts";
import { badQuery, isLate, SearchError, type SearchErrorCode } from "./errors.ts";
import { makeQuestion } from "./make-question.ts";
import type { SearchMetrics, SearchOutcome } from "./metrics.ts";
import { parseQuery } from "./query-parser.ts";

export interface LocalSearchDeps {
  readonly index: {
    readonly match: (question: Question, signal: AbortSignal) => Promise<MatchAnswer>;
    readonly present: (
      question: Question,
      docs: readonly number[],
      signal: AbortSignal,
    ) => Promise<readonly PresentedDocument[]>;
  };
  /** What may be seen of a collection now; `undefined` = there is no such collection. */
  readonly scopeOf: (collection: string) => CollectionScope | undefined;
  readonly metrics: SearchMetrics;
  readonly nowMs: () => number;
}

/** Hits that can be paged to; deeper ones need a narrower question. */
const MAX_PAGED = 1_000;
const TIMESTAMP_DIGITS = 14;

export const digits = (time: number): string => String(time).padStart(TIMESTAMP_DIGITS, "0");

function toHit(document: PresentedDocument, score: number): SearchHit {
  const { url, collection, title, snippet, host, mime, language } = document;
  const { count, first, last } = document.captures;
  return {
    ...{ url, collection, title, snippet, host, mime, language, score },
    timestamp: digits(document.timestamp),
    captures: { count, first: digits(first), last: digits(last) },
  };
}

/** Engine failures in the words of a search. */
export function toSearchError(error: unknown): unknown {
  if (!(error instanceof FullTextError)) return error;
  const { code, details } = error as FullTextError<"QUERY_TIMEOUT" | "OVERLOADED">;
  if (code === "QUERY_TIMEOUT" && "afterMs" in details) {
    return new SearchError("DEADLINE_EXCEEDED", "try a narrower question", details, { cause: error });
  }
  if (code === "OVERLOADED" && "waiting" in details) {
    return new SearchError("OVERLOADED", "too many searches at once: try again", details, { cause: error });
  }
  return error;
}

const OUTCOME_OF: Readonly<Record<SearchErrorCode, SearchOutcome>> = {
  BAD_QUERY: "bad_query",
  DEADLINE_EXCEEDED: "deadline_exceeded",
  OVERLOADED: "overloaded",
};

function outcomeOf(error: unknown): SearchOutcome {
  if (isLate(error)) return "deadline_exceeded";
  // `instanceof` leaves the class's type parameter open; the codes are those of SearchErrorDetails.
  return error instanceof SearchError ? OUTCOME_OF[(error as SearchError).code] : "failed";
}

type LocalAnswer = Awaited<ReturnType<SearchService["search"]>>;

async function answer(deps: LocalSearchDeps, request: SearchRequest, signal: AbortSignal): Promise<LocalAnswer> {
  const startedMs = deps.nowMs();
  const query = parseQuery(request.q);
  const scopes = request.collections.flatMap((name) => deps.scopeOf(name) ?? []);
  const question = makeQuestion(query, request, scopes);
  if (request.offset + request.limit > MAX_PAGED) throw badQuery(`only the first ${MAX_PAGED} hits can be paged to`);
  if (scopes.length === 0) return nothing(deps.nowMs() - startedMs);
  const matched = await deps.index.match(question, signal);
  const order = diversify(matched.ranked).slice(request.offset, request.offset + request.limit);
  const scores = new Map(order.map(({ doc, score }) => [doc, score]));
  const documents = await deps.index.present(question, [...scores.keys()], signal);
  return {
    total: matched.total,
    totalIsLowerBound: matched.totalIsLowerBound,
    hits: documents.map((document) => toHit(document, scores.get(document.doc) ?? 0)),
    facets: matched.facets,
    documents: matched.documents,
    tookMs: Math.round(deps.nowMs() - startedMs),
  };
}

function nothing(tookMs: number): LocalAnswer {
  const facets = { host: [], type: [], language: [], year: [] };
  return { total: 0, totalIsLowerBound: false, hits: [], facets, documents: 0, tookMs: Math.round(tookMs) };
}

/** The search service over one full-text index. */
export function createLocalSearch(deps: LocalSearchDeps): SearchService {
  return {
    search: async (request, signal) => {
      const startedMs = deps.nowMs();
      const observe = (outcome: SearchOutcome): void =>
        deps.metrics.observe(outcome, (deps.nowMs() - startedMs) / 1_000);
      try {
        const found = await answer(deps, request, signal);
        observe("ok");
        return found;
      } catch (error) {
        const failure = toSearchError(error);
        observe(outcomeOf(failure));
        throw failure;
      }
    },
  };
}
