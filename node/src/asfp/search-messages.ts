/**
 * Messages of `POST /search`: what a node asks a peer's index and what that answers from it alone, with their limits. The
 * first two members of a request and the plain members of a result are the protocol document's; all else is optional, so
 * that a peer which knows only the document asks and answers too. Members that are not named here are passed over.
 */
import Type, { type Static } from "typebox";

/** Numbers of the protocol's table of limits. */
export const SEARCH_LIMITS = {
  requestBytes: 4 * 1024,
  answerBytes: 1024 * 1024,
  queryBytes: 1024,
  /** Results that are shown to a person. */
  size: 100,
  /** Results and further hits with their features together. */
  hits: 400,
  /** Words of a question; one that is written without spaces has many. */
  units: 512,
  /** Index terms that count as one word; a prefix stands for most. */
  termsPerUnit: 100,
  /** Values of a facet. */
  facetValues: 50,
  /** Documents of one archive: more than any has. */
  documents: 100_000_000_000,
  leastTimeoutMs: 50,
  mostTimeoutMs: 10_000,
  defaultTimeoutMs: 2_000,
  perSecond: 10,
  burst: 20,
  concurrent: 64,
} as const;

const Time = Type.String({ pattern: "^[0-9]{4,14}$" });
const Value = Type.String({ minLength: 1, maxLength: 255 });
const Values = Type.Array(Value, { maxItems: 16 });
const Flag = Type.Optional(Type.Boolean());

export const SearchFiltersSchema = Type.Object({
  /** Inclusive capture times, 4 to 14 digits. */
  from: Type.Optional(Time),
  to: Type.Optional(Time),
  /** A host and those below it; `*.` before it changes nothing. */
  host: Type.Optional(Value),
  mime: Type.Optional(Values),
  lang: Type.Optional(Values),
  /** Names of collections; absent: all that the caller may read. */
  collections: Type.Optional(Type.Array(Value, { maxItems: 64 })),
});
export type SearchFilters = Static<typeof SearchFiltersSchema>;

export const SearchRequestSchema = Type.Object({
  query: Type.String({ minLength: 1, maxLength: SEARCH_LIMITS.queryBytes }),
  /** What is left of the asker's time when the request arrives. */
  timeout_ms: Type.Optional(Type.Number({ minimum: 0 })),
  query_id: Type.Optional(Type.String({ maxLength: 64 })),
  size: Type.Optional(Type.Integer({ minimum: 1, maximum: SEARCH_LIMITS.size })),
  /** Features of each hit, and hits beyond `size` with nothing else. */
  features: Flag,
  stats: Flag,
  /** How often the question was handed on; a node answers only what comes from the asker itself. */
  hops: Type.Optional(Type.Integer({ minimum: 0 })),
  filters: Type.Optional(SearchFiltersSchema),
  /** For whom the caller asks. `member`: someone who may see its own Federation collections. Absent or unknown: `public`. */
  audience: Type.Optional(Type.String({ maxLength: 32 })),
});
export type SearchRequestMessage = Static<typeof SearchRequestSchema>;

const Timestamp = Type.String({ pattern: "^[0-9]{14}$" });
const Count = Type.Integer({ minimum: 0, maximum: SEARCH_LIMITS.documents });
const Key = Type.String({ minLength: 1, maxLength: 10_000 });
const Digest = Type.String({ maxLength: 200 });
const Host = Type.String({ maxLength: 255 });

/** What the place of a hit is computed from; see `fulltext/ranking.ts`. */
export const FeaturesSchema = Type.Object({
  /** 0: everything asked matches. 1: all plain words but one. 2: any. */
  level: Type.Union([Type.Literal(0), Type.Literal(1), Type.Literal(2)]),
  impacts: Type.Array(Type.Integer({ minimum: 0, maximum: 255 }), { maxItems: SEARCH_LIMITS.units }),
  depth: Type.Integer({ minimum: 0, maximum: 255 }),
  simhash: Type.String({ pattern: "^[0-9a-f]{16}$" }),
  /** Absent together with `title` for hits far from the best. */
  proximity: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  title: Type.Optional(
    Type.Object({
      units: Type.Array(Type.Integer({ minimum: 0, maximum: SEARCH_LIMITS.units - 1 }), { maxItems: 100 }),
      length: Type.Integer({ minimum: 0, maximum: 100 }),
    }),
  ),
});
export type FeaturesMessage = Static<typeof FeaturesSchema>;

