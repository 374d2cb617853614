/**
 * Ranking of candidates: BM25F by stored impacts first, then, for the best of them, how close the words stand together
 * and how well the title covers them. Pure.
 */
import { IMPACT_MAX, inverseFrequency } from "./impact.ts";
import { readImpacts } from "./packing.ts";
import type { Unit } from "./resolve.ts";

/** Unit numbers by term id, and the ids in ascending order, as the scorer wants them. */
export interface ScoringPlan {
  readonly ids: Uint32Array;
  /** Unit of each id in `ids`. */
  readonly unitOfId: Uint32Array;
  readonly weights: Float64Array;
  readonly unitByTermId: ReadonlyMap<number, number>;
}

export function planScoring(units: readonly Unit[], documents: number): ScoringPlan {
  const unitByTermId = new Map<number, number>();
  units.forEach((unit, index) => {
    for (const { id } of unit.terms) if (!unitByTermId.has(id)) unitByTermId.set(id, index);
  });
  const ids = Uint32Array.from(unitByTermId.keys()).sort();
  return {
    ids,
    unitOfId: ids.map((id) => unitByTermId.get(id) ?? 0),
    weights: Float64Array.from(units, (unit) => inverseFrequency(documents, unit.df)),
    unitByTermId,
  };
}

export interface BaseScore {
  readonly score: number;
  /** Which units the document has: bit per unit (the first 31). */
  readonly units: number;
}

// Plain loops below: they run for thousands of documents a question.

/** Best impact of each unit among its terms. */
function bestOfUnits(found: Uint8Array, unitOfId: Uint32Array, best: Uint8Array): void {
  best.fill(0);
  for (let index = 0; index < found.length; index += 1) {
    const impact = found[index] ?? 0;
    const unit = unitOfId[index] ?? 0;
    if (impact > (best[unit] ?? 0)) best[unit] = impact;
  }
}

function weigh(best: Uint8Array, weights: Float64Array): BaseScore {
  let score = 0;
  let units = 0;
  for (let unit = 0; unit < best.length; unit += 1) {
    const impact = best[unit] ?? 0;
    if (impact === 0) continue;
    score += ((weights[unit] ?? 0) * impact) / IMPACT_MAX;
    if (unit < 31) units |= 1 << unit;
  }
  return { score, units };
}

/** A function that scores packed documents; it reuses its buffers, so one belongs to one question. */
export function createScorer(plan: ScoringPlan): (packed: Uint8Array) => BaseScore {
  const found = new Uint8Array(plan.ids.length);
  const best = new Uint8Array(plan.weights.length);
  return (packed) => {
    readImpacts(packed, plan.ids, found);
    bestOfUnits(found, plan.unitOfId, best);
    return weigh(best, plan.weights);
  };
}

/** Words further apart than this say nothing about each other. */
const PROXIMITY_SPAN = 12;

/**
 * How close neighbouring words of the question stand in a text: 1 = side by side in order, 0 = never near.
 *
 * @param sequence - term ids of the text in order
 */
export function proximity(sequence: Uint32Array, plan: ScoringPlan): number {
  const count = plan.weights.length;
  if (count < 2) return 0;
  const lastAt = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
  const nearest = new Float64Array(count - 1).fill(PROXIMITY_SPAN);
  const meet = (pair: number, distance: number): void => {
    if (distance < (nearest[pair] ?? 0)) nearest[pair] = distance;
  };
  sequence.forEach((id, at) => {
    const unit = plan.unitByTermId.get(id);
    if (unit === undefined) return;
    lastAt[unit] = at;
    meet(unit - 1, at - (lastAt[unit - 1] ?? 0));
    // Out of order counts half a step more.
    meet(unit, at - (lastAt[unit + 1] ?? Number.NEGATIVE_INFINITY) + 0.5);
  });
  return nearest.reduce((sum, distance) => sum + (PROXIMITY_SPAN - distance) / (PROXIMITY_SPAN - 1), 0) / (count - 1);
}

export interface TitleFit {
  /** Share of the question's words, by weight, that stand in the title. */
  readonly coverage: number;
  /** Share of the title's words that the question asked for. */
  readonly focus: number;
}

export function titleFit(title: readonly (number | undefined)[], weights: Float64Array): TitleFit {
  const units = new Set(title.flatMap((unit) => unit ?? []));
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const covered = weights.reduce((sum, weight, unit) => sum + (units.has(unit) ? weight : 0), 0);
  const asked = title.filter((unit) => unit !== undefined).length;
  return { coverage: all === 0 ? 0 : covered / all, focus: title.length === 0 ? 0 : asked / title.length };
}

export interface Features {
  readonly base: number;
  /** Share of the question's words that the document has. */
  readonly coverage: number;
  readonly proximity: number;
  readonly title: TitleFit;
  readonly urlDepth: number;
}

/** First estimates; test/node/relevance.test.ts guards the whole, no factor has been tuned alone. */
const WEIGHTS = { proximity: 0.35, title: 0.3, titleFocus: 0.25, depth: 0.01 } as const;
const MAX_DEPTH = 8;

/** Final score of a document. */
export function finalScore(features: Features): number {
  const boost =
    1 +
    WEIGHTS.proximity * features.proximity +
    WEIGHTS.title * features.title.coverage +
    WEIGHTS.titleFocus * features.title.coverage * features.title.focus -
    WEIGHTS.depth * Math.min(MAX_DEPTH, features.urlDepth);
  return features.base * Math.sqrt(features.coverage) * boost;
}
