/** What a search takes and gives. The HTTP edge declares the same shapes for itself; the compiler compares them in compose. */
import type { FacetCount, MatchAnswer } from "../fulltext/question.ts";

export interface SearchRequest {
  readonly q: string;
  readonly collections: readonly string[];
  readonly limit: number;
  readonly offset: number;
  /** Inclusive bounds, 4 to 14 digits. */
  readonly from: string | undefined;
  readonly to: string | undefined;
}

export interface SearchHit {
  readonly url: string;
  readonly collection: string;
  /** Newest matching capture, 14 digits. */
  readonly timestamp: string;
  readonly title: string;
  /** HTML: escaped text with `<mark>` around matches, nothing else. */
  readonly snippet: string;
  readonly host: string;
  readonly mime: string;
  readonly language: string | undefined;
  readonly score: number;
  readonly captures: { readonly count: number; readonly first: string; readonly last: string };
}

export interface SearchAnswer {
  readonly total: number;
  readonly totalIsLowerBound: boolean;
  readonly hits: readonly SearchHit[];
  readonly facets: Readonly<Record<keyof MatchAnswer["facets"], readonly FacetCount[]>>;
  readonly tookMs: number;
}

export interface LocalSearch {
  /** @throws {SearchError} `BAD_QUERY` says what to change */
  search(request: SearchRequest, signal: AbortSignal): Promise<SearchAnswer>;
}
