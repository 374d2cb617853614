/**
 * Digest fields as (algorithm, bytes), whatever the spelling, and hashing of what passes by.
 *
 * Seen in the wild: `sha1:` in base32 and in hex of either case, `sha256:` hex or base32, base64, no prefix at all.
 */
import { createHash, type Hash, hash } from "node:crypto";

export interface ParsedDigest {
  readonly algorithm: string;
  readonly bytes: Buffer;
}

/** Digest lengths of what we can compute, bytes. */
const LENGTHS: ReadonlyMap<string, number> = new Map([
  ["md5", 16],
  ["sha1", 20],
  ["sha256", 32],
  ["sha384", 48],
  ["sha512", 64],
]);

/** @returns `undefined` for algorithms we cannot compute and values that are none of the spellings */
export function parseDigest(field: string): ParsedDigest | undefined {
  const text = field.trim();
  const colon = text.indexOf(":");
  const value = text.slice(colon + 1).trim();
  if (colon !== -1) {
    const algorithm = text.slice(0, colon).trim().toLowerCase().replace("-", "");
    const bytes = digestBytes(value, LENGTHS.get(algorithm) ?? 0);
    return bytes === undefined ? undefined : { algorithm, bytes };
  }
  for (const algorithm of ["sha1", "sha256", "md5"]) {
    const bytes = digestBytes(value, LENGTHS.get(algorithm) ?? 0);
    if (bytes !== undefined) return { algorithm, bytes };
  }
  return undefined;
}

/** One spelling for the same bytes, as most archives write it; what is none of the known spellings stays as it is. */
export function digestKey(field: string): string {
  const parsed = parseDigest(field);
  return parsed === undefined ? field : `${parsed.algorithm}:${toBase32(parsed.bytes)}`;
}

function digestBytes(value: string, length: number): Buffer | undefined {
  if (length === 0) return undefined;
  if (value.length === length * 2 && /^[0-9a-f]+$/i.test(value)) return Buffer.from(value, "hex");
  const unpadded = value.replace(/=+$/, "");
  if (unpadded.length === Math.ceil((length * 8) / 5) && /^[a-z2-7]+$/i.test(unpadded)) return fromBase32(unpadded);
  if (unpadded.length === Math.ceil((length * 8) / 6) && /^[\w+/-]+$/.test(unpadded))
    return Buffer.from(unpadded, "base64");
  return undefined;
}

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** RFC 4648 section 6 without padding, as `sha1:` values are written. */
export function toBase32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += BASE32[(held >> (bits - 5)) & 31];
  }
  return bits === 0 ? text : text + BASE32[(held << (5 - bits)) & 31];
}

function fromBase32(text: string): Buffer {
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const letter of text.toUpperCase()) {
    held = ((held << 5) | BASE32.indexOf(letter)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((held >> bits) & 0xff);
  }
  return Buffer.from(bytes);
}

/** Digest of bytes that are all there. One part is hashed in one call, at half the cost of a hash object for small ones. */
export function digestOf(algorithm: string, parts: readonly Uint8Array[]): Buffer {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return hash(algorithm, only, "buffer");
  const whole = createHash(algorithm);
  for (const part of parts) whole.update(part);
  return whole.digest();
}

/** Hashes the same bytes by several algorithms. */
export class MultiHash {
  readonly #hashes: ReadonlyMap<string, Hash>;
  #done: ReadonlyMap<string, Buffer> | undefined;

  constructor(algorithms: Iterable<string>) {
    this.#hashes = new Map([...new Set(algorithms)].map((name) => [name, createHash(name)]));
  }

  update(bytes: Uint8Array): void {
    for (const hash of this.#hashes.values()) hash.update(bytes);
  }

  digest(algorithm: string): Buffer | undefined {
    this.#done ??= new Map([...this.#hashes].map(([name, hash]) => [name, hash.digest()]));
    return this.#done.get(algorithm);
  }
}
