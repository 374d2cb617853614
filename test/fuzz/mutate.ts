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

/** What mutations draw from. */
export interface MutationSource {
  readonly corpus: readonly FuzzInput[];
  /** Pieces that the parser treats in a way of its own. */
  readonly words: readonly Uint8Array[];
  readonly random: Random;
}

/** One to four changes to pieces or wrapping; one most often, because every further one may spoil what the first did. */
export function mutateInput(input: FuzzInput, source: MutationSource): FuzzInput {
  let mutant = input;
  for (let left = 1 + source.random.below(1 + source.random.below(4)); left > 0; left--)
    mutant = mutateOnce(mutant, source);
  return mutant;
}

function mutateOnce(input: FuzzInput, source: MutationSource): FuzzInput {
  const { corpus, random } = source;
  const other = random.pick(corpus);
  if (random.below(12) === 0) return { ...input, wrapping: other.wrapping };
  const pieces = [...input.pieces];
  const at = random.below(Math.max(1, pieces.length));
  const guest = other.pieces.length === 0 ? Buffer.alloc(0) : random.pick(other.pieces);
  const kind = random.below(10);
  if (kind === 0 && pieces.length < MAX_PIECES) pieces.splice(at, 0, guest);
  else if (kind === 1 && pieces.length > 1) pieces.splice(at, 1);
  else pieces[at] = mutateBytes(pieces[at] ?? guest, guest, source);
  return { ...input, pieces };
}

/** One change to bytes. @param guest - where spliced parts come from */
export function mutateBytes(bytes: Buffer, guest: Buffer, { words, random }: Omit<MutationSource, "corpus">): Buffer {
  const at = random.below(bytes.length + 1);
  const length = random.below(Math.min(64, bytes.length - at) + 1);
  const replaced = (middle: Uint8Array, removed = length): Buffer =>
    Buffer.concat([bytes.subarray(0, at), middle, bytes.subarray(at + removed)]).subarray(0, MAX_INPUT_BYTES);
  switch (random.below(10)) {
    case 0:
      return replaced(new Uint8Array(0));
    case 1:
      return bytes.subarray(0, at);
    case 2:
      return replaced(bytes.subarray(at, at + length), 0);
    case 3:
      return replaced(random.pick(words), random.below(2) * length);
    case 4: {
      const from = random.below(guest.length + 1);
      return replaced(guest.subarray(from, from + random.below(512)), random.below(2) * length);
    }
    case 5:
      return editedNumber(bytes, random);
    case 6:
      return replaced(Buffer.alloc(runLength(2048, random), random.below(256)), 0);
    case 7:
      return replaced(repeated(bytes.subarray(at, at + length), random), length);
    case 8:
      return replaced(Buffer.of(random.below(256)), 1);
    default:
      return flipped(bytes, at, random);
  }
}

/** Long runs are rare: they take longer, and in what is kept of them the places that matter are hit less often. */
function runLength(most: number, random: Random): number {
  return random.below(random.below(16) === 0 ? most : 32);
}

/** The same part over and over: work that grows faster than the input shows itself. */
function repeated(part: Uint8Array, random: Random): Buffer {
  return part.length === 0 ? Buffer.alloc(0) : Buffer.alloc(runLength(MAX_INPUT_BYTES, random), part);
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
