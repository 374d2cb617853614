/** A file leaves the catalog: its row and its captures go, that it was there and withdrawn stays. Inside the writer's transaction. */
import type { DatabaseSync } from "node:sqlite";
import type { Withdrawal } from "./journal.ts";

export function deleteBlob(database: DatabaseSync, sequence: number): void {
  database
    .prepare(
      `DELETE FROM captures WHERE blob = ?1 AND id BETWEEN (SELECT first_id FROM blobs WHERE sequence = ?1)
       AND (SELECT last_id FROM blobs WHERE sequence = ?1)`,
    )
    .run(sequence);
  database.prepare("DELETE FROM blobs WHERE sequence = ?").run(sequence);
}

/** @param blob - sequence that the file had @returns the sequence of the withdrawal */
export function noteWithdrawal(
  database: DatabaseSync,
  collection: number,
  { hash, withdrawnAt }: Withdrawal,
  blob: number | undefined,
): number {
  const sequence = nextSequence(database);
  database
    .prepare("INSERT INTO withdrawn (sequence, collection, hash, blob, withdrawn_at) VALUES (?, ?, ?, ?, ?)")
    .run(sequence, collection, hash, blob ?? 0, withdrawnAt);
  return sequence;
}

/** Files and withdrawals are counted together, so that whoever reads what changed has one order of both. */
function nextSequence(database: DatabaseSync): number {
  const row = database.prepare("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'blobs' RETURNING seq").get();
  if (row !== undefined) return Number(row["seq"]);
  database.exec("INSERT INTO sqlite_sequence (name, seq) VALUES ('blobs', 1)");
  return 1;
}
