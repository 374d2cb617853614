/** Kubernetes quantities (`10Gi`, `500M`, `2`) as bytes, for comparing sizes. Not for cpu shares below one. */

const SUFFIX: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};
const QUANTITY = /^\+?(\d+(?:\.\d+)?|\.\d+)(?:([kMGTPE]i?|Ki)|[eE]([+-]?\d+))?$/;

/**
 * Bytes of a quantity. Above 2^53 the result is rounded, which comparing volume sizes can bear.
 *
 * @throws {RangeError} the text is not a quantity of whole units
 */
export function quantityBytes(quantity: string | number): number {
  const match = QUANTITY.exec(String(quantity));
  const factor = SUFFIX[match?.[2] ?? ""];
  if (match === null || factor === undefined) throw new RangeError(`not a quantity: ${quantity}`);
  return Number(match[1]) * factor * 10 ** Number(match[3] ?? 0);
}
