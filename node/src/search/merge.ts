/**
 * Hits of several indexes as one list: in the order in which one index that held everything would have them, as far as what
 * was returned tells. Frequencies are added up, every hit is scored anew, one page is one hit. The order in which answers
 * arrived changes nothing. Pure.
 */
import type { FeaturesMessage, LevelMessage, StatsMessage } from "../asfp/search-messages.ts";
import type { Level } from "../fulltext/question.ts";
import { compareKeys, rankHits, type Statistics } from "../fulltext/ranking.ts";
import { ENOUGH_MATCHES } from "../fulltext/relaxation.ts";
import { diversify } from "./diversify.ts";

/** How a hit is shown to a person. */
export interface LeafPresentation {
  readonly url: string;
  readonly timestamp: string;
  readonly title: string;
  /** HTML that is safe to show. */
  readonly snippet: string;
  readonly mime: string;
  readonly language: string | undefined;
  readonly collection: string;
  readonly captures: { readonly count: number; readonly first: string; readonly last: string };
}

export interface LeafHit {
  readonly urlkey: string;
  readonly digest: string;
  readonly host: string;
  /** Absent where the hits cannot be scored beside others. */
  readonly features: FeaturesMessage | undefined;
  /** Place in its node's own order. */
  readonly rank: number;
  /** Absent for hits that only have their say about the order. */
  readonly shown: LeafPresentation | undefined;
}

/** A checked answer of one index. */
export interface Leaf {
  readonly nodeId: string;
  readonly hits: readonly LeafHit[];
  /** Absent where the hits cannot be scored beside others. */
  readonly stats: StatsMessage | undefined;
  readonly levels: readonly LevelMessage[];
  readonly total: { readonly value: number; readonly relation: "eq" | "gte" } | undefined;
}

export interface MergedHit extends LeafPresentation {
  readonly host: string;
  readonly score: number;
  /** Node ids, in their order. */
  readonly sources: readonly string[];
}

export interface Merged {
  /** All that can be shown, in their order. */
  readonly hits: readonly MergedHit[];
  readonly total: number;
  readonly totalIsLowerBound: boolean;
  readonly facets: LevelMessage["facets"];
}

/** One text of a page, with all nodes that have it. */
interface Copy extends LeafHit {
  readonly features: FeaturesMessage;
  readonly sources: readonly string[];
}

interface Page {
  readonly urlkey: string;
  readonly digest: string;
  readonly host: string;
  readonly score: number;
  readonly simhash: readonly [number, number];
  readonly shown: LeafPresentation | undefined;
  readonly sources: readonly string[];
}

/** Constant of reciprocal rank fusion (Cormack 2009). */
const RECIPROCAL_RANK = 60;
const SHOWN_VALUES = 10;
const FACETS = ["host", "type", "language", "year"] as const;

export function mergeLeaves(unordered: readonly Leaf[]): Merged {
  const leaves = unordered.toSorted((a, b) => compareText(a.nodeId, b.nodeId));
  const scored = leaves.filter(({ stats }) => stats !== undefined);
  const copies = copiesOf(scored);
  const level = chooseLevel(copies);
  const matching = copies.filter(({ features }) => features.level <= level);
  const pages = onePerPage(rank(matching, addUp(scored)));
  const behind = byOwnRank(leaves.filter(({ stats }) => stats === undefined));
  const all = withSources([...diversify(pages), ...behind]);
  return {
    hits: all.flatMap(({ shown, host, score, sources }) =>
      shown === undefined ? [] : { ...shown, host, score, sources },
    ),
    ...totalOf(leaves, { level, pages: all.length, matching }),
    facets: addFacets(leaves.map((leaf) => levelEntry(leaf, level)?.facets)),
  };
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function keyOf({ urlkey, digest }: LeafHit): string {
  return `${urlkey}\n${digest}`;
}

function union(...lists: readonly (readonly string[])[]): readonly string[] {
  return [...new Set(lists.flat())].sort();
}

/** The same text of the same page from several nodes is one hit; of what they say about it the first node's counts. */
function copiesOf(leaves: readonly Leaf[]): readonly Copy[] {
  const copies = new Map<string, Copy>();
  for (const { nodeId, hits } of leaves) {
    for (const hit of hits) {
      if (hit.features === undefined) continue;
      const key = keyOf(hit);
      const known = copies.get(key);
      const copy: Copy = { ...hit, features: hit.features, sources: [nodeId] };
      copies.set(key, known === undefined ? copy : joined(known, copy));
    }
  }
  return [...copies.values()];
}

function joined(a: Copy, b: Copy): Copy {
  const { proximity = b.features.proximity, title = b.features.title } = a.features;
  const looked = proximity === undefined || title === undefined ? {} : { proximity, title };
  const level = Math.min(a.features.level, b.features.level) as Level;
  return {
    ...a,
    features: { ...a.features, ...looked, level },
    shown: joinShown(a.shown, b.shown),
    sources: union(a.sources, b.sources),
  };
}

/** The newest presentation, with the whole time in which anyone saw the page. */
function joinShown(a: LeafPresentation | undefined, b: LeafPresentation | undefined): LeafPresentation | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const newest = b.timestamp > a.timestamp ? b : a;
  const [first = ""] = [a.captures.first, b.captures.first].sort();
  const last = [a.captures.last, b.captures.last].sort().at(-1) ?? "";
  // Copies of the same captures are the usual case: added up, they would count twice.
  return { ...newest, captures: { count: Math.max(a.captures.count, b.captures.count), first, last } };
}

