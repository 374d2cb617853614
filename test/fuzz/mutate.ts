/**
 * Inputs of the fuzzer: pieces (records) in a wrapping, so that mutations reach what lies under the compression as well as
 * the compressed bytes themselves.
 */
import { gzipSync, zstdCompressSync } from "node:zlib";
import { gzipEach, zstdEach } from "../testkit/warc-builder.ts";
import type { Random } from "./random.ts";

export type Wrapping = "plain" | "gzip" | "gzip-whole" | "zstd" | "zstd-whole";
export const WRAPPINGS: readonly Wrapping[] = ["plain", "gzip", "gzip-whole", "zstd", "zstd-whole"];

export interface FuzzInput {
  readonly wrapping: Wrapping;
  readonly pieces: readonly Buffer[];
}

/** Longest input, bytes: long enough for several records, short enough for hundreds of runs a second. */
export const MAX_INPUT_BYTES = 1 << 16;
const MAX_PIECES = 12;

/** What numbers in headers and lengths of chunks become. */
const NUMBERS = [
  "0",
  "1",
  "-1",
  "+5",
  "65535",
  "1048577",
  "4294967296",
  "9007199254740991",
  "99999999999999999999",
  "ff",
  "",
];
/** Words that readers treat in a way of their own. */
const WORDS = [
  "WARC/1.0\r\n",
  "WARC/1.1\r\nContent-Length: 0\r\n\r\n",
  "\r\n\r\n",
  "\n\n",
  "\r\n ",
  "Content-Length: 3\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Content-Encoding: gzip\r\n",
  "Content-Encoding: br, zstd, deflate\r\n",
  "WARC-Type: request\r\n",
  "WARC-Payload-Digest: sha1:AAAA\r\n",
  "WARC-Target-URI: http://[::1]:99999/%%%zz?&&=\r\n",
  "HTTP/1.1 999 \r\n",
  "5;a=b\r\nhello\r\n",
  "\x1f\x8b\x08\x00",
  "\x28\xb5\x2f\xfd",
  "\x5d\x2a\x4d\x18\xff\xff\xff\xff",
  "http://x/ 1.2.3.4 20260102030405 text/html 4\n",
  '{"a":[{"b":null}]}',
  "%u0000\ud800",
];

export function wrapped(input: FuzzInput): Buffer {
  switch (input.wrapping) {
    case "plain":
      return Buffer.concat(input.pieces);
    case "gzip":
      return gzipEach(input.pieces);
    case "gzip-whole":
      return gzipSync(Buffer.concat(input.pieces));
    case "zstd":
      return zstdEach(input.pieces);
    case "zstd-whole":
      return zstdCompressSync(Buffer.concat(input.pieces));
  }
}

/** One to four changes to pieces or wrapping. */
export function mutateInput(input: FuzzInput, corpus: readonly FuzzInput[], random: Random): FuzzInput {
  let mutant = input;
  for (let left = 1 + random.below(4); left > 0; left--) mutant = mutateOnce(mutant, corpus, random);
  return mutant;
}

function mutateOnce(input: FuzzInput, corpus: readonly FuzzInput[], random: Random): FuzzInput {
  if (random.below(12) === 0) return { ...input, wrapping: random.pick(WRAPPINGS) };
  const pieces = [...input.pieces];
  const at = random.below(Math.max(1, pieces.length));
  const other = random.pick(corpus);
  const guest = other.pieces.length === 0 ? Buffer.alloc(0) : random.pick(other.pieces);
  const kind = random.below(10);
  if (kind === 0 && pieces.length < MAX_PIECES) pieces.splice(at, 0, guest);
  else if (kind === 1 && pieces.length > 1) pieces.splice(at, 1);
  else pieces[at] = mutateBytes(pieces[at] ?? guest, guest, random);
  return { ...input, pieces };
}

/** One change to bytes. @param guest - where spliced parts come from */
export function mutateBytes(bytes: Buffer, guest: Buffer, random: Random): Buffer {
  const at = random.below(bytes.length + 1);
  const length = random.below(Math.min(64, bytes.length - at) + 1);
  const replaced = (middle: Uint8Array, removed = length): Buffer =>
    Buffer.concat([bytes.subarray(0, at), middle, bytes.subarray(at + removed)]).subarray(0, MAX_INPUT_BYTES);
  switch (random.below(8)) {
    case 0:
      return replaced(new Uint8Array(0));
    case 1:
      return bytes.subarray(0, at);
    case 2:
      return replaced(bytes.subarray(at, at + length), 0);
    case 3:
      return replaced(Buffer.from(random.pick(WORDS), "latin1"), random.below(2) * length);
    case 4: {
      const from = random.below(guest.length + 1);
      return replaced(guest.subarray(from, from + random.below(512)), random.below(2) * length);
    }
    case 5:
      return editedNumber(bytes, random);
    case 6:
      return replaced(Buffer.alloc(random.below(2048), random.below(256)), 0);
    default:
      return flipped(bytes, at, random);
  }
}

function flipped(bytes: Buffer, at: number, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
  return copy;
}

/** Replaces one run of digits: lengths, status codes, dates. */
function editedNumber(bytes: Buffer, random: Random): Buffer {
  const text = bytes.toString("latin1");
  const runs = [...text.matchAll(/\d+/g)];
  if (runs.length === 0) return bytes;
  const run = random.pick(runs);
  const edited = text.slice(0, run.index) + random.pick(NUMBERS) + text.slice(run.index + run[0].length);
  return Buffer.from(edited, "latin1").subarray(0, MAX_INPUT_BYTES);
}
