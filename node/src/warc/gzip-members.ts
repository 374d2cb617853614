/**
 * One gzip member at a time, on the engine's own zlib: bytes in, decoded bytes and the member's length out.
 *
 * A member that fits is inflated in one call (no stream, no copy); a larger one is streamed. Both check CRC-32 and length.
 * @see https://www.rfc-editor.org/rfc/rfc1952
 */
import { Readable } from "node:stream";
import { constants, crc32, createInflateRaw, type InflateRaw, inflateRawSync } from "node:zlib";
import { chunksFrom, type SourceWindow, STREAM_BYTES } from "./byte-source.ts";
import { openGzipRun } from "./gzip-run.ts";
import { type MemberCodec, MemberCut, MemberDamage, type MemberOutcome, type MemoryLimits } from "./members.ts";
import { startsRecord } from "./record-head.ts";

const TRAILER_BYTES = 8;
const DAMAGED = "gzip data damaged";
const CUT = "gzip data cut off";

export const gzipCodec: MemberCodec = {
  name: "gzip",
  startsAt: (bytes) => bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8 && ((bytes[3] ?? 0xff) & 0xe0) === 0,
  firstByte: 0x1f,
  probe: probeGzip,
  open: openGzipMember,
  openRun: openGzipRun,
};

async function openGzipMember(window: SourceWindow, offset: number, limits: MemoryLimits): Promise<MemberOutcome> {
  const stored = await window.view(offset, limits.stored);
  if (!gzipCodec.startsAt(stored)) return { kind: "damaged", reason: "not a gzip member" };
  const head = gzipHeaderLength(stored);
  if (head === undefined) return { kind: "damaged", reason: stored.length < limits.stored ? CUT : DAMAGED };
  try {
    return inflateWhole(stored, head, limits.decoded);
  } catch (error) {
    const code = errorCode(error);
    const complete = offset + stored.length >= window.size;
    if (code === "Z_BUF_ERROR" && complete) return { kind: "damaged", reason: CUT };
    if (code !== "Z_BUF_ERROR" && code !== "ERR_BUFFER_TOO_LARGE") return { kind: "damaged", reason: DAMAGED };
  }
  return streamMember(window, offset, head);
}

/** A flush instead of a finish makes zlib give what it has of data that go on. */
function probeGzip(bytes: Uint8Array): boolean {
  const head = gzipHeaderLength(bytes);
  if (head === undefined) return false;
  try {
    return startsRecord(inflateRawSync(bytes.subarray(head), { finishFlush: constants.Z_SYNC_FLUSH }));
  } catch {
    return false;
  }
}

/** Bytes of the member's header, optional fields included; `undefined` when it does not end within `bytes`. */
function gzipHeaderLength(bytes: Uint8Array): number | undefined {
  const flags = bytes[3] ?? 0;
  let at = 10;
  if ((flags & 4) !== 0) at += 2 + (bytes[at] ?? 0) + ((bytes[at + 1] ?? 0) << 8);
  for (const flag of [8, 16]) {
    if ((flags & flag) === 0) continue;
    const end = bytes.indexOf(0, at);
    if (end === -1) return undefined;
    at = end + 1;
  }
  if ((flags & 2) !== 0) at += 2;
  return at < bytes.length ? at : undefined;
}

/** `info` makes the engine part of the answer: its `bytesWritten` is what it took of the input. */
function inflateWhole(stored: Uint8Array, head: number, maxDecoded: number): MemberOutcome {
  const options = { info: true, chunkSize: 1 << 14, maxOutputLength: maxDecoded };
  const answer = inflateRawSync(stored.subarray(head), options) as unknown as { buffer: Buffer; engine: InflateRaw };
  const end = head + answer.engine.bytesWritten;
  if (end + TRAILER_BYTES > stored.length) return { kind: "damaged", reason: CUT };
  const bytes = answer.buffer;
  if (!trailerFits(stored.subarray(end), crc32(bytes), bytes.length)) return { kind: "damaged", reason: DAMAGED };
  return { kind: "whole", bytes, length: end + TRAILER_BYTES };
}

function trailerFits(trailer: Uint8Array, crc: number, length: number): boolean {
  const view = new DataView(trailer.buffer, trailer.byteOffset, TRAILER_BYTES);
  return view.getUint32(0, true) === crc && view.getUint32(4, true) === length % 2 ** 32;
}

function streamMember(window: SourceWindow, offset: number, head: number): MemberOutcome {
  const member = { length: 0, read: 0 };
  async function* chunks(): AsyncGenerator<Uint8Array> {
    const engine = createInflateRaw({ chunkSize: STREAM_BYTES });
    const input = Readable.from(chunksFrom(window.source, offset + head), { objectMode: true, highWaterMark: 1 });
    input.on("error", (error) => engine.destroy(error));
    let crc = 0;
    let decoded = 0;
    try {
      for await (const chunk of input.pipe(engine) as AsyncIterable<Buffer>) {
        crc = crc32(chunk, crc);
        decoded += chunk.length;
        member.read = head + engine.bytesWritten;
        yield chunk;
      }
    } catch (error) {
      throw asDamage(error);
    } finally {
      member.read = head + engine.bytesWritten;
      input.destroy();
      engine.destroy();
    }
    const end = offset + head + engine.bytesWritten;
    const trailer = await window.view(end, TRAILER_BYTES);
    if (trailer.length < TRAILER_BYTES) throw new MemberCut(CUT);
    if (!trailerFits(trailer, crc, decoded)) throw new MemberDamage(DAMAGED);
    member.length = end + TRAILER_BYTES - offset;
  }
  return { kind: "streamed", chunks: chunks(), member };
}

/** Errors of zlib are damage; those of the source (disk, network) stay what they are. */
function asDamage(error: unknown): unknown {
  const code = errorCode(error);
  if (code === "Z_BUF_ERROR") return new MemberCut(CUT);
  return code.startsWith("Z_") ? new MemberDamage(DAMAGED) : error;
}

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
