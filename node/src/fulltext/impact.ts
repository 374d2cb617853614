/**
 * How much a page is about a term, on its own: BM25F term weight, saturated. Pure.
 *
 * Field lengths are compared with fixed pivots, not with the index's averages, so that a page's impact never changes
 * when other pages arrive: impacts can be stored, ordered and bounded.
 */

export interface AnalysedFields {
  readonly title: readonly string[];
  readonly headings: readonly string[];
  readonly body: readonly string[];
  readonly url: readonly string[];
}

interface FieldRule {
  readonly weight: number;
  /** Strength of the length norm, 0 to 1. */
  readonly b: number;
  /** Length with norm 1, terms. */
  readonly pivot: number;
}

/** First estimates; test/node/relevance.test.ts guards them as a whole. */
const FIELDS: Readonly<Record<keyof AnalysedFields, FieldRule>> = {
  title: { weight: 4, b: 0.6, pivot: 8 },
  headings: { weight: 2.5, b: 0.5, pivot: 30 },
  body: { weight: 1, b: 0.7, pivot: 500 },
  url: { weight: 2, b: 0.4, pivot: 8 },
};

/** BM25's saturation. */
const K1 = 1.2;
/** Impacts are stored in one byte. */
export const IMPACT_MAX = 255;
/**
 * Lowest impact that enters a term's champion list. At the pivot length a body has it with two occurrences, a title
 * with one. A page outside a list is below this.
 */
export const CHAMPION_IMPACT = Math.round(0.6 * IMPACT_MAX);

/** Stored impact (1 to 255) of every term of a page. */
export function impacts(fields: AnalysedFields): Map<string, number> {
  const weights = new Map<string, number>();
  for (const name of ["title", "headings", "body", "url"] as const) {
    const terms = fields[name];
    const rule = FIELDS[name];
    const step = rule.weight / (1 - rule.b + (rule.b * terms.length) / rule.pivot);
    for (const term of terms) weights.set(term, (weights.get(term) ?? 0) + step);
  }
  for (const [term, weight] of weights) {
    weights.set(term, Math.max(1, Math.round((IMPACT_MAX * weight) / (K1 + weight))));
  }
  return weights;
}

/** BM25 inverse document frequency, never negative. */
export function inverseFrequency(documents: number, df: number): number {
  return Math.log(1 + (documents - df + 0.5) / (df + 0.5));
}
