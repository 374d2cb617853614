/** The catalog's questions as SQL, over an open database. Used by its reading threads and by the full-text indexer's. */
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from "node:sqlite";
import { fileName, type StoredForm } from "../contract/index.ts";
import { BLOB_COLUMNS, LISTED_COLUMNS, textOf, toBlob } from "./blob-row.ts";
import type { CatalogReads, ScanBatch, ScanInput, ScanPosition, WithdrawnFile } from "./catalog-calls.ts";
import type { StoredCapture } from "./stored-capture.ts";

const CAPTURE_COLUMNS = `t.id, t.urlkey, t.timestamp, t.url, t.mime, t.status, t.digest, t.offset, t.length, t.skip,
  t.type, t.method, t.request_body, t.redirect, b.hash, b.filename, b.format, b.compression`;
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
    filename: textOf(row["filename"]) ?? fileName(hash, formOf(row)),
  };
}

function formOf(row: Record<string, SQLOutputValue>): StoredForm {
  return { format: row["format"], compression: row["compression"] } as StoredForm;
}

/** Prepared statements by their text; there are a few dozen at most. */
class Statements {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  of(sql: string): StatementSync {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const prepared = this.#database.prepare(sql);
    this.#prepared.set(sql, prepared);
    return prepared;
  }
}

type Condition = readonly [text: string, ...values: SQLInputValue[]];

/**
 * Where reading begins and ends, so that the engine goes to the first row at once. Each side of the index has one bound only:
 * with a second one the engine may begin there, and every batch would pass all rows of those before it.
 */
function keyConditions({ range, after }: ScanInput): Condition[] {
  const { keyFrom, keyTo, descending } = range;
  const beyond = descending ? "<" : ">";
  if (keyTo === undefined) {
    const key: Condition = ["t.urlkey = ?", keyFrom];
    return after === undefined ? [key] : [key, [`(t.timestamp, t.id) ${beyond} (?, ?)`, after.timestamp, after.id]];
  }
  const low: Condition = ["t.urlkey >= ?", keyFrom];
  const high: Condition = ["t.urlkey < ?", keyTo];
  if (after === undefined) return [low, high];
  const next: Condition = [
    `(t.urlkey, t.timestamp, t.id) ${beyond} (?, ?, ?)`,
    ...[after.urlkey, after.timestamp, after.id],
  ];
  return descending ? [low, next] : [next, high];
}

/** Of one key these are bounds of the index too; a batch that goes on has passed the one on its side. */
function timeConditions({ range, after }: ScanInput): Condition[] {
  const { timeFrom, timeTo, descending } = range;
  const from: Condition[] = timeFrom === undefined ? [] : [["t.timestamp >= ?", Number(timeFrom)]];
  const to: Condition[] = timeTo === undefined ? [] : [["t.timestamp <= ?", Number(timeTo)]];
  if (after === undefined) return [...from, ...to];
  return descending ? from : to;
}

function select(statements: Statements, columns: string, conditions: readonly Condition[], input: ScanInput) {
  const way = input.range.descending ? "DESC" : "ASC";
  const where = conditions.map(([text]) => text).join(" AND ");
  const order = `ORDER BY t.urlkey ${way}, t.timestamp ${way}, t.id ${way} LIMIT ?`;
  const values = conditions.flatMap(([, ...rest]) => rest);
  return { statement: statements.of(`SELECT ${columns} WHERE ${where} ${order}`), values };
}

const FROM_INDEX = "FROM captures t INDEXED BY captures_by_key";
const WITH_FILES = `${CAPTURE_COLUMNS} ${FROM_INDEX} JOIN blobs b ON b.sequence = t.blob`;
const ONE = `SELECT ${CAPTURE_COLUMNS} FROM captures t JOIN blobs b ON b.sequence = t.blob WHERE t.id = ?`;
/** About 1 µs each; other look-ups wait for the thread meanwhile. */
const PASSED_PER_CALL = 20_000;

