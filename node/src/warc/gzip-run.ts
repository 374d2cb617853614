/**
 * Small gzip members in a row, decoded by one call of the engine's zlib: a call for each costs more than its decoding.
 *
 * Where the members end is not believed but proven, so the outcome is the same as member by member; whatever does not fit
 * (damage, padding, empty members, a magic that only looks like one) makes no run, and is read one by one.
 */
import { type Gunzip, gunzipSync } from "node:zlib";
import type { MemberRun, WholeMember } from "./members.ts";

/** Decoded bytes of one run, and of the buffer its records share. Twice this was not faster. */
const MAX_DECODED = 1 << 20;
const HEADER_BYTES = 10;
const TRAILER_BYTES = 8;
/** Magic and method; the flags that follow must leave the reserved bits out (RFC 1952, 2.3.1.2). */
const MAGIC = Buffer.of(0x1f, 0x8b, 8);
const RESERVED_FLAGS = 0xe0;

/**
 * The members from the first byte on, as long as they are small and followed by another one.
 *
 * Every place with a magic is taken for a start, and the four bytes before it for the length the member before states. zlib
 * checks the true members. Their ends are among the places, each true length is among the stated ones, and no stated
 * length is zero: so when the stated lengths add up to what was decoded, and all bytes were taken, no place was false.
 *
 * @returns no members when they cannot be read as a run; `length` is what was looked at
 */
export function openGzipRun(stored: Uint8Array): MemberRun {
  const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength);
  const { ends, lengths, decoded } = statedMembers(bytes);
  const length = ends.at(-1) ?? 0;
  const output = ends.length < 2 ? undefined : decodeAll(bytes.subarray(0, length), decoded);
  return { members: output === undefined ? [] : split(output, ends, lengths), length };
}

interface StatedMembers {
  /** Of each member, from the start of the run. */
  readonly ends: readonly number[];
  readonly lengths: readonly number[];
  readonly decoded: number;
}

function statedMembers(bytes: Buffer): StatedMembers {
  const ends: number[] = [];
  const lengths: number[] = [];
  let decoded = 0;
  for (let end = nextStart(bytes, 1); end !== -1; end = nextStart(bytes, end + 1)) {
    const length = end < HEADER_BYTES + TRAILER_BYTES ? 0 : bytes.readUInt32LE(end - 4);
    if (length === 0 || decoded + length > MAX_DECODED) break;
    decoded += length;
    ends.push(end);
    lengths.push(length);
  }
  return { ends, lengths, decoded };
}

function nextStart(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(MAGIC, from); at !== -1; at = bytes.indexOf(MAGIC, at + 1)) {
    if (((bytes[at + 3] ?? RESERVED_FLAGS) & RESERVED_FLAGS) === 0) return at;
  }
  return -1;
}

/** One byte more than stated: a full output buffer would make zlib ask for a second one. */
function decodeAll(bytes: Buffer, decoded: number): Buffer | undefined {
  try {
    const options = { info: true, chunkSize: Math.max(64, decoded + 1), maxOutputLength: decoded + 1 };
    const { buffer, engine } = gunzipSync(bytes, options) as unknown as { buffer: Buffer; engine: Gunzip };
    return buffer.length === decoded && engine.bytesWritten === bytes.length ? buffer : undefined;
  } catch {
    return undefined;
  }
}

function split(output: Buffer, ends: readonly number[], lengths: readonly number[]): readonly WholeMember[] {
  let stored = 0;
  let decoded = 0;
  return ends.map((end, index) => {
    const bytes = output.subarray(decoded, decoded + (lengths[index] ?? 0));
    const member = { bytes, length: end - stored };
    stored = end;
    decoded += bytes.length;
    return member;
  });
}
