/** The catalog's questions as SQL, over an open database. Used by its reading threads and by the full-text indexer's. */
import type { DatabaseSync, SQLInputValue, SQLOutputValue } from "node:sqlite";
import { BLOB_COLUMNS, textOf, toBlob } from "./blob-row.ts";
import type { CatalogReads, ScanInput } from "./catalog-calls.ts";
import { collectionId } from "./catalog-schema.ts";
import type { StoredCapture } from "./stored-capture.ts";

const CAPTURE_COLUMNS = `t.id, t.urlkey, t.timestamp, t.url, t.mime, t.status, t.digest, t.offset, t.length, t.skip,
  t.type, t.method, t.request_body, t.redirect, b.hash, b.filename`;
const TIMESTAMP_DIGITS = 14;

function toCapture(row: Record<string, SQLOutputValue>): StoredCapture {
  const hash = String(row["hash"]);
  return {
    urlkey: String(row["urlkey"]),
    timestamp: String(row["timestamp"]).padStart(TIMESTAMP_DIGITS, "0"),
    url: String(row["url"]),
    mime: String(row["mime"]),
    status: row["status"] === null ? undefined : Number(row["status"]),
    digest: String(row["digest"]),
    place: { offset: Number(row["offset"]), length: Number(row["length"]), skip: Number(row["skip"]) },
    type: String(row["type"]),
    method: textOf(row["method"]),
    requestBody: textOf(row["request_body"]),
    redirect: textOf(row["redirect"]),
    hash,
    filename: textOf(row["filename"]) ?? `${hash}.warc`,
  };
}

/** Conditions and their values, in the order they are written. */
function conditionsOf({ range, after }: ScanInput, collection: number) {
  const conditions: [string, ...SQLInputValue[]][] = [["t.collection = ?", collection]];
  if (range.keyTo === undefined) conditions.push(["t.urlkey = ?", range.keyFrom]);
  else conditions.push(["t.urlkey >= ? AND t.urlkey < ?", range.keyFrom, range.keyTo]);
  if (range.timeFrom !== undefined) conditions.push(["t.timestamp >= ?", Number(range.timeFrom)]);
  if (range.timeTo !== undefined) conditions.push(["t.timestamp <= ?", Number(range.timeTo)]);
  if (after !== undefined) {
    const beyond = range.descending ? "<" : ">";
    conditions.push([`(t.urlkey, t.timestamp, t.id) ${beyond} (?, ?, ?)`, after.urlkey, after.timestamp, after.id]);
  }
  return conditions;
}

function scan(database: DatabaseSync, input: ScanInput) {
  const collection = collectionId(database, input.collection);
  if (collection === undefined) return { captures: [], next: undefined };
  const conditions = conditionsOf(input, collection);
  const way = input.range.descending ? "DESC" : "ASC";
  const rows = database
    .prepare(
      `SELECT ${CAPTURE_COLUMNS} FROM captures t INDEXED BY captures_by_key JOIN blobs b ON b.sequence = t.blob
       WHERE ${conditions.map(([text]) => text).join(" AND ")}
       ORDER BY t.urlkey ${way}, t.timestamp ${way}, t.id ${way} LIMIT ?`,
    )
    .all(...conditions.flatMap(([, ...values]) => values), input.limit);
  const last = rows.length < input.limit ? undefined : rows.at(-1);
  const next =
    last === undefined
      ? undefined
      : { urlkey: String(last["urlkey"]), timestamp: Number(last["timestamp"]), id: Number(last["id"]) };
  return { captures: rows.map(toCapture), next };
}

/** All questions over one connection. */
export function catalogQueries(database: DatabaseSync): CatalogReads {
  const blobs = (where: string, ...values: SQLInputValue[]) =>
    database
      .prepare(`SELECT ${BLOB_COLUMNS} FROM blobs b JOIN collections c ON c.id = b.collection WHERE ${where}`)
      .all(...values)
      .map(toBlob);
  return {
    scan: (input) => scan(database, input),
    blob: ({ collection, hash }) => blobs("c.name = ? AND b.hash = ?", collection, hash)[0],
    blobs: ({ collection, before, limit }) =>
      blobs(
        "c.name = ? AND b.sequence < ? ORDER BY b.sequence DESC LIMIT ?",
        collection,
        before ?? Number.MAX_SAFE_INTEGER,
        limit,
      ),
    blobsAfter: ({ sequence, limit }) => blobs("b.sequence > ? ORDER BY b.sequence LIMIT ?", sequence, limit),
    blobCaptures: ({ sequence, skip, limit }) =>
      database
        .prepare(
          `SELECT ${CAPTURE_COLUMNS} FROM blobs b JOIN captures t ON t.id BETWEEN b.first_id + ? AND b.last_id
           WHERE b.sequence = ? ORDER BY t.id LIMIT ?`,
        )
        .all(skip, sequence, limit)
        .map(toCapture),
    holds: (hash) => database.prepare("SELECT 1 FROM blobs WHERE hash = ? LIMIT 1").get(hash) !== undefined,
    lastSequence: () => Number(database.prepare("SELECT max(sequence) AS last FROM blobs").get()?.["last"] ?? 0),
    count: () => {
      const row = database.prepare("SELECT count(*) AS blobs, coalesce(max(last_id), 0) AS captures FROM blobs").get();
      return { blobs: Number(row?.["blobs"]), captures: Number(row?.["captures"]) };
    },
  };
}