function positionOf(row: Record<string, SQLOutputValue>): ScanPosition {
  return { urlkey: String(row["urlkey"]), timestamp: Number(row["timestamp"]), id: Number(row["id"]) };
}

function scan(statements: Statements, input: ScanInput, passedPerCall: number): ScanBatch {
  const known = statements.of("SELECT id FROM collections WHERE name = ?").get(input.collection);
  if (known === undefined) return { captures: [], next: undefined };
  const collection: Condition = ["t.collection = ?", Number(known["id"])];
  const { keyTo, timeFrom, timeTo } = input.range;
  if (keyTo !== undefined && (timeFrom !== undefined || timeTo !== undefined)) {
    return scanForTimes(statements, input, [collection, ...keyConditions(input)], passedPerCall);
  }
  const conditions = [collection, ...keyConditions(input), ...timeConditions(input)];
  const { statement, values } = select(statements, WITH_FILES, conditions, input);
  const rows = statement.all(...values, input.limit);
  const last = rows.length < input.limit ? undefined : rows.at(-1);
  return { captures: rows.map(toCapture), next: last && positionOf(last) };
}

/** Over many keys a time is no bound of the index: entries are passed in bounded steps, so that no call holds its thread. */
function scanForTimes(
  statements: Statements,
  input: ScanInput,
  conditions: readonly Condition[],
  passedPerCall: number,
): ScanBatch {
  const { timeFrom, timeTo } = input.range;
  const [first, last] = [Number(timeFrom ?? 0), Number(timeTo ?? Number.POSITIVE_INFINITY)];
  const { statement, values } = select(statements, `t.id, t.urlkey, t.timestamp ${FROM_INDEX}`, conditions, input);
  const captures: StoredCapture[] = [];
  let passed = 0;
  let at: ScanPosition | undefined;
  for (const row of statement.iterate(...values, passedPerCall)) {
    passed += 1;
    at = positionOf(row);
    if (at.timestamp < first || at.timestamp > last) continue;
    const found = statements.of(ONE).get(at.id);
    if (found !== undefined) captures.push(toCapture(found));
    if (captures.length >= input.limit) return { captures, next: at };
  }
  return { captures, next: passed < passedPerCall ? undefined : at };
}

function lastSequence(database: DatabaseSync): number {
  return Number(database.prepare("SELECT max(sequence) AS last FROM blobs").get()?.["last"] ?? 0);
}

