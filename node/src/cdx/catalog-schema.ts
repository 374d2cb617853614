/** Tables of the catalog (`catalog.db`): files, their captures, what was withdrawn, and how far the journal is in it. */
import type { Migration } from "../storage/database.ts";

/**
 * Captures of one file have neighbouring ids, because a file is committed in one transaction: `first_id` and `last_id`
 * find them without an index of their own. Times are 14 digits as numbers.
 */
export const MIGRATIONS: readonly Migration[] = [
  `CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE collections (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
   CREATE TABLE blobs (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT, collection INTEGER NOT NULL, hash TEXT NOT NULL, filename TEXT,
     size INTEGER NOT NULL, format TEXT NOT NULL, compression TEXT NOT NULL, records INTEGER NOT NULL,
     captures INTEGER NOT NULL, damaged TEXT NOT NULL, reason TEXT, received_at TEXT NOT NULL,
     first_id INTEGER NOT NULL, last_id INTEGER NOT NULL, UNIQUE (collection, hash));
   CREATE INDEX blobs_by_hash ON blobs (hash);
   CREATE TABLE captures (
     id INTEGER PRIMARY KEY, blob INTEGER NOT NULL, collection INTEGER NOT NULL, urlkey TEXT NOT NULL,
     timestamp INTEGER NOT NULL, url TEXT NOT NULL, mime TEXT NOT NULL, status INTEGER, digest TEXT NOT NULL,
     offset INTEGER NOT NULL, length INTEGER NOT NULL, skip INTEGER NOT NULL, type TEXT NOT NULL, method TEXT,
     request_body TEXT, redirect TEXT);
   CREATE INDEX captures_by_key ON captures (collection, urlkey, timestamp, id);
   INSERT INTO meta VALUES ('journal_bytes', '0'), ('canonicaliser', 'ia-1')`,
  // Sums beside the ranges, so that a list need not read them all. Digests of files taken in before are not known.
  `ALTER TABLE blobs ADD COLUMN damaged_ranges INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE blobs ADD COLUMN damaged_bytes INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE blobs ADD COLUMN digests TEXT;
   UPDATE blobs SET damaged_ranges = json_array_length(damaged),
     damaged_bytes = (SELECT sum(value ->> 'length') FROM json_each(damaged)) WHERE damaged <> '[]'`,
  // Names this sequence of files for those who read it on from where they were; a catalog that is made anew has another one.
  `INSERT INTO meta VALUES ('epoch', lower(hex(randomblob(16))));
   CREATE INDEX blobs_by_collection ON blobs (collection)`,
  // Since 1970, of the first record. Of files taken in before it is not known; a rebuild reads it.
  `ALTER TABLE blobs ADD COLUMN created_seconds INTEGER`,
  // Every withdrawal stays, with a sequence of the same order as files; a collection that holds the file now took it in again.
  `CREATE TABLE withdrawn (
     sequence INTEGER PRIMARY KEY, collection INTEGER NOT NULL, hash TEXT NOT NULL, blob INTEGER NOT NULL,
     withdrawn_at TEXT NOT NULL);
   CREATE INDEX withdrawn_by_hash ON withdrawn (hash);
   CREATE INDEX withdrawn_by_collection ON withdrawn (collection)`,
];
