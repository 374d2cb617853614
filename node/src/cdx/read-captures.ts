/**
 * Turns an archive file into capture rows and a report, in one pass: digests checked, requests joined to their responses.
 *
 * Rows are those of pywb's indexer: responses, revisits, resources and metadata that are not fields about the crawl.
 */
import { WarcError } from "../warc/errors.ts";
import { fieldOf } from "../warc/headers.ts";
import { inspectRecord } from "../warc/inspect-record.ts";
import type {
  ArchiveEntry,
  ArchiveRecord,
  ByteSource,
  CaptureRow,
  Compression,
  DamagedRange,
  InspectedRecord,
} from "../warc/record.ts";
import { detectCompression, readEntryGroups } from "../warc/record-reader.ts";
import { type AppendedRequest, appendRequest } from "./post-append.ts";
import { NO_TIMESTAMP, recordTimestamp } from "./record-date.ts";
import { surt } from "./surt.ts";

export interface ArchiveReport {
  readonly format: "warc" | "arc" | "unknown";
  readonly compression: Compression;
  readonly records: number;
  readonly types: Readonly<Record<string, number>>;
  readonly damaged: readonly DamagedRange[];
  readonly digests: { readonly verified: number; readonly mismatched: number; readonly unsupported: number };
  /** Verified payload digests that some writers made of other bytes: of the still chunked body, of the whole block. */
  readonly oddPayloads: { readonly chunked: number; readonly block: number };
  /** Records that are whole but say something that is wrong or cannot be read, at most `MAX_REMARKS` of them. */
  readonly remarks: readonly RecordRemark[];
  /** Of the stored file. */
  readonly bytes: number;
  /** 14 digits: the date of the first record that is whole; absent when it cannot be read. */
  readonly created: string | undefined;
}

export interface RecordRemark {
  /** Of the record, or of the member that holds it. */
  readonly offset: number;
  readonly type: string;
  readonly uri: string | undefined;
  /** For people. */
  readonly text: string;
}

const MAX_REMARKS = 10_000;
/** Characters shown of what a file states. */
const MAX_SHOWN = 1_000;

export interface CaptureVisitor {
  /** Called once per capture, in stored order. A returned promise is waited for. */
  row?(row: CaptureRow): void | Promise<void>;
  /** Stored bytes read so far. */
  progress?(bytes: number): void;
}

/** Ranges kept one by one; beyond this the last one grows, so that a file of nothing but damage stays small in memory. */
const MAX_DAMAGED = 10_000;
/** Kinds of records counted by name; others are counted as `other`. */
const MAX_TYPES = 32;

/** @throws errors of the source, or the signal's reason; damage is in the report */
export async function readCaptures(
  source: ByteSource,
  visitor: CaptureVisitor,
  signal?: AbortSignal,
): Promise<ArchiveReport> {
  const tally = new Tally();
  const pairs = new NeighbourPairs(visitor);
  const add = (current: Inspected | undefined): void | Promise<void> => {
    if (current === undefined) return undefined;
    tally.record(current);
    return pairs.add(current);
  };
  const take = (entry: ArchiveEntry): void | Promise<void> => {
    visitor.progress?.(entry.kind === "damage" ? endOf(entry.damage) : entry.record.place.offset);
    if (entry.kind === "damage") return tally.damage(entry.damage);
    const found = inspect(entry.record);
    return found instanceof Promise ? found.then(add) : add(found);
  };
  for await (const group of readEntryGroups(source)) {
    for (const entry of group) {
      signal?.throwIfAborted();
      const waiting = take(entry);
      if (waiting !== undefined) await waiting;
    }
  }
  await pairs.end();
  visitor.progress?.(source.size);
  return tally.report(source, await detectCompression(source));
}

function endOf(range: DamagedRange): number {
  return range.offset + range.length;
}

/**
 * Holds one record back, because only the next one tells whether it belongs to a request, and because the length of a large
 * member is known only when the next one is reached.
 */
