/**
 * What a catalog that is being replaced still says of files that the journal does not name: collection, name, time. It may
 * be damaged; whatever cannot be read is not known.
 */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { openForReading } from "../storage/database.ts";
import { textOf } from "./blob-row.ts";
import type { JournalEntry } from "./journal.ts";

/** A collection's name becomes part of paths and rules, so that a damaged page may not invent one. */
const COLLECTION = /^[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;

/** With columns that every version of the schema has: what is replaced may be of an older one. */
const ENTRIES = `SELECT c.name AS collection_name, b.hash, b.filename, b.size, b.received_at
  FROM blobs b JOIN collections c ON c.id = b.collection WHERE b.hash = ?`;

function toEntry(row: Record<string, SQLOutputValue>): JournalEntry {
  return {
    collection: String(row["collection_name"]),
    hash: String(row["hash"]),
    filename: textOf(row["filename"]),
    size: Number(row["size"]),
    receivedAt: String(row["received_at"]),
  };
}

export class FormerCatalog implements Disposable {
  #database: DatabaseSync | undefined;

  constructor(file: string) {
    try {
      this.#database = openForReading(file);
    } catch {
      this.#database = undefined;
    }
  }

  /** One entry per collection that held the file. */
  entriesOf(hash: string): readonly JournalEntry[] {
    try {
      const rows = this.#database?.prepare(ENTRIES).all(hash);
      return (rows ?? []).map(toEntry).filter(({ collection }) => COLLECTION.test(collection));
    } catch {
      return [];
    }
  }

  [Symbol.dispose](): void {
    this.#database?.close();
  }
}
