/**
 * The one writer of the full-text database. Documents, statistics and the cursor over the blobs are committed in one
 * transaction: after a crash the index and its cursor agree, and indexing goes on where it stopped.
 */
import type { DatabaseSync } from "node:sqlite";
import { BlobRemoval } from "./blob-removal.ts";
import type { IndexDocument } from "./document.ts";
import { DocumentWriter } from "./document-writer.ts";
import type { SourceBlob, WithdrawnBlob } from "./source.ts";

/** Next capture to index: the `ordinal`-th of the first blob after `sequence`. */
export interface IndexCursor {
  readonly sequence: number;
  readonly ordinal: number;
}

/** A capture of a batch; `document` is absent when its text is already indexed, or is still to come (revisit of the unknown). */
export interface BatchEntry {
  readonly urlkey: string;
  readonly timestamp: string;
  readonly digest: string;
  /** The payload is in this blob; false for a revisit. */
  readonly bringsText: boolean;
  readonly document: IndexDocument | undefined;
}

const statements = (database: DatabaseSync) => ({
  page: database.prepare("SELECT id FROM pages WHERE collection = ? AND urlkey = ?"),
  addPage: database.prepare("INSERT INTO pages(collection, urlkey) VALUES (?, ?)"),
  doc: database.prepare("SELECT id, first, last FROM docs WHERE page = ? AND digest = ?"),
  widenDoc: database.prepare("UPDATE docs SET first = min(first, ?1), last = max(last, ?1), rev = ?2 WHERE id = ?3"),
  addSighting: database.prepare(
    `INSERT INTO sightings(page, timestamp, doc, blob, text) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET text = max(text, excluded.text)`,
  ),
  addBlob: database.prepare(
    `INSERT INTO blob_stats(blob, hash, docs, total_len) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET docs = docs + excluded.docs, total_len = total_len + excluded.total_len`,
  ),
  wait: database.prepare(
    "INSERT OR IGNORE INTO waiting(collection, urlkey, digest, timestamp, blob) VALUES (?, ?, ?, ?, ?)",
  ),
  anyWaiting: database.prepare("SELECT 1 FROM waiting LIMIT 1"),
  waiting: database.prepare("SELECT timestamp, blob FROM waiting WHERE collection = ? AND urlkey = ? AND digest = ?"),
  stopWaiting: database.prepare("DELETE FROM waiting WHERE collection = ? AND urlkey = ? AND digest = ?"),
  cursor: database.prepare("SELECT sequence, ordinal FROM cursor"),
  // Inside a blob the running attempt is one for the new place too.
  moveCursor: database.prepare("UPDATE cursor SET sequence = ?1, ordinal = ?2, attempts = (?2 > 0)"),
  begin: database.prepare("UPDATE cursor SET attempts = attempts + 1 RETURNING attempts"),
  excuse: database.prepare("UPDATE cursor SET attempts = max(0, attempts - 1)"),
  withdrawn: database.prepare("SELECT withdrawn FROM cursor"),
  // The blob under way is the first one behind the cursor: without it, the next one would be begun in its middle.
  leaveBlob: database.prepare(
    `UPDATE cursor SET sequence = ?1, ordinal = 0, attempts = 0
     WHERE sequence < ?1 AND EXISTS (SELECT 1 FROM blob_stats WHERE blob = ?1)`,
  ),
  moveWithdrawn: database.prepare("UPDATE cursor SET withdrawn = ?"),
  lastRev: database.prepare(
    "SELECT max((SELECT coalesce(max(rev), 0) FROM docs), (SELECT coalesce(max(rev), 0) FROM removed_docs)) AS rev",
  ),
  fail: database.prepare("INSERT OR REPLACE INTO failures(sequence, hash, reason, program) VALUES (?, ?, ?, ?)"),
  failures: database.prepare("SELECT sequence, hash, reason FROM failures ORDER BY sequence DESC LIMIT ?"),
  claim: database.prepare(
    `UPDATE failures SET program = ?1 WHERE sequence = (SELECT min(sequence) FROM failures WHERE program <> ?1)
     RETURNING sequence`,
  ),
  recover: database.prepare("DELETE FROM failures WHERE sequence = ?"),
});

/** A blob whose text is not, or not wholly, in the index. */
export interface SetAside {
  readonly sequence: number;
  readonly hash: string;
  readonly reason: string;
}

