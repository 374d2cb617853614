/**
 * The order of hits, computed from their features and from statistics that are given: BM25F by stored impacts first, then,
 * for the best of them, how close the words stand together and how well the title covers them. A node orders its own hits
 * with it, and those of its peers, so that both orders are one. Pure.
 */
import { IMPACT_MAX, inverseFrequency } from "./impact.ts";

/** Name of these rules. Change it whenever a change here or in features.ts changes any score. */
export const SCORER = "archivestream-1";

/** Best hits by rough score that are looked at closely (word order, title). */
export const CLOSE_LOOKS = 60;

export interface TitleFeature {
  /** Units of the title's words, in its order; words that the question did not ask for are left out. */
  readonly units: readonly number[];
  /** Words of the title. */
  readonly length: number;
}

/** What costs a look into the document. */
export interface CloseLook {
  /** 1 = the words stand side by side in order, 0 = never near. */
  readonly proximity: number;
  readonly title: TitleFeature;
}

/** Of all documents that the asker may see. */
export interface Statistics {
  readonly documents: number;
  /** Documents with each unit of the question. */
  readonly frequencies: readonly number[];
}

/** Where the features of hits come from. Keys are asked for often: remember them. */
export interface RankingSource<H> {
  /** Impact of each unit, 0 to 255; 0 = the document does not have it. */
  readonly impacts: (hit: H) => ArrayLike<number>;
  readonly depth: (hit: H) => number;
  readonly key: (hit: H) => HitKey;
  /** `undefined`: the hit keeps its rough score. */
  readonly look: (hit: H) => CloseLook | undefined;
}

/** Decides between hits of the same score, the same way in every index. */
export interface HitKey {
  readonly urlkey: string;
  readonly digest: string;
}

export interface RankedHit<H> {
  readonly hit: H;
  readonly score: number;
}

interface Rough {
  /** Weighted impacts. */
  readonly base: number;
  /** Share of the question's units that the document has. */
  readonly coverage: number;
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

export function compareKeys(a: HitKey, b: HitKey): number {
  return compareText(a.urlkey, b.urlkey) || compareText(a.digest, b.digest);
}

// A plain loop: it runs for thousands of documents a question.
function rough(impacts: ArrayLike<number>, weights: Float64Array): Rough {
  const units = weights.length;
  if (units === 0) return { base: 0, coverage: 1 };
  let base = 0;
  let present = 0;
  for (let unit = 0; unit < units; unit += 1) {
    const impact = impacts[unit] ?? 0;
    if (impact === 0) continue;
    base += ((weights[unit] ?? 0) * impact) / IMPACT_MAX;
    present += 1;
  }
  return { base, coverage: present / units };
}

/** First estimates; test/node/relevance.test.ts guards the whole, no factor has been tuned alone. */
const WEIGHTS = { proximity: 0.35, title: 0.3, titleFocus: 0.25, depth: 0.01 } as const;
const MAX_DEPTH = 8;

/** By how much a close look raises a score: nearness, share of the question in the title, share of the title asked for. */
function boost({ proximity, title }: CloseLook, depth: number, weights: Float64Array): number {
  const inTitle = new Set(title.units);
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const covered = weights.reduce((sum, weight, unit) => sum + (inTitle.has(unit) ? weight : 0), 0);
  const coverage = all === 0 ? 0 : covered / all;
  const focus = title.length === 0 ? 0 : title.units.length / title.length;
  return (
    1 +
    WEIGHTS.proximity * proximity +
    WEIGHTS.title * coverage +
    WEIGHTS.titleFocus * coverage * focus -
    WEIGHTS.depth * Math.min(MAX_DEPTH, depth)
  );
}

/** Hits with their scores, best first. The order of `hits` decides nothing, unless two have the same key. */
export function rankHits<H>(
  hits: readonly H[],
  statistics: Statistics,
  source: RankingSource<H>,
): readonly RankedHit<H>[] {
  const { documents, frequencies } = statistics;
  const weights = Float64Array.from(frequencies, (df) => inverseFrequency(documents, df));
  const better = (a: RankedHit<H>, b: RankedHit<H>): number =>
    b.score - a.score || compareKeys(source.key(a.hit), source.key(b.hit));
  const byRoughScore = hits
    .map((hit) => {
      const { base, coverage } = rough(source.impacts(hit), weights);
      return { hit, score: base * Math.sqrt(coverage) };
    })
    .toSorted(better);
  return byRoughScore
    .map(({ hit, score }, place) => {
      const look = place < CLOSE_LOOKS && weights.length > 0 ? source.look(hit) : undefined;
      return { hit, score: look === undefined ? score : score * boost(look, source.depth(hit), weights) };
    })
    .toSorted(better);
}
