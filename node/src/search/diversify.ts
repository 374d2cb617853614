/**
 * Reorders ranked hits so that one host, or many copies of one text, do not fill the first page. Pure. A host's first two
 * hits keep their score, later ones lose a tenth each; copies of a text already shown lose half. Hits of a single host
 * keep their order. Nothing is hidden.
 */
import { simhashDistance } from "../fulltext/simhash.ts";

const FREE_PER_HOST = 2;
const HOST_DECAY = 0.9;
const LOWEST_HOST_FACTOR = 0.5;
const COPY_FACTOR = 0.5;
/** Texts whose simhashes differ in no more bits are the same to a reader. */
const COPY_BITS = 3;
/** Reordered from the top; what comes below is rarely looked at. */
const WINDOW = 200;

function hostFactor(shown: number): number {
  return Math.max(LOWEST_HOST_FACTOR, HOST_DECAY ** Math.max(0, shown - FREE_PER_HOST + 1));
}

/** What decides where a hit is shown. */
export interface Diverse {
  readonly host: string;
  readonly score: number;
  readonly simhash: readonly [number, number];
}

/** Index of the best of the remaining hits, given what is shown already. Earlier wins a tie. */
function bestOf(hits: readonly { hit: Diverse; copy: boolean }[], perHost: ReadonlyMap<string, number>): number {
  let best = 0;
  let bestScore = Number.NEGATIVE_INFINITY;
  hits.forEach(({ hit, copy }, index) => {
    const score = hit.score * hostFactor(perHost.get(hit.host) ?? 0) * (copy ? COPY_FACTOR : 1);
    if (score > bestScore) {
      best = index;
      bestScore = score;
    }
  });
  return best;
}

/** The same hits in the order they are shown. */
export function diversify<H extends Diverse>(ranked: readonly H[]): H[] {
  const remaining = ranked.slice(0, WINDOW).map((hit) => ({ hit, copy: false }));
  const perHost = new Map<string, number>();
  const order: H[] = [];
  while (remaining.length > 0) {
    const [next] = remaining.splice(bestOf(remaining, perHost), 1);
    if (next === undefined) break;
    order.push(next.hit);
    perHost.set(next.hit.host, (perHost.get(next.hit.host) ?? 0) + 1);
    for (const other of remaining) other.copy ||= simhashDistance(next.hit.simhash, other.hit.simhash) <= COPY_BITS;
  }
  return [...order, ...ranked.slice(WINDOW)];
}
