/**
 * Which pages are most about a word, told by the engine's own lists: a page's strong terms are indexed once more with their
 * tier of impact. The best pages of a word among any matches are then an intersection with short lists, whatever the size.
 */
import { CHAMPION_IMPACT, IMPACT_MAX } from "./impact.ts";

/** Private use, as filters (`facet-terms.ts`), and a letter of its own: no analysed word and no filter looks so. */
const MARK = "\u{e000}i";

/**
 * Distance to the highest impact, in powers of two: for the commonest words most pages are near the top, so that differences
 * are finest there. 0 is the best.
 */
function tierOf(impact: number): number {
  return 32 - Math.clz32(IMPACT_MAX - impact);
}

/** Tiers from the best to the one of `CHAMPION_IMPACT`. */
export const TIERS = tierOf(CHAMPION_IMPACT) + 1;

/** Index term of the pages that have a term in a tier. */
export function tierTerm(term: string, tier: number): string {
  return `${MARK}${tier}${term}`;
}

/** The tier terms of a page's strong terms. */
export function tierTerms(impacts: ReadonlyMap<string, number>): string[] {
  const strong: string[] = [];
  for (const [term, impact] of impacts) {
    if (impact >= CHAMPION_IMPACT) strong.push(tierTerm(term, tierOf(impact)));
  }
  return strong;
}
