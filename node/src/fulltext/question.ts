/** What is asked of a full-text index and what it answers. Plain data: it crosses to worker threads and, later, to other engines. */
import type { CloseLook } from "./ranking.ts";

export interface Clause {
  /** `prefix`: the text is the beginning of a word. A word or phrase may analyse to several terms in a row. */
  readonly kind: "words" | "prefix";
  readonly field: "any" | "title";
  readonly text: string;
  /** True when the user asked for exactly this sequence: it is never relaxed. */
  readonly exact: boolean;
}

export interface FacetFilter {
  readonly field: "host" | "type" | "language";
  readonly value: string;
}

/** What may be seen of one collection. */
export interface CollectionScope {
  readonly name: string;
  /** Captures after this are under embargo; 14 digits as a number. Absent: no embargo. */
  readonly cutoff: number | undefined;
  /** SURT prefixes that are never shown. */
  readonly exclude: readonly string[];
}

export interface Question {
  /** All groups must match; a group matches when any of its clauses does. */
  readonly groups: readonly (readonly Clause[])[];
  readonly excluded: readonly Clause[];
  /** Same field: any; different fields: all. */
  readonly filters: readonly FacetFilter[];
  readonly excludedFilters: readonly FacetFilter[];
  /** Inclusive capture times, 14 digits as numbers. */
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly scopes: readonly CollectionScope[];
}

/** A matching document in ranking order. */
export interface RankedDocument {
  readonly doc: number;
  readonly host: string;
  readonly score: number;
  readonly simhash: readonly [number, number];
}

export interface FacetCount {
  readonly value: string;
  readonly count: number;
}

export interface Facets {
  readonly host: readonly FacetCount[];
  readonly type: readonly FacetCount[];
  readonly language: readonly FacetCount[];
  readonly year: readonly FacetCount[];
}

/** 0: everything asked matches. 1: all plain words but one. 2: any plain word. Phrases, prefixes and fields always match. */
export type Level = 0 | 1 | 2;

export interface UnitFrequencies {
  readonly documents: number;
  /** Terms of each unit with the documents that have them. */
  readonly units: readonly (readonly { readonly term: string; readonly df: number }[])[];
  /** True when a bound made some of them estimates. */
  readonly estimated: boolean;
}

/** Matches of one level, counted as pages. */
export interface MatchCounts {
  readonly total: number;
  readonly totalIsLowerBound: boolean;
  readonly facets: Facets;
}

export interface MatchAnswer extends MatchCounts {
  /** The best document of each page. */
  readonly ranked: readonly RankedDocument[];
  /** True when every match was scored. */
  readonly exact: boolean;
  /** All that the asker may see. */
  readonly documents: number;
}

/** A document with all that decides its place, so that it can be ranked among those of other indexes. */
export interface Candidate extends RankedDocument {
  readonly page: number;
  readonly urlkey: string;
  readonly digest: string;
  readonly level: Level;
  /** Best impact of each unit, 0 to 255. */
  readonly impacts: Uint8Array;
  /** Path segments of its URL. */
  readonly depth: number;
  /** Absent for documents far from the best. */
  readonly look: CloseLook | undefined;
}

export interface CandidateAnswer {
  /** Best first, also several of a page. Matches of a stricter level than the last that was tried are all there. */
  readonly candidates: readonly Candidate[];
  /** Of each level that was tried, strictest first. */
  readonly levels: readonly (MatchCounts & { readonly level: Level })[];
  readonly statistics: UnitFrequencies & {
    /** Changes whenever the index does. */
    readonly epoch: string;
  };
  /** True when time ended before every candidate was scored. */
  readonly isCut: boolean;
}

/** A hit as a person sees it. Times are 14 digits as numbers. */
export interface PresentedDocument {
  readonly doc: number;
  readonly url: string;
  readonly collection: string;
  readonly title: string;
  readonly host: string;
  readonly mime: string;
  readonly language: string | undefined;
  readonly snippet: string;
  readonly timestamp: number;
  readonly captures: { readonly count: number; readonly first: number; readonly last: number };
}
