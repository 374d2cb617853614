/** Ranked documents to what a person sees: title, timeline, snippet. Reads only the few documents of one page of answers. */
import type { DatabaseSync } from "node:sqlite";
import { inflateRawSync } from "node:zlib";
import type { Matcher } from "./matcher.ts";
import type { CollectionScope, PresentedDocument, Question } from "./question.ts";
import { makeSnippet } from "./snippet.ts";

const DOCUMENT = `SELECT docs.*, pages.collection, bodies.text FROM docs JOIN pages ON pages.id = docs.page
  JOIN bodies ON bodies.doc = docs.id WHERE docs.id = ?`;
const TIMELINE = `SELECT count(DISTINCT timestamp) AS count, min(timestamp) AS first, max(timestamp) AS last,
  max(CASE WHEN doc = ?1 AND timestamp BETWEEN ?2 AND ?3 THEN timestamp END) AS matching
  FROM sightings WHERE page = ?4 AND timestamp <= ?5`;
const LAST_TIME = 99_991_231_235_959;

const statements = (database: DatabaseSync) => ({
  document: database.prepare(DOCUMENT),
  timeline: database.prepare(TIMELINE),
});

/** The index terms of the question's words, and which word each stands for. */
function markedTerms(matcher: Matcher, question: Question): Map<string, number> {
  const units = matcher.resolve(question).groups.flatMap((group) => group.units);
  return new Map(units.flatMap((unit, index) => unit.terms.map(({ term }) => [term, index] as const)));
}

function cutoffOf(scopes: readonly CollectionScope[], collection: string): number {
  return scopes.find(({ name }) => name === collection)?.cutoff ?? LAST_TIME;
}

/** Presents documents in the order given; one that no capture in the asked time shows is left out. */
export function presentDocuments(
  database: DatabaseSync,
  matcher: Matcher,
  question: Question,
  docs: readonly number[],
): PresentedDocument[] {
  matcher.refresh();
  const sql = statements(database);
  const terms = markedTerms(matcher, question);
  return docs.flatMap((doc) => {
    const row = sql.document.get(doc);
    if (row === undefined) return [];
    const collection = String(row["collection"]);
    const cutoff = cutoffOf(question.scopes, collection);
    const timeline = sql.timeline.get(doc, question.from ?? 0, question.to ?? LAST_TIME, row["page"] ?? 0, cutoff);
    if (timeline?.["matching"] === null || timeline?.["matching"] === undefined) return [];
    const language = row["language"] === null ? undefined : String(row["language"]);
    const text = inflateRawSync(row["text"] as Uint8Array).toString("utf8");
    return {
      doc,
      url: String(row["url"]),
      collection,
      title: String(row["title"]),
      host: String(row["host"]),
      mime: String(row["mime"]),
      language,
      snippet: makeSnippet(text, terms, language),
      timestamp: Number(timeline["matching"]),
      captures: {
        count: Number(timeline["count"]),
        first: Number(timeline["first"]),
        last: Number(timeline["last"]),
      },
    };
  });
}
