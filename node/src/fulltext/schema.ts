/**
 * The full-text database: its tables, its settings, its version. A database of another version or analyser is dropped
 * and filled again from the blobs: it holds nothing that they do not.
 */
import { existsSync, renameSync, rmSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { ANALYZER } from "./analyzer.ts";
import { FullTextError } from "./errors.ts";

/** Tables and analyser rules together. */
const VERSION = `5:${ANALYZER}`;
/** SQLite result codes that mean the file itself is bad: SQLITE_CORRUPT, SQLITE_NOTADB. */
const DAMAGE_CODES = new Set([11, 26]);

const TABLES = `
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- 'attempts': threads that began at this place; more than a few mean that what stands here ends them. 'withdrawn': the last
-- withdrawal of a blob whose text is out.
CREATE TABLE cursor(id INTEGER PRIMARY KEY CHECK (id = 1), sequence INTEGER NOT NULL, ordinal INTEGER NOT NULL,
  attempts INTEGER NOT NULL, withdrawn INTEGER NOT NULL);
INSERT INTO cursor VALUES (1, 0, 0, 0, 0);
-- Ids of pages and documents are never given again: readers remember facts by them.
CREATE TABLE pages(id INTEGER PRIMARY KEY AUTOINCREMENT, collection TEXT NOT NULL, urlkey TEXT NOT NULL, UNIQUE(collection, urlkey));
-- One text of a page: captures with the same payload digest share it. 'rev' orders changes for readers' caches.
CREATE TABLE docs(
  id INTEGER PRIMARY KEY AUTOINCREMENT, page INTEGER NOT NULL, digest TEXT NOT NULL, url TEXT NOT NULL, host TEXT NOT NULL,
  mime TEXT NOT NULL, language TEXT, title TEXT NOT NULL, length INTEGER NOT NULL, depth INTEGER NOT NULL,
  first INTEGER NOT NULL, last INTEGER NOT NULL, simhash_a INTEGER NOT NULL, simhash_b INTEGER NOT NULL,
  blob INTEGER NOT NULL, rev INTEGER NOT NULL, UNIQUE(page, digest));
CREATE INDEX docs_rev ON docs(rev);
-- Documents that are no more, in the same order of changes.
CREATE TABLE removed_docs(rev INTEGER PRIMARY KEY, doc INTEGER NOT NULL);
-- Captures of a document. 'text': the blob holds the payload itself, so that the text may stay when other blobs go.
CREATE TABLE sightings(page INTEGER NOT NULL, timestamp INTEGER NOT NULL, doc INTEGER NOT NULL, blob INTEGER NOT NULL,
  text INTEGER NOT NULL, PRIMARY KEY(page, timestamp, doc, blob)) WITHOUT ROWID;
CREATE INDEX sightings_by_blob ON sightings(blob);
-- Revisits whose text has not been indexed yet: files arrive in any order. They join the text when it comes.
CREATE TABLE waiting(collection TEXT NOT NULL, urlkey TEXT NOT NULL, digest TEXT NOT NULL, timestamp INTEGER NOT NULL,
  blob INTEGER NOT NULL, PRIMARY KEY(collection, urlkey, digest, timestamp, blob)) WITHOUT ROWID;
CREATE INDEX waiting_by_blob ON waiting(blob);
CREATE TABLE forward(doc INTEGER PRIMARY KEY, impacts BLOB NOT NULL);
CREATE TABLE bodies(doc INTEGER PRIMARY KEY, sequence BLOB NOT NULL, text BLOB NOT NULL);
CREATE TABLE terms(term TEXT PRIMARY KEY, id INTEGER NOT NULL, df INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE blob_stats(blob INTEGER PRIMARY KEY, hash TEXT NOT NULL, docs INTEGER NOT NULL, total_len INTEGER NOT NULL);
-- Blobs that were set aside; another version of the program tries each once more.
CREATE TABLE failures(sequence INTEGER PRIMARY KEY, hash TEXT NOT NULL, reason TEXT NOT NULL, program TEXT NOT NULL);
-- Tokens arrive analysed: this tokenizer only splits at spaces. Marks (M) belong to words of Indic scripts, private use
-- (Co) marks filters.
CREATE VIRTUAL TABLE words USING fts5(title, headings, body, url, facets, content='', contentless_delete=1,
  tokenize="unicode61 remove_diacritics 0 categories 'L* N* M* Co'");
-- Words of a batch gathered in memory, bytes, before they become a list on disk that must be merged with others.
INSERT INTO words(words, rank) VALUES ('hashsize', 8388608);
`;

const FILE_SUFFIXES = ["", "-wal", "-shm"] as const;
const DAMAGED = ".damaged";

function configure(database: DatabaseSync, write: boolean): void {
  database.exec("PRAGMA busy_timeout = 5000; PRAGMA temp_store = MEMORY");
  if (!write) {
    // Readers look at the system's copy of the file: what several of them need is in memory once, and it can be taken back.
    // 2 GiB is the most that SQLite maps; what lies behind goes through the cache.
    database.exec("PRAGMA query_only = ON; PRAGMA cache_size = -32768; PRAGMA mmap_size = 2147418112");
    return;
  }
  // NORMAL: a power cut may take back the last transactions with their cursor; they are then indexed again.
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536");
  // Batches change many of the same pages: copied into the file once for several of them. What a large one leaves of the
  // log beyond 64 MiB is given back.
  database.exec("PRAGMA wal_autocheckpoint = 8192; PRAGMA journal_size_limit = 67108864");
}

function versionOf(database: DatabaseSync): string | undefined {
  const tables = database.prepare("SELECT count(*) AS n FROM sqlite_master WHERE name = 'meta'").get();
  if (Number(tables?.["n"]) === 0) return undefined;
  const row = database.prepare("SELECT value FROM meta WHERE key = 'version'").get();
  return row === undefined ? undefined : String(row["value"]);
}

/** Whether an error thrown by SQLite says that the file is damaged. */
export function isDamage(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && DAMAGE_CODES.has(Number(error.errcode) & 0xff);
}

/** Whether an error was thrown by SQLite: a full disk, a locked or damaged file. It says nothing about what was indexed. */
export function isDatabaseError(error: unknown): boolean {
  return error instanceof Error && "errcode" in error;
}

/** Which file it is, so that a replaced one is noticed; `undefined` while there is none. */
export function inodeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.ino;
}

