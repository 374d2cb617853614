/**
 * Records of an uncompressed file. Nothing but `Content-Length` says where a record ends, so what follows is looked at
 * before the length is believed: a wrong one costs its own record, not the next ones.
 */
import { chunksFrom, type SourceWindow } from "./byte-source.ts";
import { nextPlainRecord } from "./damage-search.ts";
import { DecodedStream, fillFor } from "./decoded-stream.ts";
import { gzipCodec } from "./gzip-members.ts";
import type { HeadOutcome, RecordHead } from "./headers.ts";
import { MAX_MEMORY_BLOCK, openRecord, SHORT_BYTES, withoutEndMark } from "./open-record.ts";
import type { ArchiveEntry } from "./record.ts";
import { readHead, START_BYTES, skipEndMark, startsRecord } from "./record-head.ts";
import { looksLikeZstd } from "./zstd-frames.ts";

const CR = 0x0d;
const LF = 0x0a;

/** Where a record ends, where the next one starts, and what lies between them if it is not an end mark. */
interface Extent {
  readonly next: number;
  readonly deliverable: boolean;
  readonly reason: string | undefined;
  /** Of a block whose length states a few bytes too many, what is there. Bytes. */
  readonly shortBytes?: number;
}

/**
 * @param from - where a record starts
 * @returns where a compressed member follows a record; the file's size if none does
 */
export async function* readPlainRecords(
  window: SourceWindow,
  from: number,
): AsyncGenerator<Iterable<ArchiveEntry>, number> {
  let stream = streamFrom(window, from);
  try {
    for (;;) {
      await fillFor(stream, skipEndMark(stream));
      const offset = stream.position;
      if (offset >= window.size || (offset > from && startsMember(stream.ahead))) return offset;
      const outcome = await fillFor(stream, readHead(stream));
      const head = "head" in outcome ? outcome.head : undefined;
      const extent = await extentAt(window, stream, outcome, offset);
      const damagedFrom = damageStart(extent, stream.position, { offset, head });
      if (head !== undefined) yield* deliver(stream, head, extent, offset);
      if (extent.reason === undefined) continue;
      yield [damage(damagedFrom, extent.next - damagedFrom, extent.reason)];
      await stream.close();
      stream = streamFrom(window, extent.next);
    }
  } finally {
    await stream.close();
  }
}

async function extentAt(
  window: SourceWindow,
  stream: DecodedStream,
  outcome: HeadOutcome,
  offset: number,
): Promise<Extent> {
  if ("head" in outcome) return extentOf(window, stream, outcome.head);
  return { next: await nextPlainRecord(window, offset + 1), deliverable: false, reason: outcome.reason };
}

/** Behind a record that is whole; a record that is not is damaged from its own start. */
function damageStart(
  { deliverable, shortBytes }: Extent,
  blockStart: number,
  { offset, head }: { readonly offset: number; readonly head: RecordHead | undefined },
): number {
  const isWhole = head !== undefined && deliverable && shortBytes === undefined;
  return isWhole ? blockStart + head.contentLength : offset;
}

function streamFrom(window: SourceWindow, position: number): DecodedStream {
  return DecodedStream.ofChunks(chunksFrom(window.source, position), position);
}

function damage(offset: number, length: number, reason: string): ArchiveEntry {
  return { kind: "damage", damage: { offset, length, reason } };
}

async function* deliver(
  stream: DecodedStream,
  stated: RecordHead,
  { deliverable, shortBytes }: Extent,
  offset: number,
): AsyncGenerator<Iterable<ArchiveEntry>, void> {
  if (!deliverable) return;
  const head = shortBytes === undefined ? stated : { ...stated, contentLength: shortBytes };
  const end = stream.position + head.contentLength;
  const opened = await fillFor(stream, openRecord(stream, head, { offset, length: end - offset, skip: 0 }));
  if (opened !== undefined) yield [{ kind: "record", record: opened.record }];
  const complete = opened !== undefined && ((await opened.finish?.()) ?? true);
  // NOTE: false only when the file shrinks while it is read.
  if (!complete) yield [damage(offset, end - offset, "file changed while reading")];
}

async function extentOf(window: SourceWindow, stream: DecodedStream, head: RecordHead): Promise<Extent> {
  const start = stream.position;
  const end = start + head.contentLength;
  const tail = end <= window.size ? await bytesAt(window, stream, head.contentLength) : undefined;
  const blank = tail === undefined ? undefined : endMarkLength(tail, end + tail.length >= window.size);
  if (blank !== undefined) return { next: end + blank, deliverable: true, reason: undefined };
  const next = await nextPlainRecord(window, start);
  if (end > window.size && next >= window.size && end - window.size <= SHORT_BYTES && start < window.size) {
    const shortBytes = await shortBlock(window, start);
    return { next, deliverable: true, reason: "content-length beyond end of file", shortBytes };
  }
  if (next >= end) return { next, deliverable: true, reason: "stray bytes after record" };
  const reason = end > window.size ? "content-length beyond end of file" : "content-length beyond next record";
  return { next, deliverable: false, reason };
}

async function shortBlock(window: SourceWindow, start: number): Promise<number> {
  const from = Math.max(start, window.size - SHORT_BYTES);
  return from - start + withoutEndMark(await window.source.read(from, window.size - from));
}

/** The first bytes behind a block: from the look-ahead when the block is small, by a read of their own when it is not. */
async function bytesAt(window: SourceWindow, stream: DecodedStream, blockBytes: number): Promise<Uint8Array> {
  if (blockBytes > MAX_MEMORY_BLOCK) {
    return window.source.read(stream.position + blockBytes, START_BYTES);
  }
  await stream.fill(blockBytes + START_BYTES);
  return stream.ahead.subarray(blockBytes, blockBytes + START_BYTES);
}

/** Length of the end mark, if `tail` is one and a record or the end of the file follows. */
function endMarkLength(tail: Uint8Array, reachesEnd: boolean): number | undefined {
  let blank = 0;
  while (tail[blank] === CR || tail[blank] === LF) blank++;
  if (blank === tail.length) return reachesEnd || blank > 0 ? blank : undefined;
  const behind = tail.subarray(blank);
  return startsRecord(behind) || startsMember(behind) ? blank : undefined;
}

/** A compressed member with a record, as files have that were put together from others. */
function startsMember(bytes: Uint8Array): boolean {
  return looksLikeZstd(bytes) || (gzipCodec.startsAt(bytes) && gzipCodec.probe(bytes));
}
