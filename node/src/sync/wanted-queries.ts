/** Wanted files and places in peers' lists as SQL, over an open database. */

import type { DatabaseSync, SQLInputValue, SQLOutputValue } from "node:sqlite";
import type { MissingReason } from "../contract/federation-reports.ts";
import type { Migration } from "../storage/database.ts";
import { inTransaction } from "../storage/database.ts";
import {
  type DueItem,
  NEVER_MS,
  type PairName,
  type ReasonCounts,
  type StoredPair,
  type WantedCalls,
} from "./wanted-calls.ts";

/** A file that is here has no row: its pair counts it. */
export const MIGRATIONS: readonly Migration[] = [
  `CREATE TABLE pairs (
     id INTEGER PRIMARY KEY, peer TEXT NOT NULL, collection TEXT NOT NULL, cursor TEXT, held INTEGER NOT NULL DEFAULT 0,
     UNIQUE (peer, collection));
   CREATE TABLE wanted (
     pair INTEGER NOT NULL, hash TEXT NOT NULL, size INTEGER, filename TEXT, reason TEXT NOT NULL,
     failures INTEGER NOT NULL DEFAULT 0, due INTEGER NOT NULL, PRIMARY KEY (pair, hash)) WITHOUT ROWID;
   CREATE INDEX wanted_by_due ON wanted (pair, due);
   CREATE INDEX wanted_by_hash ON wanted (hash)`,
];

type Row = Record<string, SQLOutputValue>;

export function wantedQueries(database: DatabaseSync): WantedCalls {
  const run = (sql: string, ...values: SQLInputValue[]): void => void database.prepare(sql).run(...values);
  const all = (sql: string, ...values: SQLInputValue[]): Row[] => database.prepare(sql).all(...values);
  const counts = (pair: number): ReasonCounts =>
    Object.fromEntries(
      all("SELECT reason, count(*) AS count FROM wanted WHERE pair = ? GROUP BY reason", pair).map((row) => [
        String(row["reason"]),
        Number(row["count"]),
      ]),
    );
  return {
    load: (pairs) => {
      inTransaction(database, () => keepOnly(database, pairs));
      return all("SELECT id, peer, collection, cursor, held FROM pairs").map((row) => toPair(row, counts));
    },
    reset: (pair) =>
      inTransaction(database, () => {
        run("DELETE FROM wanted WHERE pair = ?", pair);
        run("UPDATE pairs SET cursor = NULL, held = 0 WHERE id = ?", pair);
      }),
    page: (input) => inTransaction(database, () => takePage(database, input)),
    due: ({ pair, nowMs, limit }) =>
      all(
        `SELECT hash, size, filename, reason, failures FROM wanted INDEXED BY wanted_by_due
         WHERE pair = ? AND due <= ? ORDER BY due LIMIT ?`,
        ...[pair, nowMs, limit],
      ).map(toDue),
    nextDue: (pair) => {
      const [row] = all("SELECT min(due) AS due FROM wanted INDEXED BY wanted_by_due WHERE pair = ?", pair);
      const due = row?.["due"];
      return due === null || due === undefined || Number(due) === NEVER_MS ? undefined : Number(due);
    },
    failed: ({ pair, hash, reason, failures, dueMs }) =>
      run(
        "UPDATE wanted SET reason = ?, failures = ?, due = ? WHERE pair = ? AND hash = ?",
        reason,
        failures,
        dueMs,
        pair,
        hash,
      ),
    done: ({ pair, hash }) =>
      inTransaction(database, () => {
        const { changes } = database.prepare("DELETE FROM wanted WHERE pair = ? AND hash = ?").run(pair, hash);
        run("UPDATE pairs SET held = held + ? WHERE id = ?", changes, pair);
      }),
    drop: (input) => drop(database, input),
    limit: ({ pair, maxBytes }) => {
      const fits = "UPDATE wanted SET reason = 'queued', due = 0 WHERE pair = ? AND reason = 'too-large' AND size <= ?";
      const tooLarge =
        "UPDATE wanted SET reason = 'too-large', due = ? WHERE pair = ? AND reason <> 'too-large' AND size > ?";
      inTransaction(database, () => {
        run(fits, pair, maxBytes);
        run(tooLarge, NEVER_MS, pair, maxBytes);
      });
      return counts(pair);
    },
    missing: ({ pair, limit }) =>
      all("SELECT hash, reason FROM wanted WHERE pair = ? ORDER BY reason = 'queued', hash LIMIT ?", pair, limit).map(
        (row) => ({
          hash: String(row["hash"]),
          reason: reasonOf(row),
        }),
      ),
    wanted: (hashes) =>
      all(
        "SELECT DISTINCT hash FROM wanted WHERE hash IN (SELECT value FROM json_each(?))",
        JSON.stringify(hashes),
      ).map((row) => String(row["hash"])),
  };
}

