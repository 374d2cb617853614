/**
 * A document as rows of the full-text database, inside the writer's transaction: its facts, its words for the engine, its
 * impacts for scoring, its text for snippets. What many documents of a batch change (frequencies of terms) is summed up and
 * written once.
 */
import type { DatabaseSync } from "node:sqlite";
import { deflateRawSync } from "node:zlib";
import type { IndexDocument } from "./document.ts";
import { tierTerms } from "./impact-tiers.ts";
import { impactEntry, packImpacts, packSequence } from "./packing.ts";
import { RecentMap } from "./recent-map.ts";

/** Body terms kept for proximity; later ones still count for ranking. */
const SEQUENCE_TERMS = 20_000;
const COMPRESSION_LEVEL = 3;
/** Ids of terms kept in memory, about 100 bytes each; every other one costs a look-up in the table. */
const REMEMBERED_TERMS = 300_000;

/** Where a document belongs. */
export interface DocumentPlace {
  readonly page: number;
  /** Sequence of the blob that brought it. */
  readonly blob: number;
  readonly digest: string;
  /** 14 digits as a number. */
  readonly timestamp: number;
  readonly rev: number;
}

/** A term of the running batch. */
interface BatchTerm {
  readonly id: number;
  /** Documents of the batch that have it. */
  df: number;
}

const statements = (database: DatabaseSync) => ({
  addDoc: database.prepare(
    `INSERT INTO docs(page, digest, url, host, mime, language, title, length, depth, first, last, simhash_a, simhash_b,
       blob, rev) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ),
  addWords: database.prepare("INSERT INTO words(rowid, title, headings, body, url, facets) VALUES (?, ?, ?, ?, ?, ?)"),
  addForward: database.prepare("INSERT INTO forward(doc, impacts) VALUES (?, ?)"),
  addBody: database.prepare("INSERT INTO bodies(doc, sequence, text) VALUES (?, ?, ?)"),
  lastTerm: database.prepare("SELECT max(id) AS id FROM terms"),
  term: database.prepare("SELECT id FROM terms WHERE term = ?"),
  addDf: database.prepare(
    "INSERT INTO terms(term, id, df) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET df = df + excluded.df",
  ),
});

export class DocumentWriter {
  readonly #sql: ReturnType<typeof statements>;
  readonly #termIds = new RecentMap<number>(REMEMBERED_TERMS);
  #lastTerm: number;
  #batch = new Map<string, BatchTerm>();
  #docs = 0;
  #totalLength = 0;

  constructor(database: DatabaseSync) {
    this.#sql = statements(database);
    this.#lastTerm = this.#readLastTerm();
  }

  /** @returns the document's id; it can be found once the batch is flushed and committed */
  add(place: DocumentPlace, document: IndexDocument): number {
    const { terms } = document;
    const { page, digest, timestamp, blob, rev } = place;
    const length = terms.title.length + terms.body.length;
    const [a, b] = document.simhash;
    const doc = Number(
      this.#sql.addDoc.run(
        ...[page, digest, document.url, document.host, document.mime, document.language ?? null, document.title],
        ...[length, document.depth, timestamp, timestamp, a, b, blob, rev],
      ).lastInsertRowid,
    );
    const facets = [...terms.facets, ...tierTerms(document.impacts)];
    const columns = [terms.title, terms.headings, terms.body, terms.url, facets].map((list) => list.join(" "));
    this.#sql.addWords.run(doc, ...columns);
    this.#addWeights(doc, document);
    this.#docs += 1;
    this.#totalLength += length;
    return doc;
  }

  /** Writes the sums of the batch, in the order of the table. @returns what the batch added */
  flush(): { readonly docs: number; readonly totalLength: number } {
    for (const term of [...this.#batch.keys()].sort()) {
      const { id, df } = this.#batch.get(term) ?? { id: 0, df: 0 };
      this.#sql.addDf.run(term, id, df);
      this.#termIds.set(term, id);
    }
    const added = { docs: this.#docs, totalLength: this.#totalLength };
    this.#startBatch();
    return added;
  }

  /** The transaction failed: what it added does not exist. */
  forget(): void {
    this.#termIds.clear();
    this.#lastTerm = this.#readLastTerm();
    this.#startBatch();
  }

  /** Terms may have gone from the table. */
  forgetTerms(): void {
    this.#termIds.clear();
  }

  #startBatch(): void {
    this.#batch = new Map();
    this.#docs = 0;
    this.#totalLength = 0;
  }

  #readLastTerm(): number {
    return Number(this.#sql.lastTerm.get()?.["id"] ?? 0);
  }

  #addWeights(doc: number, { impacts, terms, body }: IndexDocument): void {
    const entries = new Float64Array(impacts.size);
    let at = 0;
    for (const [term, impact] of impacts) {
      const entry = this.#batchTerm(term);
      entry.df += 1;
      entries[at] = impactEntry(entry.id, impact);
      at += 1;
    }
    this.#sql.addForward.run(doc, packImpacts(entries));
    const sequence = terms.body.slice(0, SEQUENCE_TERMS).map((term) => this.#batch.get(term)?.id ?? 0);
    const text = deflateRawSync(Buffer.from(body, "utf8"), { level: COMPRESSION_LEVEL });
    this.#sql.addBody.run(doc, packSequence(sequence), text);
  }

  #batchTerm(term: string): BatchTerm {
    const known = this.#batch.get(term);
    if (known !== undefined) return known;
    const added = { id: this.#termId(term), df: 0 };
    this.#batch.set(term, added);
    return added;
  }

  #termId(term: string): number {
    const id = this.#termIds.get(term) ?? this.#sql.term.get(term)?.["id"];
    if (id !== undefined) return Number(id);
    this.#lastTerm += 1;
    return this.#lastTerm;
  }
}