function lastGiven(database: DatabaseSync): number {
  return Number(database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'blobs'").get()?.["seq"] ?? 0);
}

/** Of files that came again nothing is told here. */
const WITHDRAWN = `SELECT w.sequence, c.name AS collection_name, w.hash, w.withdrawn_at FROM withdrawn w
  JOIN collections c ON c.id = w.collection
  WHERE NOT EXISTS (SELECT 1 FROM blobs b WHERE b.collection = w.collection AND b.hash = w.hash)`;

function toWithdrawn(row: Record<string, SQLOutputValue>): WithdrawnFile {
  return {
    sequence: Number(row["sequence"]),
    collection: String(row["collection_name"]),
    hash: String(row["hash"]),
    withdrawnAt: String(row["withdrawn_at"]),
  };
}

function withdrawals(database: DatabaseSync): Pick<
  CatalogReads,
  "withdrawn" | "withdrawnOf" | "wasWithdrawn" | "withdrawnAfter"
> & {
  readonly withdrawnSince: (collection: string, after: number, limit: number) => readonly WithdrawnFile[];
} {
  const found = (where: string, ...values: SQLInputValue[]) =>
    database
      .prepare(`${WITHDRAWN} AND ${where}`)
      .all(...values)
      .map(toWithdrawn);
  return {
    withdrawn: ({ collection, hash }) =>
      found("c.name = ? AND w.hash = ? ORDER BY w.sequence DESC LIMIT 1", collection, hash)[0],
    withdrawnOf: ({ collection, hashes }) => [
      ...new Set(
        found("c.name = ? AND w.hash IN (SELECT value FROM json_each(?))", collection, JSON.stringify(hashes)).map(
          ({ hash }) => hash,
        ),
      ),
    ],
    wasWithdrawn: (hash) => found("w.hash = ? LIMIT 1", hash).length > 0,
    withdrawnAfter: ({ sequence, limit }) =>
      database
        .prepare("SELECT sequence, blob FROM withdrawn WHERE sequence > ? ORDER BY sequence LIMIT ?")
        .all(sequence, limit)
        .map((row) => ({ sequence: Number(row["sequence"]), blob: Number(row["blob"]) })),
    withdrawnSince: (collection, after, limit) =>
      found("c.name = ? AND w.sequence > ? ORDER BY w.sequence LIMIT ?", collection, after, limit),
  };
}

/**
 * All questions over one connection.
 *
 * @param passedPerCall - entries of the index that one call passes at most while it looks for captures of a time
 */
export function catalogQueries(database: DatabaseSync, passedPerCall = PASSED_PER_CALL): CatalogReads {
  const statements = new Statements(database);
  const blobs = (columns: string, where: string, ...values: SQLInputValue[]) =>
    database
      .prepare(`SELECT ${columns} FROM blobs b JOIN collections c ON c.id = b.collection WHERE ${where}`)
      .all(...values)
      .map(toBlob);
  const { withdrawnSince, ...withdrawn } = withdrawals(database);
  return {
    ...withdrawn,
    scan: (input) => scan(statements, input, passedPerCall),
    blob: ({ collection, hash }) => blobs(BLOB_COLUMNS, "c.name = ? AND b.hash = ?", collection, hash)[0],
    blobs: ({ collection, before, limit }) =>
      blobs(
        LISTED_COLUMNS,
        "c.name = ? AND b.sequence < ? ORDER BY b.sequence DESC LIMIT ?",
        collection,
        before ?? Number.MAX_SAFE_INTEGER,
        limit,
      ),
    blobsAfter: ({ sequence, limit }) =>
      blobs(LISTED_COLUMNS, "b.sequence > ? ORDER BY b.sequence LIMIT ?", sequence, limit),
    blobCaptures: ({ sequence, skip, limit }) =>
      database
        .prepare(
          `SELECT ${CAPTURE_COLUMNS} FROM blobs b JOIN captures t ON t.id BETWEEN b.first_id + ? AND b.last_id
           WHERE b.sequence = ? ORDER BY t.id LIMIT ?`,
        )
        .all(skip, sequence, limit)
        .map(toCapture),
    holds: (hash) => database.prepare("SELECT 1 FROM blobs WHERE hash = ? LIMIT 1").get(hash) !== undefined,
    holders: (hash) => blobs(LISTED_COLUMNS, "b.hash = ? ORDER BY b.sequence", hash),
    heldOf: ({ collection, hashes }) =>
      database
        .prepare(
          `SELECT b.hash FROM json_each(?) wanted JOIN blobs b ON b.hash = wanted.value
           JOIN collections c ON c.id = b.collection WHERE c.name = ?`,
        )
        .all(JSON.stringify(hashes), collection)
        .map((row) => String(row["hash"])),
    changes: ({ collection, after, limit }) => ({
      epoch: String(database.prepare("SELECT value FROM meta WHERE name = 'epoch'").get()?.["value"]),
      lastSequence: lastGiven(database),
      withdrawn: withdrawnSince(collection, after, limit),
      items: blobs(
        LISTED_COLUMNS,
        "b.collection = (SELECT id FROM collections WHERE name = ?) AND b.sequence > ? ORDER BY b.sequence LIMIT ?",
        ...[collection, after, limit],
      ),
    }),
    lastSequence: () => lastSequence(database),
    count: () => {
      const row = database.prepare("SELECT count(*) AS blobs, coalesce(sum(captures), 0) AS captures FROM blobs").get();
      return { blobs: Number(row?.["blobs"]), captures: Number(row?.["captures"]) };
    },
  };
}
