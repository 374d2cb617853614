/** RFC 8785 canonical JSON: the bytes that are signed and hashed. */
import serialize from "canonicalize";

/** @throws {TypeError} `value` has no JSON form (undefined, a function, NaN) */
export function canonicalJson(value: unknown): string {
  const text = serialize(value);
  if (text === undefined) throw new TypeError("value has no JSON form");
  return text;
}