class NeighbourPairs {
  readonly #visitor: CaptureVisitor;
  #held: Inspected | undefined;
  /** Set when the held record and the one before it belong together. */
  #request: Inspected | undefined;

  constructor(visitor: CaptureVisitor) {
    this.#visitor = visitor;
  }

  /** @returns a promise only when a row must be waited for */
  add(current: Inspected): void | Promise<void> {
    const held = this.#held;
    const former = this.#request;
    this.#held = current;
    if (held === undefined) return undefined;
    this.#request = former === undefined ? requestOf(held, current) : undefined;
    return give(this.#visitor, held, former ?? this.#request);
  }

  async end(): Promise<void> {
    if (this.#held !== undefined) await give(this.#visitor, this.#held, this.#request);
    this.#held = undefined;
  }
}

/** Without the block: it would keep the record's bytes in memory. */
type RecordFacts = Omit<ArchiveRecord, "block">;

interface Inspected {
  readonly record: RecordFacts;
  readonly found: InspectedRecord;
}

/** @returns `undefined` when the block is damaged: the reader reports its range */
function inspect(record: ArchiveRecord): Inspected | Promise<Inspected | undefined> {
  const found = inspectRecord(record);
  if (!(found instanceof Promise)) return { record: factsOf(record), found };
  return found.then(
    (inspected) => ({ record: factsOf(record), found: inspected }),
    (error: unknown) => {
      if (error instanceof WarcError && error.code === "BLOCK_DAMAGED") return undefined;
      throw error;
    },
  );
}

function factsOf({ format, version, type, headers, targetUri, date, contentType, place }: ArchiveRecord): RecordFacts {
  return { format, version, type, headers, targetUri, date, contentType, place };
}

function give(visitor: CaptureVisitor, item: Inspected, request: Inspected | undefined): void | Promise<void> {
  const row = captureRow(item, request);
  return row === undefined ? undefined : visitor.row?.(row);
}

/** The request among two neighbours that belong together. */
function requestOf(first: Inspected, second: Inspected): Inspected | undefined {
  const pair = `${first.record.type} ${second.record.type}`;
  if (pair !== "request response" && pair !== "response request") return undefined;
  if (first.record.targetUri !== second.record.targetUri) return undefined;
  const id = fieldOf(first.record.headers, "warc-record-id");
  if (fieldOf(second.record.headers, "warc-concurrent-to") !== id) return undefined;
  return first.record.type === "request" ? first : second;
}

const CAPTURE_TYPES: ReadonlySet<string> = new Set(["response", "revisit", "resource", "metadata"]);

function captureRow(item: Inspected, request: Inspected | undefined): CaptureRow | undefined {
  const { record, found } = item;
  const { targetUri, type } = record;
  if (targetUri === undefined || targetUri === "" || !isCapture(record)) return undefined;
  const appended = request === undefined ? undefined : appendedTo(targetUri, request);
  const status = statusOf(item);
  return {
    urlkey: surt(appended?.url ?? targetUri),
    timestamp: recordTimestamp(record.date ?? "") ?? NO_TIMESTAMP,
    url: printable(targetUri),
    mime: mimeOf(record, found),
    status,
    digest: fieldOf(record.headers, "warc-payload-digest") ?? found.payloadDigest ?? "-",
    place: record.place,
    type,
    method: appended?.method,
    requestBody: appended?.query,
    redirect: isRedirect(status) ? fieldOf(found.http?.headers ?? [], "location") : undefined,
  };
}

/** Fields about the crawl are not content. */
function isCapture({ type, contentType }: RecordFacts): boolean {
  if (contentType === "application/warc-fields" && (type === "resource" || type === "metadata")) return false;
  return CAPTURE_TYPES.has(type);
}

function appendedTo(url: string, { found }: Inspected): AppendedRequest | undefined {
  return found.http === undefined ? undefined : appendRequest(url, found.http, found.body);
}

function statusOf({ record, found }: Inspected): number | undefined {
  if (record.type !== "response" && record.type !== "revisit") return undefined;
  return (found.http?.status ?? 0) > 0 ? found.http?.status : undefined;
}

function isRedirect(status: number | undefined): boolean {
  return status !== undefined && status >= 300 && status < 400;
}

function mimeOf(record: RecordFacts, found: InspectedRecord): string {
  if (record.type === "revisit") return "warc/revisit";
  const mime = (mediaTypeOf(record, found) ?? "").split(/[;\s]/, 1)[0] ?? "";
  return mime === "" ? "-" : mime;
}

/** An ARC record without an HTTP head has the type that its line states. */
function mediaTypeOf(record: RecordFacts, { http }: InspectedRecord): string | undefined {
  if (record.type !== "response") return record.contentType;
  // What is no answer of a web server, such as a name look-up, has no media type in the index lines of other tools.
  if (http === undefined && record.format === "arc") return isWeb(record.targetUri) ? record.contentType : undefined;
  return fieldOf(http?.headers ?? [], "content-type");
}

/** As recorded, but for what would break a line or a field of an index: what a browser drops, or escapes. */
function printable(url: string): string {
  if (!UNPRINTABLE.test(url)) return url;
  return url
    .replace(/^[\0-\x20]+|[\0-\x20]+$|[\t\n\r]/g, "")
    .replace(/[\0-\x20\x7f-\x9f\u00a0\u2028\u2029]/g, (character) => encodeURIComponent(character));
}
const UNPRINTABLE = /[\0-\x20\x7f-\xa0\u2028\u2029]/;

class Tally {
  #records = 0;
  #created: string | undefined;
  #format: ArchiveReport["format"] = "unknown";
  readonly #types = new Map<string, number>();
  readonly #damaged: DamagedRange[] = [];
  readonly #remarks: RecordRemark[] = [];
  readonly #digests = { verified: 0, mismatched: 0, unsupported: 0 };
  readonly #oddPayloads = { chunked: 0, block: 0 };

  record({ record, found }: Inspected): void {
    for (const note of found.digests.notes ?? []) this.#remark(record, note);
    const date = recordTimestamp(record.date ?? "");
    if (this.#records === 0) this.#created = date;
    if (date === undefined) {
      this.#remark(record, `date cannot be read: ${JSON.stringify((record.date ?? "").slice(0, MAX_SHOWN))}`);
    }
    this.#records += 1;
    this.#format = record.format;
    const known = this.#types.has(record.type) || this.#types.size < MAX_TYPES;
    const type = known ? record.type : "other";
    this.#types.set(type, (this.#types.get(type) ?? 0) + 1);
    this.#digests.verified += found.digests.verified;
    this.#digests.mismatched += found.digests.mismatched;
    this.#digests.unsupported += found.digests.unsupported;
    if (found.digests.matched === "chunked-payload") this.#oddPayloads.chunked += 1;
    if (found.digests.matched === "block") this.#oddPayloads.block += 1;
  }

  #remark({ place, type, targetUri }: RecordFacts, text: string): void {
    if (this.#remarks.length >= MAX_REMARKS) return;
    const uri = targetUri === undefined ? undefined : printable(targetUri.slice(0, MAX_SHOWN));
    this.#remarks.push({ offset: place.offset, type, uri, text });
  }

  damage(range: DamagedRange): void {
    const last = this.#damaged.at(-1);
    if (last === undefined || this.#damaged.length < MAX_DAMAGED) {
      this.#damaged.push(range);
      return;
    }
    const length = range.offset + range.length - last.offset;
    this.#damaged[this.#damaged.length - 1] = { offset: last.offset, length, reason: "more damage than is listed" };
  }

  report(source: ByteSource, compression: Compression): ArchiveReport {
    return {
      format: this.#format,
      compression,
      records: this.#records,
      types: Object.fromEntries(this.#types),
      damaged: this.#damaged,
      digests: { ...this.#digests },
      oddPayloads: { ...this.#oddPayloads },
      remarks: this.#remarks,
      bytes: source.size,
      created: this.#created,
    };
  }
}

function isWeb(uri: string | undefined): boolean {
  return /^https?:/i.test(uri ?? "");
}
