/**
 * Takes a withdrawn blob out of the full-text database, inside the writer's transaction. A text that another blob holds too
 * stays, with the captures that are left. Without one it goes, and revisits of it wait again, in case the text comes back.
 */
import type { DatabaseSync } from "node:sqlite";
import { readTermIds } from "./packing.ts";

/** Pages of one transaction: it also goes through the table of terms once, which takes about a second for millions of them. */
const PAGES_PER_STEP = 5_000;

/** What is left of a document once the blob's captures are gone. */
interface Remainder {
  readonly first: number;
  readonly last: number;
  /** A blob that holds its payload; `undefined` when only revisits are left. */
  readonly holder: number | undefined;
}

const statements = (database: DatabaseSync) => ({
  pages: database.prepare("SELECT DISTINCT page FROM sightings WHERE blob = ? LIMIT ?"),
  docsOf: database.prepare("SELECT DISTINCT doc FROM sightings WHERE blob = ? AND page = ?"),
  dropSightings: database.prepare("DELETE FROM sightings WHERE blob = ? AND page = ?"),
  remainders: database.prepare(
    `SELECT doc, min(timestamp) AS first, max(timestamp) AS last, max(iif(text, blob, NULL)) AS holder
     FROM sightings WHERE page = ? GROUP BY doc`,
  ),
  doc: database.prepare("SELECT blob, length FROM docs WHERE id = ?"),
  keepDoc: database.prepare("UPDATE docs SET first = ?, last = ?, blob = ?, rev = ? WHERE id = ?"),
  addToBlob: database.prepare("UPDATE blob_stats SET docs = docs + 1, total_len = total_len + ? WHERE blob = ?"),
  revisitsWait: database.prepare(
    `INSERT OR IGNORE INTO waiting(collection, urlkey, digest, timestamp, blob)
     SELECT p.collection, p.urlkey, d.digest, s.timestamp, s.blob FROM sightings s JOIN docs d ON d.id = s.doc
     JOIN pages p ON p.id = s.page WHERE s.page = ? AND s.doc = ?`,
  ),
  dropRevisits: database.prepare("DELETE FROM sightings WHERE page = ? AND doc = ?"),
  impacts: database.prepare("SELECT impacts FROM forward WHERE doc = ?"),
  dropDoc: database.prepare("DELETE FROM docs WHERE id = ?"),
  dropForward: database.prepare("DELETE FROM forward WHERE doc = ?"),
  dropBody: database.prepare("DELETE FROM bodies WHERE doc = ?"),
  dropWords: database.prepare("DELETE FROM words WHERE rowid = ?"),
  noteRemoved: database.prepare("INSERT INTO removed_docs(rev, doc) VALUES (?, ?)"),
  dropEmptyPage: database.prepare(
    "DELETE FROM pages WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM docs WHERE page = ?1)",
  ),
  clearGone: database.prepare("DELETE FROM temp.gone_terms"),
  noteGone: database.prepare("INSERT INTO temp.gone_terms(id, docs) VALUES (?, ?)"),
  lowerDf: database.prepare(
    `UPDATE terms SET df = df - (SELECT docs FROM temp.gone_terms g WHERE g.id = terms.id)
     WHERE id IN (SELECT id FROM temp.gone_terms)`,
  ),
  dropTerms: database.prepare("DELETE FROM terms WHERE df <= 0 AND id IN (SELECT id FROM temp.gone_terms)"),
  dropWaiting: database.prepare("DELETE FROM waiting WHERE blob = ?"),
  dropFailure: database.prepare("DELETE FROM failures WHERE sequence = ?"),
  dropStats: database.prepare("DELETE FROM blob_stats WHERE blob = ?"),
});

export class BlobRemoval {
  readonly #sql: ReturnType<typeof statements>;
  readonly #nextRev: () => number;

  /** @param nextRev - number of the next change, for readers */
  constructor(database: DatabaseSync, nextRev: () => number) {
    database.exec("CREATE TEMP TABLE IF NOT EXISTS gone_terms(id INTEGER PRIMARY KEY, docs INTEGER NOT NULL)");
    this.#sql = statements(database);
    this.#nextRev = nextRev;
  }

  /** Takes out some pages. @returns whether nothing of the blob is left */
  step(blob: number): boolean {
    const goneTerms = new Map<number, number>();
    const pages = this.#sql.pages.all(blob, PAGES_PER_STEP).map((row) => Number(row["page"]));
    for (const page of pages) this.#leavePage(blob, page, goneTerms);
    this.#lowerFrequencies(goneTerms);
    if (pages.length === PAGES_PER_STEP) return false;
    this.#sql.dropWaiting.run(blob);
    this.#sql.dropFailure.run(blob);
    this.#sql.dropStats.run(blob);
    return true;
  }

  #leavePage(blob: number, page: number, goneTerms: Map<number, number>): void {
    const docs = this.#sql.docsOf.all(blob, page).map((row) => Number(row["doc"]));
    this.#sql.dropSightings.run(blob, page);
    const remainders = this.#remainders(page);
    for (const doc of docs) {
      const left = remainders.get(doc);
      if (left?.holder === undefined) this.#drop(page, doc, goneTerms);
      else this.#keep(doc, blob, left.holder, left);
    }
    this.#sql.dropEmptyPage.run(page);
  }

  #remainders(page: number): ReadonlyMap<number, Remainder> {
    return new Map(
      this.#sql.remainders.all(page).map((row) => [
        Number(row["doc"]),
        {
          first: Number(row["first"]),
          last: Number(row["last"]),
          holder: row["holder"] === null ? undefined : Number(row["holder"]),
        },
      ]),
    );
  }

  #keep(doc: number, blob: number, holder: number, { first, last }: Remainder): void {
    const row = this.#sql.doc.get(doc);
    const isOwner = Number(row?.["blob"]) === blob;
    if (isOwner) this.#sql.addToBlob.run(Number(row?.["length"]), holder);
    this.#sql.keepDoc.run(first, last, isOwner ? holder : Number(row?.["blob"]), this.#nextRev(), doc);
  }

  #drop(page: number, doc: number, goneTerms: Map<number, number>): void {
    this.#sql.revisitsWait.run(page, doc);
    this.#sql.dropRevisits.run(page, doc);
    const packed = this.#sql.impacts.get(doc)?.["impacts"] as Uint8Array | undefined;
    for (const id of packed === undefined ? [] : readTermIds(packed)) goneTerms.set(id, (goneTerms.get(id) ?? 0) + 1);
    for (const drop of [this.#sql.dropDoc, this.#sql.dropForward, this.#sql.dropBody, this.#sql.dropWords])
      drop.run(doc);
    this.#sql.noteRemoved.run(this.#nextRev(), doc);
  }

  #lowerFrequencies(goneTerms: ReadonlyMap<number, number>): void {
    if (goneTerms.size === 0) return;
    this.#sql.clearGone.run();
    for (const [id, docs] of goneTerms) this.#sql.noteGone.run(id, docs);
    this.#sql.lowerDf.run();
    this.#sql.dropTerms.run();
    this.#sql.clearGone.run();
  }
}