/**
 * Moves a damaged database out of the way, so that the next open starts an empty one. One damaged copy is kept for whoever
 * wants to know why; readers notice that the file is another one.
 */
export function setAside(file: string): void {
  for (const suffix of FILE_SUFFIXES) {
    rmSync(`${file}${DAMAGED}${suffix}`, { force: true });
    if (existsSync(`${file}${suffix}`)) renameSync(`${file}${suffix}`, `${file}${DAMAGED}${suffix}`);
  }
}

type Opened = DatabaseSync | "damaged" | "outdated";

function openCurrent(file: string): Opened {
  const database = new DatabaseSync(file);
  try {
    configure(database, true);
    const version = versionOf(database);
    if (version === VERSION) return database;
    if (version === undefined) {
      database.exec(`BEGIN; ${TABLES}; INSERT INTO meta VALUES ('version', '${VERSION}'); COMMIT`);
      return database;
    }
  } catch (error) {
    database.close();
    if (isDamage(error)) return "damaged";
    throw error;
  }
  database.close();
  return "outdated";
}

/**
 * Opens the database for the one writer. A damaged file is set aside, an outdated one deleted; the indexer fills the
 * empty one that takes its place.
 *
 * @throws {FullTextError} `INDEX_DAMAGED` when even a new file cannot be used
 */
export function openWriter(file: string): DatabaseSync {
  const opened = openCurrent(file);
  if (opened instanceof DatabaseSync) return opened;
  if (opened === "damaged") setAside(file);
  else for (const suffix of FILE_SUFFIXES) rmSync(`${file}${suffix}`, { force: true });
  const fresh = openCurrent(file);
  if (fresh instanceof DatabaseSync) return fresh;
  throw new FullTextError("INDEX_DAMAGED", { file });
}

/** Opens the database for a reader. The file must exist. */
export function openReader(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { readOnly: true });
  configure(database, false);
  return database;
}
