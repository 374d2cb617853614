/**
 * One zstd frame at a time, with a dictionary that the file brings along in its first, skippable, frame.
 *
 * The window a frame may ask for is capped, or one header could claim gigabytes.
 * @see https://iipc.github.io/warc-specifications/specifications/warc-zstd/
 * @see https://www.rfc-editor.org/rfc/rfc8878
 */
import { Readable } from "node:stream";
import { constants, createZstdDecompress, type ZstdDecompress, zstdDecompressSync } from "node:zlib";
import { chunksFrom, type SourceWindow, STREAM_BYTES } from "./byte-source.ts";
import { type MemberCodec, MemberCut, MemberDamage, type MemberOutcome, type MemoryLimits } from "./members.ts";

/** 2^25 = 32 MiB: four times what decoders must support (RFC 8878, 3.1.1.1.2), a quarter of what `--ultra` asks for. */
const MAX_WINDOW_LOG = 25;
/** Largest dictionary believed, bytes; real ones are about 100 KiB. */
const MAX_DICTIONARY_BYTES = 8 << 20;
const SKIPPABLE_HEAD_BYTES = 8;
const DICTIONARY_MAGIC = 0x184d2a5d;
const FRAME_MAGIC = 0xfd2fb528;
const DAMAGED = "zstd data damaged";
const CUT = "zstd data cut off";

/** A codec for one file: it keeps the file's dictionary. */
export function zstdCodec(): MemberCodec {
  let dictionary: Buffer | undefined;
  return {
    name: "zstd",
    firstByte: 0x28,
    startsAt: (bytes) => magicOf(bytes) === FRAME_MAGIC,
    // NOTE: bit 3 of the descriptor is reserved as zero. More cannot be said without decoding a block of up to 128 KiB.
    probe: (bytes) => ((bytes[4] ?? 0xff) & 8) === 0,
    async open(window, offset, limits) {
      const head = await window.view(offset, SKIPPABLE_HEAD_BYTES);
      if (magicOf(head) === FRAME_MAGIC) return openFrame({ window, offset, limits }, dictionary);
      const skipped = skippable(head, window.size - offset);
      if (skipped.kind !== "skipped" || offset > 0 || magicOf(head) !== DICTIONARY_MAGIC) return skipped;
      if (skipped.length > MAX_DICTIONARY_BYTES) return damaged("zstd dictionary too large");
      dictionary = readDictionary((await window.view(0, skipped.length)).subarray(SKIPPABLE_HEAD_BYTES));
      return dictionary === undefined ? damaged("zstd dictionary damaged") : skipped;
    },
  };
}

/** @param left - bytes of the file from the frame's start on */
function skippable(head: Uint8Array, left: number): MemberOutcome {
  if (!isSkippable(magicOf(head)) || head.length < SKIPPABLE_HEAD_BYTES) return damaged("not a zstd frame");
  const length = SKIPPABLE_HEAD_BYTES + uint32(head, 4);
  return length > left ? damaged(CUT) : { kind: "skipped", length };
}

/** True for the first bytes of a zstd file, dictionary or not. */
export function looksLikeZstd(bytes: Uint8Array): boolean {
  const magic = magicOf(bytes);
  return magic === FRAME_MAGIC || isSkippable(magic);
}

function isSkippable(magic: number): boolean {
  return magic >= 0x184d2a50 && magic <= 0x184d2a5f;
}

function magicOf(bytes: Uint8Array): number {
  return bytes.length < 4 ? 0 : uint32(bytes, 0);
}

function uint32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(at, true);
}

function damaged(reason: string): MemberOutcome {
  return { kind: "damaged", reason };
}

/** A dictionary is stored as it is, or as a zstd frame of its own. */
function readDictionary(stored: Uint8Array): Buffer | undefined {
  if (magicOf(stored) !== FRAME_MAGIC) return Buffer.from(stored);
  try {
    return zstdDecompressSync(stored, { maxOutputLength: MAX_DICTIONARY_BYTES, params: decoderParams() });
  } catch {
    return undefined;
  }
}

function decoderParams(): Record<number, number> {
  return { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG };
}

interface FramePlace {
  readonly window: SourceWindow;
  readonly offset: number;
  readonly limits: MemoryLimits;
}

async function openFrame(place: FramePlace, dictionary: Buffer | undefined): Promise<MemberOutcome> {
  const { window, offset, limits } = place;
  const stored = await window.view(offset, limits.stored);
  const common = { params: decoderParams(), ...(dictionary === undefined ? {} : { dictionary }) };
  try {
    const options = { ...common, info: true, maxOutputLength: limits.decoded };
    const answer = zstdDecompressSync(stored, options) as unknown as { buffer: Buffer; engine: ZstdDecompress };
    return { kind: "whole", bytes: answer.buffer, length: answer.engine.bytesWritten };
  } catch (error) {
    const code = errorCode(error);
    if (code === "Z_BUF_ERROR" && offset + stored.length >= window.size) return damaged(CUT);
    if (code !== "Z_BUF_ERROR" && code !== "ERR_BUFFER_TOO_LARGE") return damaged(reasonOf(code));
  }
  return streamFrame(window, offset, common);
}

function streamFrame(
  window: SourceWindow,
  offset: number,
  options: { params: Record<number, number>; dictionary?: Buffer },
): MemberOutcome {
  const member = { length: 0, read: 0 };
  async function* chunks(): AsyncGenerator<Uint8Array> {
    const engine = createZstdDecompress({ ...options, chunkSize: STREAM_BYTES });
    const input = Readable.from(chunksFrom(window.source, offset), { objectMode: true, highWaterMark: 1 });
    input.on("error", (error) => engine.destroy(error));
    try {
      for await (const chunk of input.pipe(engine) as AsyncIterable<Buffer>) {
        member.read = engine.bytesWritten;
        yield chunk;
      }
      member.length = engine.bytesWritten;
    } catch (error) {
      const code = errorCode(error);
      if (code === "Z_BUF_ERROR") throw new MemberCut(CUT);
      throw code.startsWith("Z") ? new MemberDamage(reasonOf(code)) : error;
    } finally {
      member.read = engine.bytesWritten;
      input.destroy();
      engine.destroy();
    }
  }
  return { kind: "streamed", chunks: chunks(), member };
}

function reasonOf(code: string): string {
  if (code === "ZSTD_error_frameParameter_windowTooLarge") return "zstd window too large";
  return code === "ZSTD_error_dictionary_wrong" ? "zstd dictionary missing" : DAMAGED;
}

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
