/**
 * Reads archive files: WARC 0.17 to 1.1 and ARC 1, plain, gzipped in any way, or zstd. In: stored bytes by position.
 * Out: records in order, and the byte ranges that could not be read. Damage is never an error; failures of the source are.
 *
 * Memory stays bounded by the window and one block of at most `MAX_MEMORY_BLOCK`, whatever the file holds.
 */
import { chunksFrom, SourceWindow } from "./byte-source.ts";
import { MemberSearch, nextPlainRecord } from "./damage-search.ts";
import { DecodedStream, fillFor } from "./decoded-stream.ts";
import { WarcError } from "./errors.ts";
import { gzipCodec } from "./gzip-members.ts";
import { MemberChain } from "./member-chain.ts";
import { readMemberRecords } from "./member-records.ts";
import { type MemberCodec, MemberCut, MemberDamage, ONE_RECORD, WHOLE_FILE } from "./members.ts";
import { type OpenPlace, openRecord, openShort } from "./open-record.ts";
import { readPlainRecords } from "./plain-records.ts";
import type { ArchiveEntry, ArchiveRecord, ByteSource, Compression, RecordPlace } from "./record.ts";
import { readHead, START_BYTES, startsRecord } from "./record-head.ts";
import { looksLikeZstd, zstdCodec } from "./zstd-frames.ts";

/** Four members of the largest size that is decoded in one call. */
const WINDOW_BYTES = 4 * WHOLE_FILE.stored;
/** More than any end mark: with this much ahead of it, a member's end is seen, and its sum checked. */
const END_BYTES = 16;

/**
 * Every record of a file, in stored order, with the damage between them.
 *
 * Read a record's block before asking for the next entry. Ending the loop early lets go of everything.
 */
export async function* readArchive(source: ByteSource, signal?: AbortSignal): AsyncGenerator<ArchiveEntry, void> {
  for await (const group of readEntryGroups(source)) {
    for (const entry of group) {
      signal?.throwIfAborted();
      yield entry;
    }
  }
}

/** The same in groups that take no waiting inside; for whoever reads millions of small records. */
export async function* readEntryGroups(source: ByteSource): AsyncGenerator<Iterable<ArchiveEntry>, void> {
  const window = new SourceWindow(source, WINDOW_BYTES);
  let compression = await compressionOf(window, 0);
  let codec: MemberCodec | undefined;
  for (let offset = 0; ; ) {
    if (compression !== "none" && codec?.name !== compression) codec = codecOf(compression);
    offset =
      compression === "none" || codec === undefined
        ? yield* readPlainRecords(window, offset)
        : yield* readMemberRecords(window, codec, offset);
    if (offset >= window.size) return;
    compression = await compressionOf(window, offset);
  }
}

/** How a file is stored, by its bytes. A damaged start does not hide what follows. */
export async function detectCompression(source: ByteSource): Promise<Compression> {
  return compressionOf(new SourceWindow(source, START_BYTES), 0);
}

async function compressionOf(window: SourceWindow, offset: number): Promise<Compression> {
  const first = await window.view(offset, START_BYTES);
  if (gzipCodec.startsAt(first)) return "gzip";
  if (looksLikeZstd(first)) return "zstd";
  if (startsRecord(first)) return "none";
  const starts: [Compression, number][] = [
    ["none", await nextPlainRecord(window, offset)],
    ["gzip", await new MemberSearch(window, gzipCodec).from(offset)],
    ["zstd", await new MemberSearch(window, zstdCodec()).from(offset)],
  ];
  const [earliest] = starts.toSorted(([, a], [, b]) => a - b);
  return earliest?.[0] ?? "none";
}

function codecOf(compression: Exclude<Compression, "none">): MemberCodec {
  return compression === "gzip" ? gzipCodec : zstdCodec();
}

/** A record opened by its place. Dispose of it when done; its block reads from the source. */
export interface OpenedRecord extends AsyncDisposable {
  readonly record: ArchiveRecord;
}

