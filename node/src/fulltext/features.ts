/**
 * What counts for ranking, read from the packed forms of a document: the impact of each of the question's units, how close
 * they stand together, which of them the title has. Nothing here depends on other documents. Pure.
 */
import { termOf } from "./analyzer.ts";
import { readImpacts } from "./packing.ts";
import type { TitleFeature } from "./ranking.ts";
import type { Unit } from "./resolve.ts";
import { visitWords } from "./tokens.ts";

/** The units of a question by term id and by term. */
export interface ReadingPlan {
  /** Term ids, ascending. */
  readonly ids: Uint32Array;
  /** Unit of each id in `ids`. */
  readonly unitOfId: Uint32Array;
  readonly units: number;
  readonly unitByTermId: ReadonlyMap<number, number>;
  readonly unitByTerm: ReadonlyMap<string, number>;
}

export function planReading(units: readonly Unit[]): ReadingPlan {
  const unitByTermId = new Map<number, number>();
  const unitByTerm = new Map<string, number>();
  units.forEach((unit, index) => {
    for (const { id, term } of unit.terms) {
      // A term that two words of the question stand for counts for the first.
      if (unitByTermId.has(id)) continue;
      unitByTermId.set(id, index);
      unitByTerm.set(term, index);
    }
  });
  const ids = Uint32Array.from(unitByTermId.keys()).sort();
  const unitOfId = ids.map((id) => unitByTermId.get(id) ?? 0);
  return { ids, unitOfId, units: units.length, unitByTermId, unitByTerm };
}

/** A function that reads the best impact of each unit from packed documents; its buffer belongs to one question. */
export function createImpactReader({ ids, unitOfId, units }: ReadingPlan): (packed: Uint8Array) => Uint8Array {
  const found = new Uint8Array(ids.length);
  return (packed) => {
    readImpacts(packed, ids, found);
    const best = new Uint8Array(units);
    // A plain loop: it runs for thousands of documents a question.
    for (let index = 0; index < found.length; index += 1) {
      const impact = found[index] ?? 0;
      const unit = unitOfId[index] ?? 0;
      if (impact > (best[unit] ?? 0)) best[unit] = impact;
    }
    return best;
  };
}

/** Words further apart than this say nothing about each other. */
const PROXIMITY_SPAN = 12;

/**
 * How close neighbouring words of the question stand in a text: 1 = side by side in order, 0 = never near.
 *
 * @param sequence - term ids of the text in order
 */
export function proximity(sequence: Uint32Array, { units, unitByTermId }: ReadingPlan): number {
  if (units < 2) return 0;
  const lastAt = new Float64Array(units).fill(Number.NEGATIVE_INFINITY);
  const nearest = new Float64Array(units - 1).fill(PROXIMITY_SPAN);
  const meet = (pair: number, distance: number): void => {
    if (distance < (nearest[pair] ?? 0)) nearest[pair] = distance;
  };
  sequence.forEach((id, at) => {
    const unit = unitByTermId.get(id);
    if (unit === undefined) return;
    lastAt[unit] = at;
    meet(unit - 1, at - (lastAt[unit - 1] ?? 0));
    // Out of order counts half a step more.
    meet(unit, at - (lastAt[unit + 1] ?? Number.NEGATIVE_INFINITY) + 0.5);
  });
  return nearest.reduce((sum, distance) => sum + (PROXIMITY_SPAN - distance) / (PROXIMITY_SPAN - 1), 0) / (units - 1);
}

/** Words of a title that are looked at; no heading a person wrote is longer. */
const TITLE_WORDS = 100;

/** Which units the words of a title are. */
export function titleFeature(title: string, language: string | undefined, plan: ReadingPlan): TitleFeature {
  const units: number[] = [];
  let length = 0;
  visitWords(title, (word) => {
    if (length >= TITLE_WORDS) return;
    length += 1;
    const unit = plan.unitByTerm.get(termOf(word, language));
    if (unit !== undefined) units.push(unit);
  });
  return { units, length };
}
