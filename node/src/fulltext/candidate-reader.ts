/** What ranking asks of the documents of one index: each fact is read when it is asked for, and once. */
import type { DatabaseSync } from "node:sqlite";
import type { DocColumns } from "./doc-columns.ts";
import { proximity, type ReadingPlan, titleFeature } from "./features.ts";
import { readSequence } from "./packing.ts";
import type { Candidate, Level, RankedDocument } from "./question.ts";
import type { CloseLook, HitKey, RankedHit, RankingSource } from "./ranking.ts";

/** A document with the best impact of each unit of the question. */
export interface ScoredDocument {
  readonly doc: number;
  readonly impacts: Uint8Array;
}

const statements = (database: DatabaseSync) => ({
  sequence: database.prepare("SELECT sequence FROM bodies WHERE doc = ?"),
  title: database.prepare("SELECT title FROM docs WHERE id = ?"),
  key: database.prepare("SELECT urlkey, digest FROM docs JOIN pages ON pages.id = docs.page WHERE docs.id = ?"),
});

export class CandidateReader implements RankingSource<ScoredDocument> {
  readonly #sql: ReturnType<typeof statements>;
  readonly #columns: DocColumns;
  readonly #plan: ReadingPlan;
  readonly #keys = new Map<number, HitKey>();
  readonly #looks = new Map<number, CloseLook>();

  constructor(database: DatabaseSync, columns: DocColumns, plan: ReadingPlan) {
    this.#sql = statements(database);
    this.#columns = columns;
    this.#plan = plan;
  }

  impacts(hit: ScoredDocument): Uint8Array {
    return hit.impacts;
  }

  depth({ doc }: ScoredDocument): number {
    return this.#columns.depth[doc] ?? 0;
  }

  key({ doc }: ScoredDocument): HitKey {
    const known = this.#keys.get(doc);
    if (known !== undefined) return known;
    const row = this.#sql.key.get(doc);
    const key = { urlkey: String(row?.["urlkey"] ?? ""), digest: String(row?.["digest"] ?? "") };
    this.#keys.set(doc, key);
    return key;
  }

  look({ doc }: ScoredDocument): CloseLook {
    const look = {
      proximity: this.#plan.units < 2 ? 0 : proximity(this.#sequence(doc), this.#plan),
      title: titleFeature(this.#title(doc), this.#language(doc), this.#plan),
    };
    this.#looks.set(doc, look);
    return look;
  }

  document({ hit: { doc }, score }: RankedHit<ScoredDocument>): RankedDocument {
    const columns = this.#columns;
    return {
      doc,
      score,
      host: columns.hosts.value(columns.host[doc] ?? 0),
      simhash: [columns.simhashA[doc] ?? 0, columns.simhashB[doc] ?? 0],
    };
  }

  candidate(ranked: RankedHit<ScoredDocument>, level: Level): Candidate {
    const { hit } = ranked;
    return {
      ...this.document(ranked),
      ...this.key(hit),
      page: this.#columns.page[hit.doc] ?? 0,
      level,
      impacts: hit.impacts,
      depth: this.depth(hit),
      look: this.#looks.get(hit.doc),
    };
  }

  #sequence(doc: number): Uint32Array {
    const row = this.#sql.sequence.get(doc);
    return row === undefined ? new Uint32Array() : readSequence(row["sequence"] as Uint8Array);
  }

  #title(doc: number): string {
    return String(this.#sql.title.get(doc)?.["title"] ?? "");
  }

  #language(doc: number): string | undefined {
    return this.#columns.languages.value(this.#columns.language[doc] ?? 0) || undefined;
  }
}
