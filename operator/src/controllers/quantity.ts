/** Kubernetes quantities (`10Gi`, `500M`, `2`) as bytes, for comparing sizes. Takes whatever the API takes. */

/** Powers of ten, so that `1000m` is exactly 1. */
const DECIMAL: ReadonlyMap<string, number> = new Map([
  ["n", -9],
  ["u", -6],
  ["m", -3],
  ["", 0],
  ["k", 3],
  ["M", 6],
  ["G", 9],
  ["T", 12],
  ["P", 15],
  ["E", 18],
]);
/** Powers of 1024, from the first. */
const BINARY = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const QUANTITY = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([KMGTPE]i|[numkMGTPE])|[eE]([+-]?\d+))?$/;
/** The API server stores nothing larger: it cuts down to this. */
const LARGEST = 2 ** 63;

/**
 * Bytes of a quantity. Above 2^53 the result is rounded, which comparing volume sizes can bear.
 *
 * @throws {RangeError} the text is not a quantity
 */
export function quantityBytes(quantity: string | number): number {
  const match = QUANTITY.exec(String(quantity));
  if (match === null) throw new RangeError(`not a quantity: ${quantity}`);
  const [, digits, suffix = "", exponent] = match;
  const power = exponent ?? DECIMAL.get(suffix) ?? 0;
  return Math.min(LARGEST, Number(`${digits}e${power}`) * 1024 ** (BINARY.indexOf(suffix) + 1));
}
