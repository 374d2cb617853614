/** What is asked of a full-text index and what it answers. Plain data: it crosses to worker threads and, later, to other engines. */

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

export interface MatchAnswer {
  readonly ranked: readonly RankedDocument[];
  /** Pages that match. */
  readonly total: number;
  readonly totalIsLowerBound: boolean;
  /** True when every match was scored. */
  readonly exact: boolean;
  readonly facets: {
    readonly host: readonly FacetCount[];
    readonly type: readonly FacetCount[];
    readonly language: readonly FacetCount[];
    readonly year: readonly FacetCount[];
  };
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
