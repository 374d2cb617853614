/**
 * A capture as it was recorded: the nearest one in time, its HTTP head parsed off, transfer coding removed, content coding
 * kept. A revisit answers with the payload of the capture it refers to, or not at all.
 */
import type { AccessScope } from "../cdx/access.ts";
import { recordTimestamp } from "../cdx/record-date.ts";
import type { CaptureReader, StoredCapture } from "../cdx/stored-capture.ts";
import { surt } from "../cdx/surt.ts";
import type { FileSource } from "../warc/byte-source.ts";
import { digestKey, parseDigest } from "../warc/digest.ts";
import { fieldOf } from "../warc/headers.ts";
import { openPayload } from "../warc/payload.ts";
import type { ArchiveRecord, HttpHead } from "../warc/record.ts";
import { readRecordAt } from "../warc/record-reader.ts";
import { ReplayError } from "./errors.ts";
import { bestCapture, nearest, type Wanted } from "./nearest.ts";

/** End it with its body's last byte, or dispose of it: it holds an open file. */
export interface RawCapture extends AsyncDisposable {
  readonly url: string;
  readonly timestamp: string;
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  /** Of the body, bytes; `undefined` when only reading it tells. */
  readonly length: number | undefined;
  readonly body: AsyncIterable<Uint8Array>;
}

export interface RawCaptureDeps {
  readonly captures: CaptureReader;
  readonly scopeOf: (collection: string) => AccessScope | undefined;
  readonly open: (hash: string) => Promise<FileSource>;
}

/** As the index writes it. */
const NO_DIGEST = "-";
const NOT_MODIFIED = 304;
/** Of no bytes: what an answer without a body says of itself says nothing of the original. */
const EMPTY_DIGEST = "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ";

/**
 * @param signal - ends the search; the body can be read after it
 * @returns `undefined` when the URL is not held, or hidden
 * @throws {ReplayError} `ORIGINAL_MISSING`
 */
export async function nearestCapture(
  deps: RawCaptureDeps,
  collection: string,
  wanted: { readonly url: string; readonly timestamp: string },
  signal: AbortSignal,
): Promise<RawCapture | undefined> {
  const scope = deps.scopeOf(collection);
  if (scope === undefined) return undefined;
  const found = await bestCapture(deps.captures, scope, wanted, signal);
  if (found === undefined) return undefined;
  return open(deps, scope, found, signal);
}

async function open(
  deps: RawCaptureDeps,
  scope: AccessScope,
  capture: StoredCapture,
  signal: AbortSignal,
): Promise<RawCapture> {
  const { url, timestamp } = capture;
  await using files = new AsyncDisposableStack();
  const { record } = files.use(await openRecord(deps, capture, signal));
  const original = capture.type === "revisit" ? await originalOf(deps, scope, { capture, record }, signal) : undefined;
  const payload = await openPayload(record);
  const source = original === undefined ? record : files.use(original).record;
  const held = original === undefined ? payload : await openPayload(source);
  const http = headOf(payload.http, held.http);
  const open = files.move();
  return {
    url,
    timestamp,
    status: http?.status ?? 200,
    headers: http?.headers ?? contentTypeOf(source),
    length: held.length,
    body: closing(held.body, open),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** The head of a revisit is its own, unless it has none or was the server's word that nothing had changed. */
function headOf(own: HttpHead | undefined, original: HttpHead | undefined): HttpHead | undefined {
  return own === undefined || own.status === NOT_MODIFIED ? (original ?? own) : own;
}

function contentTypeOf({ contentType }: ArchiveRecord): readonly (readonly [string, string])[] {
  return contentType === undefined ? [] : [["Content-Type", contentType]];
}

interface HeldRecord extends AsyncDisposable {
  readonly record: ArchiveRecord;
}

async function openRecord(
  { open: openBlob }: RawCaptureDeps,
  { hash, place }: StoredCapture,
  signal: AbortSignal,
): Promise<HeldRecord> {
  const source = await openBlob(hash);
  try {
    const opened = await readRecordAt(source, place, signal);
    return {
      record: opened.record,
      [Symbol.asyncDispose]: async () => {
        await opened[Symbol.asyncDispose]();
        await source[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await source[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * By the record's own reference first (WARC 1.1, 5.10 to 5.12), else the same page with the same digest, else the capture
 * that is named by URL and time when its digest is of another algorithm. When the server said that nothing had changed, what
 * it spoke of is the latest capture before.
 */
async function originalOf(
  deps: RawCaptureDeps,
  scope: AccessScope,
  revisit: Revisit,
  signal: AbortSignal,
): Promise<HeldRecord> {
  for (const wanted of originals(revisit)) {
    const found = await nearest(deps.captures, scope, wanted, signal);
    if (found !== undefined) return openRecord(deps, found, signal);
  }
  const { capture, record } = revisit;
  const url = fieldOf(record.headers, "warc-refers-to-target-uri") ?? capture.url;
  throw new ReplayError("ORIGINAL_MISSING", { url, timestamp: capture.timestamp });
}

interface Revisit {
  readonly capture: StoredCapture;
  readonly record: ArchiveRecord;
}

/** Where the original may be, likeliest first. */
function originals({ capture, record }: Revisit): readonly Wanted[] {
  const namedUrl = fieldOf(record.headers, "warc-refers-to-target-uri");
  const namedDate = recordTimestamp(fieldOf(record.headers, "warc-refers-to-date") ?? "");
  const urlkey = surt(namedUrl ?? capture.url);
  const at = namedDate ?? capture.timestamp;
  const isNotModified =
    fieldOf(record.headers, "warc-profile")?.includes("server-not-modified") === true ||
    capture.status === NOT_MODIFIED;
  const tries: Wanted[] = [];
  if (!isNotModified || digestKey(capture.digest) !== EMPTY_DIGEST) {
    tries.push({ urlkey, at, fits: sameBytes(capture) }, { urlkey: capture.urlkey, at, fits: sameBytes(capture) });
  }
  if (namedUrl !== undefined && namedDate !== undefined) {
    tries.push({ urlkey, at, fits: (other) => other.timestamp === at && mayBeSame(capture, other) });
  }
  if (isNotModified) {
    const hasBody = (other: StoredCapture): boolean => other.type !== "revisit" && other.status !== NOT_MODIFIED;
    const isFull = (other: StoredCapture): boolean => hasBody(other) && other.status === 200;
    tries.push({ urlkey, at, fits: isFull, onlyBefore: true }, { urlkey, at, fits: hasBody, onlyBefore: true });
  }
  return tries;
}

function sameBytes({ digest }: StoredCapture): (other: StoredCapture) => boolean {
  const key = digestKey(digest);
  return (other) => other.type !== "revisit" && key !== NO_DIGEST && digestKey(other.digest) === key;
}

/** True when the digests cannot tell. */
function mayBeSame(revisit: StoredCapture, other: StoredCapture): boolean {
  const [a, b] = [parseDigest(revisit.digest), parseDigest(other.digest)];
  return other.type !== "revisit" && (a === undefined || b === undefined || a.algorithm !== b.algorithm);
}

async function* closing(body: AsyncIterable<Uint8Array>, held: AsyncDisposable): AsyncGenerator<Uint8Array, void> {
  try {
    yield* body;
  } finally {
    await held[Symbol.asyncDispose]();
  }
}