/** The strictest level at which all indexes together have enough matches. */
function chooseLevel(copies: readonly Copy[]): Level {
  const enough = (level: Level): boolean =>
    copies.filter(({ features }) => features.level <= level).length >= ENOUGH_MATCHES;
  return ([0, 1] as const).find(enough) ?? 2;
}

/** Documents and frequencies of all indexes; a unit is as common as its commonest term. */
function addUp(leaves: readonly Leaf[]): Statistics {
  const stats = leaves.flatMap((leaf) => leaf.stats ?? []);
  const units = Math.max(0, ...stats.map((one) => one.units.length));
  const frequencies = Array.from({ length: units }, (_, unit) => {
    const byTerm = new Map<string, number>();
    for (const { term, df } of stats.flatMap((one) => one.units[unit] ?? [])) {
      byTerm.set(term, (byTerm.get(term) ?? 0) + df);
    }
    return Math.max(0, ...byTerm.values());
  });
  return { documents: stats.reduce((sum, { docs }) => sum + docs, 0), frequencies };
}

function rank(copies: readonly Copy[], statistics: Statistics) {
  return rankHits(copies, statistics, {
    impacts: ({ features }) => features.impacts,
    depth: ({ features }) => features.depth,
    key: (hit) => hit,
    look: ({ features: { proximity, title } }) =>
      proximity === undefined || title === undefined ? undefined : { proximity, title },
  });
}

/** The best text of each page; it is shown as another one when only that one came with words to show. */
function onePerPage(ranked: ReturnType<typeof rank>): readonly Page[] {
  const pages = new Map<string, Page>();
  for (const { hit, score } of ranked) {
    const { urlkey, digest, host, sources, features } = hit;
    const known = pages.get(urlkey);
    pages.set(
      urlkey,
      known === undefined
        ? { ...{ urlkey, digest, host, score, sources }, shown: hit.shown, simhash: halves(features.simhash) }
        : { ...known, shown: known.shown ?? hit.shown, sources: union(known.sources, sources) },
    );
  }
  return [...pages.values()];
}

function halves(simhash: string): readonly [number, number] {
  return [Number.parseInt(simhash.slice(0, 8), 16), Number.parseInt(simhash.slice(8), 16)];
}

/** Hits that cannot be scored beside others: by the places that their own nodes gave them. */
function byOwnRank(leaves: readonly Leaf[]): readonly Page[] {
  return leaves
    .flatMap(({ nodeId, hits }) =>
      hits.map(({ urlkey, digest, host, shown, rank: place }) => ({
        ...{ urlkey, digest, host, shown, simhash: [0, 0] as const, sources: [nodeId] },
        score: 1 / (RECIPROCAL_RANK + place + 1),
      })),
    )
    .toSorted((a, b) => b.score - a.score || compareKeys(a, b) || compareText(a.sources[0] ?? "", b.sources[0] ?? ""));
}

/** A page that comes again further down only adds its nodes. */
function withSources(ordered: readonly Page[]): readonly Page[] {
  const pages = new Map<string, Page>();
  for (const page of ordered) {
    const known = pages.get(page.urlkey);
    pages.set(page.urlkey, known === undefined ? page : { ...known, sources: union(known.sources, page.sources) });
  }
  return [...pages.values()];
}

/** What an index counted at a level, or at the loosest below it that it tried. */
function levelEntry({ levels }: Leaf, level: Level): LevelMessage | undefined {
  return levels.filter((entry) => entry.level <= level).at(-1);
}

/**
 * Pages that match. Exact when every index returned all its matches, or only one has any. Else the sum, less what is known to
 * be held twice: a lower bound in name, for pages held twice further down are counted twice.
 */
function totalOf(
  leaves: readonly Leaf[],
  { level, pages, matching }: { readonly level: Level; readonly pages: number; readonly matching: readonly Copy[] },
): Pick<Merged, "total" | "totalIsLowerBound"> {
  const counted = leaves.map((leaf) => {
    const entry = levelEntry(leaf, level)?.total ?? leaf.total ?? { value: leaf.hits.length, relation: "gte" as const };
    const own = leaf.stats === undefined ? leaf.hits : matching.filter(({ sources }) => sources.includes(leaf.nodeId));
    return { ...entry, returned: new Set(own.map(({ urlkey }) => urlkey)).size };
  });
  const isEach = counted.every(({ relation }) => relation === "eq");
  const isComplete = counted.every(({ value, returned }) => returned >= value);
  const holders = counted.filter(({ value }) => value > 0).length;
  const returned = counted.reduce((sum, one) => sum + one.returned, 0);
  const sum = counted.reduce((all, { value }) => all + value, 0);
  const total = Math.max(pages, sum - (returned - pages));
  return { total, totalIsLowerBound: !isEach || (!isComplete && holders > 1) };
}

function addFacets(all: readonly (LevelMessage["facets"] | undefined)[]): LevelMessage["facets"] {
  const added = FACETS.map((name) => {
    const counts = new Map<string, number>();
    for (const { value, count } of all.flatMap((facets) => facets?.[name] ?? [])) {
      counts.set(value, (counts.get(value) ?? 0) + count);
    }
    const values = [...counts].map(([value, count]) => ({ value, count }));
    return values.toSorted((a, b) => b.count - a.count || compareText(a.value, b.value)).slice(0, SHOWN_VALUES);
  });
  const [host = [], type = [], language = [], year = []] = added;
  return { host, type, language, year };
}
