/**
 * What a peer answered, made safe: nothing of it is believed before it was checked here. Texts are cut and escaped anew, URLs
 * are of the web, features fit the question; hits that do not fit are left out.
 */
import { Compile } from "typebox/compile";
import {
  type FeaturesMessage,
  type OtherHitMessage,
  SEARCH_LIMITS,
  type SearchAnswerMessage,
  SearchAnswerSchema,
  type SearchResultMessage,
} from "../asfp/search-messages.ts";
import { ANALYZER } from "../fulltext/analyzer.ts";
import { SCORER } from "../fulltext/ranking.ts";
import { escapeHtml } from "../fulltext/snippet.ts";
import type { Leaf, LeafHit, LeafPresentation } from "./merge.ts";

const Answer = Compile(SearchAnswerSchema);
const TITLE_CHARS = 300;
const SNIPPET_CHARS = 600;
const DEFAULT_COLLECTION = "default";

export interface Expected {
  readonly nodeId: string;
  /** Results asked for. */
  readonly size: number;
  /** Of the question. */
  readonly units: number;
}

export interface CheckedAnswer {
  readonly leaf: Leaf;
  /** Hits that were left out, because something about them cannot be. */
  readonly dropped: number;
  readonly timedOut: boolean;
}

/** `undefined`: not an answer to a search. */
export function checkAnswer(body: unknown, expected: Expected): CheckedAnswer | undefined {
  if (!Answer.Check(body)) return undefined;
  const answer: SearchAnswerMessage = body;
  const { nodeId, size } = expected;
  const results = answer.results.slice(0, size);
  const others = (answer.others ?? []).slice(0, SEARCH_LIMITS.hits - results.length);
  const isComparable = isRankable(answer, expected.units);
  const hits = [
    ...results.map((result, rank) => resultHit(result, rank, isComparable ? expected.units : undefined)),
    ...(isComparable ? others.map((other) => otherHit(other, expected.units)) : []),
  ];
  const kept = hits.filter((hit) => hit !== undefined);
  return {
    leaf: {
      nodeId,
      hits: kept,
      stats: isComparable ? answer.stats : undefined,
      levels: answer.levels ?? [],
      total: answer.total,
    },
    dropped: hits.length - kept.length,
    timedOut: answer.timed_out === true,
  };
}

/** Whether its hits can be put in one order with ours: by the same rules, with features and statistics. */
function isRankable({ stats, results }: SearchAnswerMessage, units: number): boolean {
  if (stats === undefined || stats.analyzer !== ANALYZER || stats.scorer !== SCORER) return false;
  if (results.some(({ features }) => features === undefined)) return false;
  const fits = stats.units.length === units && stats.units.flat().every(({ df }) => df <= stats.docs);
  return fits || (stats.docs === 0 && results.length === 0);
}

function resultHit(result: SearchResultMessage, rank: number, units: number | undefined): LeafHit | undefined {
  const url = webUrl(result.url);
  if (url === undefined) return undefined;
  const { urlkey, digest } = result;
  const shown = presentationOf(result);
  const base = { urlkey, digest, host: url.hostname, rank, shown };
  if (units === undefined || result.features === undefined) return { ...base, features: undefined };
  return isPlausible(result.features, units) ? { ...base, features: result.features } : undefined;
}

function otherHit({ urlkey, digest, host, features }: OtherHitMessage, units: number): LeafHit | undefined {
  if (!isPlausible(features, units)) return undefined;
  return { urlkey, digest, host, features, rank: Number.MAX_SAFE_INTEGER, shown: undefined };
}

function isPlausible({ impacts, title }: FeaturesMessage, units: number): boolean {
  if (impacts.length !== units || (units > 0 && impacts.every((impact) => impact === 0))) return false;
  return title === undefined || (title.units.length <= title.length && title.units.every((unit) => unit < units));
}

function webUrl(text: string): URL | undefined {
  const url = URL.parse(text);
  return url !== null && (url.protocol === "http:" || url.protocol === "https:") ? url : undefined;
}

function presentationOf(result: SearchResultMessage): LeafPresentation {
  const { url, timestamp, title, mime, language, collection, captures } = result;
  return {
    ...{ url, timestamp, title: cut(title, TITLE_CHARS), snippet: cleanSnippet(result.snippet) },
    mime: mime ?? "",
    language: language === undefined ? undefined : cut(language, TITLE_CHARS),
    collection: collection ?? DEFAULT_COLLECTION,
    captures: captures ?? { count: 1, first: timestamp, last: timestamp },
  };
}

function cut(text: string, chars: number): string {
  return text.slice(0, chars).toWellFormed();
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
};

/** HTML in which the only markup is `<mark>`, whatever it was before. */
export function cleanSnippet(html: string): string {
  let left = SNIPPET_CHARS;
  return html
    .split(/(<mark>[^<]*<\/mark>)/)
    .map((part, index) => {
      const isMark = index % 2 === 1;
      const inner = isMark ? part.slice("<mark>".length, -"</mark>".length) : part;
      const text = cut(
        inner.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity] ?? entity),
        left,
      );
      left -= text.length;
      if (text === "") return "";
      return isMark ? `<mark>${escapeHtml(text)}</mark>` : escapeHtml(text);
    })
    .join("");
}