/**
 * Opens one record where an index says it is.
 *
 * A record deep inside a member with many others costs decoding all that come before it (`place.skip`).
 *
 * @param place - `length` is not needed
 * @param signal - ends the search; the block can be read after it
 * @throws {WarcError} `NO_RECORD` when none can be read there
 */
export async function readRecordAt(
  source: ByteSource,
  place: Pick<RecordPlace, "offset" | "skip">,
  signal?: AbortSignal,
): Promise<OpenedRecord> {
  const stream = await streamAt(source, place.offset);
  try {
    await moveTo(stream, place.skip, signal);
    const outcome = await fillFor(stream, readHead(stream));
    if (!("head" in outcome)) throw new WarcError("NO_RECORD", { offset: place.offset, reason: outcome.reason });
    const found: OpenPlace = { offset: place.offset, length: 0, skip: place.skip };
    const opened =
      (await fillFor(stream, openRecord(stream, outcome.head, found))) ?? openShort(stream, outcome.head, found);
    if (opened === undefined) {
      throw new WarcError("NO_RECORD", { offset: place.offset, reason: "content-length beyond end of data" });
    }
    const isHeld = opened.finish === undefined;
    if (isHeld) await checkSum(stream, found);
    const record = isHeld ? opened.record : checkedBehind(opened.record, stream);
    return { record, [Symbol.asyncDispose]: () => stream.close() };
  } catch (error) {
    await stream.close();
    if (error instanceof MemberDamage) {
      throw new WarcError("NO_RECORD", { offset: place.offset, reason: error.message }, { cause: error });
    }
    throw error;
  }
}

/** A block that is not held fails at its end when the sum of its member is wrong. */
function checkedBehind(record: ArchiveRecord, stream: DecodedStream): ArchiveRecord {
  const { block, place } = record;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield* block.chunks();
    try {
      await checkSum(stream, place);
    } catch (error) {
      if (!(error instanceof MemberDamage)) throw error;
      throw new WarcError("BLOCK_DAMAGED", { offset: place.offset, reason: error.message }, { cause: error });
    }
  }
  return { ...record, block: { ...block, chunks } };
}

/** Of a member with one record. One with many says nothing about this one; one that is cut off cannot be asked. */
async function checkSum(stream: DecodedStream, { skip }: RecordPlace): Promise<void> {
  try {
    if (skip === 0) await stream.fill(END_BYTES);
  } catch (error) {
    if (!(error instanceof MemberCut)) throw error;
  }
}

async function moveTo(stream: DecodedStream, skip: number, signal: AbortSignal | undefined): Promise<void> {
  for (let left = skip; left > 0; ) {
    signal?.throwIfAborted();
    const part = await stream.take(left);
    if (part === undefined) throw new MemberDamage("place beyond end of member");
    left -= part.length;
  }
}

async function streamAt(source: ByteSource, offset: number): Promise<DecodedStream> {
  const window = new SourceWindow(source, ONE_RECORD.stored);
  const first = await window.view(offset, START_BYTES);
  if (startsRecord(first)) return DecodedStream.ofChunks(chunksFrom(source, offset), offset);
  const isZstd = looksLikeZstd(first);
  if (!isZstd && !gzipCodec.startsAt(first)) throw new WarcError("NO_RECORD", { offset, reason: "no record here" });
  const codec = isZstd ? await zstdWithDictionary(window) : gzipCodec;
  return DecodedStream.ofChunks(new MemberChain(window, codec, offset, ONE_RECORD).chunks(), 0);
}

/** The dictionary, if any, is in the file's first frame. */
async function zstdWithDictionary(window: SourceWindow): Promise<MemberCodec> {
  const codec = zstdCodec();
  if (!codec.startsAt(await window.view(0, START_BYTES))) await codec.open(window, 0, ONE_RECORD);
  return codec;
}
