/**
 * The only thread that writes the catalog and the journal. A file enters both in one call: journal line first, flushed;
 * then one transaction with its row and all its captures, flushed. When the call returns, the file is the archive's. It
 * leaves them the same way.
 */
import type { DatabaseSync } from "node:sqlite";
import { workerData } from "node:worker_threads";
import { checkDatabase, inTransaction, openForWriting } from "../storage/database.ts";
import { StorageError } from "../storage/errors.ts";
import { answerCalls } from "../storage/worker-calls.ts";
import type { CaptureRow } from "../warc/record.ts";
import { readSpool } from "./capture-spool.ts";
import type { CatalogFiles, CatalogWrites, Commit, Committed, UnreadLine, Withdraw } from "./catalog-calls.ts";
import { MIGRATIONS } from "./catalog-schema.ts";
import { deleteBlob, noteWithdrawal } from "./catalog-withdrawal.ts";
import { Journal, type JournalEntry, type Withdrawal } from "./journal.ts";
import { type OverLines, overLines } from "./over-lines.ts";

const files = workerData as CatalogFiles;
let opened: { readonly database: DatabaseSync; readonly journal: Journal } | undefined;

function open() {
  if (opened !== undefined) return opened;
  const database = openForWriting(files.database, MIGRATIONS);
  checkDatabase(database, files.database);
  const journal = new Journal(files.journal);
  if (journal.bytes >= journalBytes(database)) {
    opened = { database, journal };
    return opened;
  }
  journal.close();
  database.close();
  throw new StorageError("INDEX_DAMAGED", { file: files.journal, reason: "it is shorter than what was taken from it" });
}

function journalBytes(database: DatabaseSync): number {
  return Number(database.prepare("SELECT value FROM meta WHERE name = 'journal_bytes'").get()?.["value"]);
}

/** The journal is taken in up to here. */
function advance(database: DatabaseSync, journalEnd: number): void {
  database.prepare("UPDATE meta SET value = ? WHERE name = 'journal_bytes'").run(String(journalEnd));
}

function known(database: DatabaseSync, { collection, hash }: JournalEntry | Withdrawal): number | undefined {
  const row = database
    .prepare("SELECT b.sequence FROM blobs b JOIN collections c ON c.id = b.collection WHERE c.name = ? AND b.hash = ?")
    .get(collection, hash);
  return row === undefined ? undefined : Number(row["sequence"]);
}

const INSERT_CAPTURE = `INSERT INTO captures (blob, collection, urlkey, timestamp, url, mime, status, digest, offset,
  length, skip, type, method, request_body, redirect) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

function insertCaptures(database: DatabaseSync, blob: number, collection: number, rows: Iterable<CaptureRow>): void {
  const insert = database.prepare(INSERT_CAPTURE);
  for (const row of rows) {
    const { offset, length, skip } = row.place;
    insert.run(
      ...[blob, collection, row.urlkey, Number(row.timestamp), row.url, row.mime, row.status ?? null, row.digest],
      ...[offset, length, skip, row.type, row.method ?? null, row.requestBody ?? null, row.redirect ?? null],
    );
  }
}

function jsonOf(value: object | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

function insertBlob(database: DatabaseSync, { entry, reading, spool, captures }: Commit, journalEnd: number): number {
  const collection = collectionId(database, entry.collection);
  const last = Number(database.prepare("SELECT max(id) AS last FROM captures").get()?.["last"] ?? 0);
  const { lastInsertRowid } = database
    .prepare(
      `INSERT INTO blobs (collection, hash, filename, size, format, compression, records, captures, damaged,
       damaged_ranges, damaged_bytes, digests, reason, received_at, first_id, last_id, created_seconds)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      ...[collection, entry.hash, entry.filename ?? null, entry.size, reading.format, reading.compression],
      ...[reading.records, captures, JSON.stringify(reading.damaged), reading.damaged.length],
      ...[reading.damaged.reduce((sum, range) => sum + range.length, 0), jsonOf(reading.digests)],
      ...[reading.reason ?? null, entry.receivedAt],
      ...[last + 1, last + captures, reading.createdSeconds ?? null],
    );
  const sequence = Number(lastInsertRowid);
  if (spool !== undefined) insertCaptures(database, sequence, collection, readSpool(spool));
  advance(database, journalEnd);
  return sequence;
}

function collectionId(database: DatabaseSync, name: string): number {
  database.prepare("INSERT OR IGNORE INTO collections (name) VALUES (?)").run(name);
  return Number(database.prepare("SELECT id FROM collections WHERE name = ?").get(name)?.["id"]);
}

/** A line and a transaction, both or none. @param journalEnd - behind the line when the journal has it already */
function write<T>(
  line: JournalEntry | Withdrawal,
  journalEnd: number | undefined,
  work: (database: DatabaseSync, journalEnd: number) => T,
): T {
  const { database, journal } = open();
  const start = journal.bytes;
  try {
    if (journalEnd === undefined) journal.append(line);
    const end = journalEnd ?? journal.bytes;
    return inTransaction(database, () => work(database, end));
  } catch (error) {
    if (journalEnd === undefined) journal.truncate(start);
    throw error;
  }
}

function withdraw({ withdrawal, journalEnd }: Withdraw): number | undefined {
  const held = known(open().database, withdrawal);
  if (held === undefined && journalEnd === undefined) return undefined;
  return write(withdrawal, journalEnd, (database, end) => {
    if (held !== undefined) deleteBlob(database, held);
    advance(database, end);
    return noteWithdrawal(database, collectionId(database, withdrawal.collection), withdrawal, held);
  });
}

function commit(input: Commit): Committed {
  const { database } = open();
  const held = known(database, input.entry);
  if (held !== undefined) {
    // A file that was taken back and sent again has two lines.
    if (input.journalEnd !== undefined) advance(database, input.journalEnd);
    return { sequence: held, created: false };
  }
  const sequence = write(input.entry, input.journalEnd, (to, end) => insertBlob(to, input, end));
  return { sequence, created: true };
}

let over: OverLines | undefined;

const writes: CatalogWrites = {
  open: () => {
    open();
  },
  commit,
  withdraw,
  unread: (limit) => {
    const { database, journal } = open();
    const from = journalBytes(database);
    over ??= overLines(journal.linesFrom(from));
    const lines: UnreadLine[] = [];
    for (const line of journal.linesFrom(from)) {
      lines.push({ ...line, isOver: over.has(line) });
      if (lines.length >= limit) break;
    }
    return lines;
  },
  skip: (journalEnd) => {
    advance(open().database, journalEnd);
  },
};

answerCalls(writes, {
  name: "catalog writer",
  file: files.database,
  close: () => {
    opened?.database.close();
    opened?.journal.close();
  },
});
