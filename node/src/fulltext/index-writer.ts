/**
 * The one writer of the full-text database. Documents, statistics and the cursor over the blobs are committed in one
 * transaction: after a crash the index and its cursor agree, and indexing goes on where it stopped.
 */
import type { DatabaseSync } from "node:sqlite";
import { deflateRawSync } from "node:zlib";
import type { IndexDocument } from "./document.ts";
import { CHAMPION_IMPACT, IMPACT_MAX } from "./impact.ts";
import { packImpacts, packSequence } from "./packing.ts";
import type { SourceBlob } from "./source.ts";

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
  readonly document: IndexDocument | undefined;
}

/** Body terms kept for proximity; later ones still count for ranking. */
const SEQUENCE_TERMS = 20_000;
const COMPRESSION_LEVEL = 3;
/** Ids of terms kept in memory, about 100 bytes each; most words of a text are among the commonest. */
const REMEMBERED_TERMS = 100_000;

const statements = (database: DatabaseSync) => ({
  page: database.prepare("SELECT id FROM pages WHERE collection = ? AND urlkey = ?"),
  addPage: database.prepare("INSERT INTO pages(collection, urlkey) VALUES (?, ?)"),
  doc: database.prepare("SELECT id, first, last FROM docs WHERE page = ? AND digest = ?"),
  addDoc: database.prepare(
    `INSERT INTO docs(page, digest, url, host, mime, language, title, length, depth, first, last, simhash_a, simhash_b,
       blob, rev) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ),
  widenDoc: database.prepare("UPDATE docs SET first = min(first, ?1), last = max(last, ?1), rev = ?2 WHERE id = ?3"),
  addSighting: database.prepare("INSERT OR IGNORE INTO sightings(page, timestamp, doc) VALUES (?, ?, ?)"),
  addWords: database.prepare("INSERT INTO words(rowid, title, headings, body, url, facets) VALUES (?, ?, ?, ?, ?, ?)"),
  addForward: database.prepare("INSERT INTO forward(doc, impacts) VALUES (?, ?)"),
  addBody: database.prepare("INSERT INTO bodies(doc, sequence, text) VALUES (?, ?, ?)"),
  term: database.prepare("SELECT id FROM terms WHERE term = ?"),
  addTerm: database.prepare("INSERT INTO terms(term, df) VALUES (?, 0)"),
  addDf: database.prepare("UPDATE terms SET df = df + ? WHERE id = ?"),
  addBlobDf: database.prepare(
    "INSERT INTO blob_terms(term, blob, df) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET df = df + excluded.df",
  ),
  addBlob: database.prepare(
    `INSERT INTO blob_stats(blob, hash, docs, total_len) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET docs = docs + excluded.docs, total_len = total_len + excluded.total_len`,
  ),
  addChampion: database.prepare("INSERT OR IGNORE INTO champions(term, rank, doc) VALUES (?, ?, ?)"),
  wait: database.prepare("INSERT OR IGNORE INTO waiting(collection, urlkey, digest, timestamp) VALUES (?, ?, ?, ?)"),
  waiting: database.prepare("SELECT timestamp FROM waiting WHERE collection = ? AND urlkey = ? AND digest = ?"),
  stopWaiting: database.prepare("DELETE FROM waiting WHERE collection = ? AND urlkey = ? AND digest = ?"),
  cursor: database.prepare("SELECT sequence, ordinal FROM cursor"),
  // Inside a blob the running attempt is one for the new place too.
  moveCursor: database.prepare("UPDATE cursor SET sequence = ?1, ordinal = ?2, attempts = (?2 > 0)"),
  begin: database.prepare("UPDATE cursor SET attempts = attempts + 1 RETURNING attempts"),
  excuse: database.prepare("UPDATE cursor SET attempts = max(0, attempts - 1)"),
  lastRev: database.prepare("SELECT max(rev) AS rev FROM docs"),
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
  #rev: number;
  readonly #termIds = new Map<string, number>();
  /** Sums of the running batch, written once at its end. */
  #frequencies = new Map<number, number>();
  #docs = 0;
  #totalLength = 0;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#sql = statements(database);
    this.#rev = Number(this.#sql.lastRev.get()?.["rev"] ?? 0);
  }

  get cursor(): IndexCursor {
    const row = this.#sql.cursor.get();
    return { sequence: Number(row?.["sequence"]), ordinal: Number(row?.["ordinal"]) };
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
      for (const [term, df] of this.#frequencies) {
        this.#sql.addDf.run(df, term);
        this.#sql.addBlobDf.run(term, blob.sequence, df);
      }
      this.#sql.addBlob.run(blob.sequence, blob.hash, this.#docs, this.#totalLength);
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
    this.#frequencies = new Map();
    this.#docs = 0;
    this.#totalLength = 0;
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#database.exec("COMMIT");
    } catch (error) {
      // Terms added by the failed transaction do not exist.
      this.#termIds.clear();
      // A full disk has ended the transaction already.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  #addEntry(blob: SourceBlob, entry: BatchEntry): void {
    const { urlkey, digest, document } = entry;
    const timestamp = Number(entry.timestamp);
    const known = this.#sql.page.get(blob.collection, urlkey)?.["id"];
    const held = known === undefined ? undefined : this.#sql.doc.get(known, digest)?.["id"];
    this.#rev += 1;
    if (held !== undefined) {
      this.#addSighting(Number(known), Number(held), timestamp);
    } else if (document === undefined) {
      this.#sql.wait.run(blob.collection, urlkey, digest, timestamp);
    } else {
      const page = Number(known ?? this.#sql.addPage.run(blob.collection, urlkey).lastInsertRowid);
      const doc = this.#addDocument(blob, page, entry, document);
      this.#addSighting(page, doc, timestamp);
      this.#addWaiting([blob.collection, urlkey, digest], page, doc);
    }
  }

  #addSighting(page: number, doc: number, timestamp: number): void {
    this.#sql.addSighting.run(page, timestamp, doc);
    this.#sql.widenDoc.run(timestamp, this.#rev, doc);
  }

  #addWaiting(key: readonly [collection: string, urlkey: string, digest: string], page: number, doc: number): void {
    const waiting = this.#sql.waiting.all(...key);
    for (const row of waiting) this.#addSighting(page, doc, Number(row["timestamp"]));
    if (waiting.length > 0) this.#sql.stopWaiting.run(...key);
  }

  #addDocument(blob: SourceBlob, page: number, entry: BatchEntry, document: IndexDocument): number {
    const timestamp = Number(entry.timestamp);
    const { terms } = document;
    const length = terms.title.length + terms.body.length;
    const [a, b] = document.simhash;
    const doc = Number(
      this.#sql.addDoc.run(
        ...[page, entry.digest, document.url, document.host, document.mime, document.language ?? null, document.title],
        ...[length, document.depth, timestamp, timestamp, a, b, blob.sequence, this.#rev],
      ).lastInsertRowid,
    );
    const columns = [terms.title, terms.headings, terms.body, terms.url, terms.facets].map((list) => list.join(" "));
    this.#sql.addWords.run(doc, ...columns);
    this.#addWeights(doc, document);
    this.#docs += 1;
    this.#totalLength += length;
    return doc;
  }

  #addWeights(doc: number, document: IndexDocument): void {
    const ids = new Map<string, number>();
    const entries: (readonly [number, number])[] = [];
    for (const [term, impact] of document.impacts) {
      const id = this.#termId(term);
      ids.set(term, id);
      entries.push([id, impact]);
      this.#frequencies.set(id, (this.#frequencies.get(id) ?? 0) + 1);
      if (impact >= CHAMPION_IMPACT) this.#sql.addChampion.run(id, IMPACT_MAX - impact, doc);
    }
    this.#sql.addForward.run(doc, packImpacts(entries));
    const sequence = document.terms.body.slice(0, SEQUENCE_TERMS).map((term) => ids.get(term) ?? 0);
    const text = deflateRawSync(Buffer.from(document.body, "utf8"), { level: COMPRESSION_LEVEL });
    this.#sql.addBody.run(doc, packSequence(sequence), text);
  }

  #termId(term: string): number {
    const remembered = this.#termIds.get(term);
    if (remembered !== undefined) return remembered;
    const known = this.#sql.term.get(term)?.["id"];
    const id = Number(known ?? this.#sql.addTerm.run(term).lastInsertRowid);
    if (this.#termIds.size >= REMEMBERED_TERMS) this.#termIds.clear();
    this.#termIds.set(term, id);
    return id;
  }
}
