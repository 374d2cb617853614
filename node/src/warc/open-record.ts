/** Makes a record of a header and the stream behind it: names normalised, block in memory when it fits, else streamed. */
import type { DecodedStream, Steps } from "./decoded-stream.ts";
import { WarcError } from "./errors.ts";
import { fieldOf, type RecordHead } from "./headers.ts";
import { MemberDamage } from "./members.ts";
import type { ArchiveRecord, RecordBlock } from "./record.ts";

/** Blocks up to this size are given as one piece. Bytes. */
export const MAX_MEMORY_BLOCK = 1 << 20;
const CHUNK_BYTES = 1 << 18;
export const BLOCK_CUT = "content-length beyond end of data";

/** Bytes that a length may state too many at the end of the data: writers count the end mark, or characters for bytes. */
export const SHORT_BYTES = 16;
const END_MARK = Buffer.from("\r\n\r\n");

/** A place whose length is filled in when the end of the member is known. */
export interface OpenPlace {
  readonly offset: number;
  length: number;
  readonly skip: number;
}

export interface OpenRecord {
  readonly record: ArchiveRecord;
  /** Takes what the consumer left; `undefined` when the whole block is held. Rethrows `MemberDamage`. */
  readonly finish: (() => Promise<boolean>) | undefined;
}

/** @returns `undefined` when the block is known to be cut off already */
export function* openRecord(stream: DecodedStream, head: RecordHead, place: OpenPlace): Steps<OpenRecord | undefined> {
  if (head.contentLength <= MAX_MEMORY_BLOCK && stream.lacks(head.contentLength)) yield head.contentLength;
  if (stream.aheadBytes >= head.contentLength) return memoryRecord(stream, head, place);
  if (head.contentLength <= MAX_MEMORY_BLOCK || stream.ended) return undefined;
  return streamedRecord(stream, head, place);
}

/**
 * A record at the end of the data whose length states a few bytes too many: its block is what is there, without the end mark.
 *
 * @returns `undefined` when more is missing
 */
export function openShort(stream: DecodedStream, head: RecordHead, place: OpenPlace): OpenRecord | undefined {
  const { ahead } = stream;
  if (!stream.ended || ahead.length === 0 || head.contentLength - ahead.length > SHORT_BYTES) return undefined;
  const opened = memoryRecord(stream, { ...head, contentLength: withoutEndMark(ahead) }, place);
  stream.skip(ahead.length);
  return opened;
}

/** Length of what comes before the end mark, if the bytes end with one. */
export function withoutEndMark(bytes: Uint8Array): number {
  const start = Math.max(0, bytes.length - END_MARK.length);
  return END_MARK.equals(bytes.subarray(start)) ? start : bytes.length;
}

function memoryRecord(stream: DecodedStream, head: RecordHead, place: OpenPlace): OpenRecord {
  const bytes = stream.ahead.subarray(0, head.contentLength);
  stream.skip(head.contentLength);
  const block: RecordBlock = {
    length: bytes.length,
    bytes,
    async *chunks() {
      if (bytes.length > 0) yield bytes;
    },
  };
  return { record: recordOf(head, place, block), finish: undefined };
}

function streamedRecord(stream: DecodedStream, head: RecordHead, place: OpenPlace): OpenRecord {
  let left = head.contentLength;
  let failure: unknown;
  let isShort = false;
  const next = async (): Promise<Uint8Array | undefined> => {
    if (left === 0 || isShort || failure !== undefined) return undefined;
    try {
      const part = await stream.take(Math.min(left, CHUNK_BYTES));
      if (part === undefined && left <= SHORT_BYTES) isShort = true;
      else if (part === undefined) failure = new MemberDamage(BLOCK_CUT);
      left -= part?.length ?? 0;
      return part;
    } catch (error) {
      failure = error;
      return undefined;
    }
  };
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let part = await next(); part !== undefined; part = await next()) yield part;
    if (failure instanceof MemberDamage) {
      throw new WarcError("BLOCK_DAMAGED", { offset: place.offset, reason: failure.message }, { cause: failure });
    }
    if (failure !== undefined) throw asError(failure);
  }
  const block: RecordBlock = { length: head.contentLength, bytes: undefined, chunks };
  return {
    record: recordOf(head, place, block),
    async finish() {
      while ((await next()) !== undefined);
      if (isShort || (failure instanceof MemberDamage && failure.message === BLOCK_CUT)) return false;
      if (failure !== undefined) throw asError(failure);
      return true;
    },
  };
}

function asError(failure: unknown): Error {
  return failure instanceof Error ? failure : new Error("read failed", { cause: failure });
}

function recordOf(head: RecordHead, place: OpenPlace, block: RecordBlock): ArchiveRecord {
  return head.format === "warc" ? warcRecord(head, place, block) : arcRecord(head, place, block);
}

function warcRecord(head: RecordHead, place: OpenPlace, block: RecordBlock): ArchiveRecord {
  return {
    format: "warc",
    version: head.version,
    type: fieldOf(head.fields, "warc-type")?.toLowerCase() ?? "unknown",
    headers: head.fields,
    targetUri: withoutBrackets(fieldOf(head.fields, "warc-target-uri")),
    date: fieldOf(head.fields, "warc-date"),
    contentType: fieldOf(head.fields, "content-type"),
    place,
    block,
  };
}

function withoutBrackets(uri: string | undefined): string | undefined {
  return uri?.startsWith("<") === true && uri.endsWith(">") ? uri.slice(1, -1) : uri;
}

/** ARC knows no types: the first record describes the file, every other one is a response. */
function arcRecord(head: RecordHead, place: OpenPlace, block: RecordBlock): ArchiveRecord {
  const uri = fieldOf(head.fields, "uri");
  return {
    format: "arc",
    version: head.version,
    type: uri?.startsWith("filedesc:") === true ? "arc_header" : "response",
    headers: head.fields,
    targetUri: uri,
    date: fieldOf(head.fields, "archive-date"),
    contentType: fieldOf(head.fields, "content-type"),
    place,
    block,
  };
}
