/** 64-bit simhash of a page's terms (Charikar 2002): near-identical texts differ in few bits. Pure. */

const BITS = 32;
/** FNV-1a with two seeds gives the two halves; speed matters more than strength here. */
const SEEDS = [0x811c9dc5, 0x9747b28c] as const;

function hash(term: string, seed: number): number {
  let value = seed;
  for (let index = 0; index < term.length; index += 1) {
    value = Math.imul(value ^ term.charCodeAt(index), 0x01000193);
  }
  value ^= value >>> 15;
  value = Math.imul(value, 0x2c1b3c6d);
  return (value ^ (value >>> 13)) >>> 0;
}

function half(weights: ReadonlyMap<string, number>, seed: number): number {
  // Weight of the terms that have a bit; the rest of the weight speaks against it.
  const sums = new Float64Array(BITS);
  let all = 0;
  for (const [term, weight] of weights) {
    all += weight;
    for (let rest = hash(term, seed); rest !== 0; rest &= rest - 1) {
      const bit = 31 - Math.clz32(rest & -rest);
      sums[bit] = (sums[bit] ?? 0) + weight;
    }
  }
  return sums.reduce((value, sum, bit) => (2 * sum > all ? value | (1 << bit) : value), 0) >>> 0;
}

/** @returns two unsigned 32-bit halves */
export function simhash(weights: ReadonlyMap<string, number>): readonly [number, number] {
  return [half(weights, SEEDS[0]), half(weights, SEEDS[1])];
}

function ones(value: number): number {
  let count = 0;
  for (let rest = value; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}

/** Bits in which two simhashes differ, 0 to 64. */
export function simhashDistance(a: readonly [number, number], b: readonly [number, number]): number {
  return ones(a[0] ^ b[0]) + ones(a[1] ^ b[1]);
}