export class IndexWriter {
  readonly #database: DatabaseSync;
  readonly #sql: ReturnType<typeof statements>;
  readonly #documents: DocumentWriter;
  readonly #removal: BlobRemoval;
  #rev: number;
  /** False as long as no revisit ever waited: most archives never look. */
  #mayWait: boolean;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#sql = statements(database);
    this.#documents = new DocumentWriter(database);
    this.#removal = new BlobRemoval(database, () => {
      this.#rev += 1;
      return this.#rev;
    });
    this.#mayWait = this.#sql.anyWaiting.get() !== undefined;
    this.#rev = Number(this.#sql.lastRev.get()?.["rev"] ?? 0);
  }

  get cursor(): IndexCursor {
    const row = this.#sql.cursor.get();
    return { sequence: Number(row?.["sequence"]), ordinal: Number(row?.["ordinal"]) };
  }

  /** Sequence of the last withdrawal that was carried out. */
  get withdrawn(): number {
    return Number(this.#sql.withdrawn.get()?.["withdrawn"]);
  }

  /** Takes some of a withdrawn blob out, and moves on behind it when nothing is left. @returns whether that is so */
  remove({ sequence, blob }: WithdrawnBlob): boolean {
    let isDone = false;
    this.#transaction(() => {
      this.#sql.leaveBlob.run(blob);
      isDone = this.#removal.step(blob);
      if (isDone) this.#sql.moveWithdrawn.run(sequence);
    });
    this.#documents.forgetTerms();
    this.#mayWait = this.#sql.anyWaiting.get() !== undefined;
    return isDone;
  }

  /** Whether a text is indexed, so that it need not be read again. */
  holds(collection: string, urlkey: string, digest: string): boolean {
    const page = this.#sql.page.get(collection, urlkey)?.["id"];
    return page !== undefined && this.#sql.doc.get(page, digest) !== undefined;
  }

  /** Commits a batch and the cursor after it. */
  commit(blob: SourceBlob, batch: readonly BatchEntry[], cursor: IndexCursor): void {
    this.#transaction(() => {
      for (const entry of batch) this.#addEntry(blob, entry);
      const { docs, totalLength } = this.#documents.flush();
      this.#sql.addBlob.run(blob.sequence, blob.hash, docs, totalLength);
      this.#sql.moveCursor.run(cursor.sequence, cursor.ordinal);
    });
  }

  /**
   * Notes, durably against the end of the process, that work begins at the cursor's place.
   *
   * @returns how many attempts began there, this one included
   */
  begin(): number {
    return Number(this.#sql.begin.get()?.["attempts"]);
  }

  /** The last attempt ended for a reason that is not the blob's. */
  excuse(): void {
    this.#sql.excuse.run();
  }

  /** Sets a blob aside and moves on behind it. @param program - version that gave up */
  fail({ sequence, hash }: SourceBlob, reason: string, program: string): void {
    this.#transaction(() => {
      this.#sql.fail.run(sequence, hash, reason, program);
      this.#sql.moveCursor.run(sequence, 0);
    });
  }

  /** Newest first. */
  setAside(limit: number): readonly SetAside[] {
    return this.#sql.failures.all(limit).map((row) => ({
      ...{ sequence: Number(row["sequence"]), hash: String(row["hash"]), reason: String(row["reason"]) },
    }));
  }

  /** A blob that another version set aside; each is given to a version once, whatever comes of it. */
  claimFailed(program: string): number | undefined {
    const sequence = this.#sql.claim.get(program)?.["sequence"];
    return sequence === undefined ? undefined : Number(sequence);
  }

  recovered(sequence: number): void {
    this.#sql.recover.run(sequence);
  }

  #transaction(work: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#documents.forget();
      // A full disk has ended the transaction already.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  #addEntry(blob: SourceBlob, entry: BatchEntry): void {
    const { urlkey, digest, document, bringsText } = entry;
    const timestamp = Number(entry.timestamp);
    const known = this.#sql.page.get(blob.collection, urlkey)?.["id"];
    const held = known === undefined ? undefined : this.#sql.doc.get(known, digest)?.["id"];
    this.#rev += 1;
    if (held !== undefined) {
      this.#addSighting([Number(known), Number(held)], timestamp, blob.sequence, bringsText);
    } else if (document === undefined) {
      this.#mayWait = true;
      this.#sql.wait.run(blob.collection, urlkey, digest, timestamp, blob.sequence);
    } else {
      const page = Number(known ?? this.#sql.addPage.run(blob.collection, urlkey).lastInsertRowid);
      const doc = this.#documents.add({ page, blob: blob.sequence, digest, timestamp, rev: this.#rev }, document);
      this.#sql.addSighting.run(page, timestamp, doc, blob.sequence, 1);
      if (this.#mayWait) this.#addWaiting([blob.collection, urlkey, digest], page, doc);
    }
  }

  #addSighting(of: readonly [page: number, doc: number], timestamp: number, blob: number, bringsText: boolean): void {
    const [page, doc] = of;
    this.#sql.addSighting.run(page, timestamp, doc, blob, Number(bringsText));
    this.#sql.widenDoc.run(timestamp, this.#rev, doc);
  }

  #addWaiting(key: readonly [collection: string, urlkey: string, digest: string], page: number, doc: number): void {
    const waiting = this.#sql.waiting.all(...key);
    for (const row of waiting) {
      this.#addSighting([page, doc], Number(row["timestamp"]), Number(row["blob"]), false);
    }
    if (waiting.length > 0) this.#sql.stopWaiting.run(...key);
  }
}