function drop(database: DatabaseSync, { pair, hashes }: Parameters<WantedCalls["drop"]>[0]): ReasonCounts {
  const gone = new Map<MissingReason, number>();
  const rows = database
    .prepare("DELETE FROM wanted WHERE pair = ? AND hash IN (SELECT value FROM json_each(?)) RETURNING reason")
    .all(pair, JSON.stringify(hashes));
  for (const row of rows) gone.set(reasonOf(row), (gone.get(reasonOf(row)) ?? 0) + 1);
  return Object.fromEntries(gone);
}

function keepOnly(database: DatabaseSync, pairs: readonly PairName[]): void {
  const named = JSON.stringify(pairs.map(({ peer, collection }) => [peer, collection]));
  const kept =
    "SELECT p.id FROM pairs p JOIN json_each(?) n ON p.peer = n.value ->> 0 AND p.collection = n.value ->> 1";
  database.prepare(`DELETE FROM wanted WHERE pair NOT IN (${kept})`).run(named);
  database.prepare(`DELETE FROM pairs WHERE id NOT IN (${kept})`).run(named);
  const insert = database.prepare("INSERT OR IGNORE INTO pairs (peer, collection) VALUES (?, ?)");
  for (const { peer, collection } of pairs) insert.run(peer, collection);
}

function takePage(
  database: DatabaseSync,
  { pair, cursor, held, items }: Parameters<WantedCalls["page"]>[0],
): ReasonCounts {
  const insert = database.prepare(
    "INSERT OR IGNORE INTO wanted (pair, hash, size, filename, reason, due) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const added = new Map<MissingReason, number>();
  for (const { hash, size, filename, reason } of items) {
    const due = reason === "queued" ? 0 : NEVER_MS;
    const { changes } = insert.run(pair, hash, size ?? null, filename ?? null, reason, due);
    if (changes > 0) added.set(reason, (added.get(reason) ?? 0) + 1);
  }
  if (cursor !== undefined) {
    database.prepare("UPDATE pairs SET cursor = ?, held = held + ? WHERE id = ?").run(cursor, held, pair);
  }
  return Object.fromEntries(added);
}

function toPair(row: Row, counts: (pair: number) => ReasonCounts): StoredPair {
  const { id, peer, collection, cursor, held } = row;
  return {
    ...{ id: Number(id), peer: String(peer), collection: String(collection) },
    ...{ cursor: typeof cursor === "string" ? cursor : undefined, held: Number(held), missing: counts(Number(id)) },
  };
}

function toDue(row: Row): DueItem {
  const { hash, size, filename, failures } = row;
  return {
    ...{ hash: String(hash), size: size === null ? undefined : Number(size) },
    ...{
      filename: typeof filename === "string" ? filename : undefined,
      reason: reasonOf(row),
      failures: Number(failures),
    },
  };
}

function reasonOf(row: Row): MissingReason {
  return String(row["reason"]) as MissingReason;
}
