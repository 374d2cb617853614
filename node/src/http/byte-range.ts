/** Single byte ranges of RFC 9110; several at once are answered with the whole file, as the RFC allows. */
export interface ByteRange {
  readonly start: number;
  /** Inclusive. */
  readonly end: number;
}

const SHAPE = /^bytes=(\d{0,15})-(\d{0,15})$/;

/** @returns `undefined` for the whole file, `"unsatisfiable"` for 416 */
export function parseRange(header: string | undefined, size: number): ByteRange | "unsatisfiable" | undefined {
  const match = SHAPE.exec(header ?? "");
  const [, first = "", last = ""] = match ?? [];
  if (match === null || (first === "" && last === "")) return undefined;
  if (first === "") {
    const length = Math.min(Number(last), size);
    return length === 0 ? "unsatisfiable" : { start: size - length, end: size - 1 };
  }
  const start = Number(first);
  const end = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== "" && Number(last) < start) return undefined;
  return start >= size ? "unsatisfiable" : { start, end };
}
