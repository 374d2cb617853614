/**
 * The archive as the indexer sees it: files in the order of the catalog, each read once from its start to its end, so that
 * a file packed into one gzip member costs no more than any other. Runs in the indexer's thread, with a connection of its own.
 */
import type { CatalogReads } from "../cdx/catalog-calls.ts";
import { catalogQueries } from "../cdx/catalog-queries.ts";
import type { StoredCapture } from "../cdx/stored-capture.ts";
import { openForReading } from "../storage/database.ts";
import { type FileSource, openFileSource } from "../warc/byte-source.ts";
import { digestKey } from "../warc/digest.ts";
import { WarcError } from "../warc/errors.ts";
import { fieldOf } from "../warc/headers.ts";
import { decodeContent, openPayload } from "../warc/payload.ts";
import type { ArchiveRecord, RecordPlace } from "../warc/record.ts";
import { readArchive } from "../warc/record-reader.ts";
import type { IndexSource, SourceBlob, SourceCapture } from "./source.ts";

export interface ArchiveSourceOptions {
  /** Of the catalog. */
  readonly database: string;
  /** Folder of the blobs by hash, `sha256/aa/bb/<hash>` below it. */
  readonly blobs: string;
}

const ROWS_PER_CALL = 1_000;
/** What people search. Crawlers also keep notes under schemes of their own, such as `metadata:`, `dns:` or `urn:`. */
const PAGE_URL = /^(?:https?|ftp):/i;

export function openIndexSource(options: unknown): IndexSource {
  const { database: file, blobs } = options as ArchiveSourceOptions;
  const database = openForReading(file);
  const queries = catalogQueries(database);
  return {
    blobsAfter: async (sequence, limit) => queries.blobsAfter({ sequence, limit }),
    withdrawnAfter: async (sequence, limit) => queries.withdrawnAfter({ sequence, limit }),
    captures: (blob, signal) => capturesOf(queries, `${blobs}/sha256`, blob, signal),
    close: async () => database.close(),
  };
}

async function* capturesOf(
  queries: CatalogReads,
  folder: string,
  { sequence, hash }: SourceBlob,
  signal: AbortSignal,
): AsyncGenerator<SourceCapture, void> {
  const rows = rowsOf(queries, sequence);
  let row = rows.next();
  if (row.done === true) return;
  await using source: FileSource = await openFileSource(`${folder}/${hash.slice(0, 2)}/${hash.slice(2, 4)}/${hash}`);
  for await (const entry of readArchive(source, signal)) {
    if (entry.kind === "damage" || !isAt(row.value, entry.record.place)) continue;
    if (PAGE_URL.test(row.value.url)) yield sourceCapture(row.value, entry.record);
    row = rows.next();
    if (row.done === true) return;
  }
}

function* rowsOf(queries: CatalogReads, sequence: number): Generator<StoredCapture, void> {
  for (let skip = 0; ; skip += ROWS_PER_CALL) {
    const rows = queries.blobCaptures({ sequence, skip, limit: ROWS_PER_CALL });
    yield* rows;
    if (rows.length < ROWS_PER_CALL) return;
  }
}

function isAt({ place }: StoredCapture, { offset, skip }: RecordPlace): boolean {
  return place.offset === offset && place.skip === skip;
}

function sourceCapture(row: StoredCapture, record: ArchiveRecord): SourceCapture {
  return {
    urlkey: row.urlkey,
    url: row.url,
    timestamp: row.timestamp,
    mime: row.mime === "-" ? "" : row.mime.toLowerCase(),
    identifiedMime: fieldOf(record.headers, "warc-identified-payload-type")?.split(";", 1)[0]?.trim().toLowerCase(),
    digest: digestKey(row.digest),
    revisit: row.type === "revisit",
    payload: (capBytes) => payloadOf(record, capBytes),
  };
}

/** The text of a page is in its beginning: whatever is beyond the cap, or behind broken coding, is left out. */
async function payloadOf(record: ArchiveRecord, capBytes: number) {
  const opened = await openPayload(record);
  const contentType = opened.http === undefined ? record.contentType : fieldOf(opened.http.headers, "content-type");
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const part of decodeContent(opened, Number.MAX_SAFE_INTEGER)) {
      parts.push(part);
      length += part.length;
      if (length >= capBytes) break;
    }
  } catch (error) {
    if (!(error instanceof WarcError)) throw error;
  }
  return { contentType, body: Buffer.concat(parts).subarray(0, capBytes) };
}
