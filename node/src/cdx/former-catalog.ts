/**
 * What a catalog that is being replaced still says of files that the journal does not name: collection, name, time. It may
 * be damaged; whatever cannot be read is not known.
 */
import type { DatabaseSync } from "node:sqlite";
import { openForReading } from "../storage/database.ts";
import { BLOB_COLUMNS, toBlob } from "./blob-row.ts";
import type { JournalEntry } from "./journal.ts";

/** A collection's name becomes part of paths and rules, so that a damaged page may not invent one. */
const COLLECTION = /^[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;

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
      const rows = this.#database
        ?.prepare(`SELECT ${BLOB_COLUMNS} FROM blobs b JOIN collections c ON c.id = b.collection WHERE b.hash = ?`)
        .all(hash);
      return (rows ?? []).map(toBlob).filter(({ collection }) => COLLECTION.test(collection));
    } catch {
      return [];
    }
  }

  [Symbol.dispose](): void {
    this.#database?.close();
  }
}