export const SearchResultSchema = Type.Object({
  url: Type.String({ minLength: 1, maxLength: 8192 }),
  urlkey: Key,
  /** Newest capture that matches. */
  timestamp: Timestamp,
  digest: Digest,
  title: Type.String({ maxLength: 4096 }),
  /** HTML: escaped text with `<mark>` around matches. */
  snippet: Type.String({ maxLength: 4096 }),
  /** By the answering node's own statistics. */
  score: Type.Number(),
  host: Type.Optional(Host),
  mime: Type.Optional(Type.String({ maxLength: 255 })),
  language: Type.Optional(Type.String({ maxLength: 35 })),
  collection: Type.Optional(Type.String({ pattern: "^[a-z0-9]([-_a-z0-9]*[a-z0-9])?$", maxLength: 63 })),
  captures: Type.Optional(Type.Object({ count: Count, first: Timestamp, last: Timestamp })),
  features: Type.Optional(FeaturesSchema),
});
export type SearchResultMessage = Static<typeof SearchResultSchema>;

/** A hit that only has its say about the order. */
export const OtherHitSchema = Type.Object({ urlkey: Key, digest: Digest, host: Host, features: FeaturesSchema });
export type OtherHitMessage = Static<typeof OtherHitSchema>;

const Total = Type.Object({ value: Count, relation: Type.Union([Type.Literal("eq"), Type.Literal("gte")]) });
const Facet = Type.Array(Type.Object({ value: Type.String({ maxLength: 255 }), count: Count }), {
  maxItems: SEARCH_LIMITS.facetValues,
});

export const LevelSchema = Type.Object({
  level: Type.Union([Type.Literal(0), Type.Literal(1), Type.Literal(2)]),
  total: Total,
  facets: Type.Object({ host: Facet, type: Facet, language: Facet, year: Facet }),
});
export type LevelMessage = Static<typeof LevelSchema>;

export const StatsSchema = Type.Object({
  /** Changes whenever the index does. */
  epoch: Type.String({ maxLength: 64 }),
  /** Documents that the asker may see. */
  docs: Count,
  /** Of each word of the question its index terms, and how many of these documents have them. */
  units: Type.Array(
    Type.Array(Type.Object({ term: Type.String({ maxLength: 1_000 }), df: Count }), {
      maxItems: SEARCH_LIMITS.termsPerUnit,
    }),
    { maxItems: SEARCH_LIMITS.units },
  ),
  analyzer: Type.String({ maxLength: 64 }),
  scorer: Type.String({ maxLength: 64 }),
  /** Some of these numbers are estimates, because counting them would have taken too long. */
  estimated: Flag,
});
export type StatsMessage = Static<typeof StatsSchema>;

export const SearchAnswerSchema = Type.Object({
  query_id: Type.Optional(Type.String({ maxLength: 64 })),
  took_ms: Type.Optional(Type.Number({ minimum: 0 })),
  /** The time was over before all of the index was asked. */
  timed_out: Flag,
  total: Type.Optional(Total),
  stats: Type.Optional(StatsSchema),
  /** Totals and facets of each level that was tried, strictest first. */
  levels: Type.Optional(Type.Array(LevelSchema, { maxItems: 3 })),
  /** Best first. */
  results: Type.Array(SearchResultSchema, { maxItems: SEARCH_LIMITS.size }),
  others: Type.Optional(Type.Array(OtherHitSchema, { maxItems: SEARCH_LIMITS.hits })),
});
export type SearchAnswerMessage = Static<typeof SearchAnswerSchema>;
