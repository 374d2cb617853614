/** Opens SQLite files with the settings every index of the node relies on, and brings their schema up to date. */
import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { StorageError, storageErrorOf } from "./errors.ts";

/** Above this a full check costs longer than a start may take; damage then shows when a page is read. */
const CHECKED_BYTES = 256 * 1024 ** 2;
/** Writers wait this long for a lock; only `rebuild` beside a wrongly started node would. */
const BUSY_MS = 5_000;
/** An input/output error on a mapped page is a signal that ends the process; on a page that is read, it is an error. */
const UNMAPPED = "PRAGMA mmap_size = 0";

/** One step of a schema, applied once and in order; `user_version` counts them. */
export type Migration = string;

/**
 * Opens for writing; makes the file when absent.
 *
 * WAL, so that readers never wait for the writer; FULL, so that a commit is on disk when it returns.
 *
 * @throws {StorageError} `INDEX_DAMAGED`, `INDEX_NEWER`, `INDEX_LOCKED`, `DISK_FULL`, `DISK_READ_ONLY`
 */
export function openForWriting(file: string, migrations: readonly Migration[]): DatabaseSync {
  return opened(file, () => {
    const database = new DatabaseSync(file, { timeout: BUSY_MS });
    try {
      database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536");
      database.exec(`${UNMAPPED}; PRAGMA temp_store = MEMORY`);
      migrate(database, file, migrations);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

/** Opens a file that a writer has made. @throws {StorageError} */
export function openForReading(file: string): DatabaseSync {
  return opened(file, () => {
    const database = new DatabaseSync(file, { readOnly: true, timeout: BUSY_MS });
    database.exec(`PRAGMA cache_size = -16384; ${UNMAPPED}; PRAGMA query_only = ON`);
    return database;
  });
}

/** Reads the whole file when it is small enough. @throws {StorageError} `INDEX_DAMAGED` */
export function checkDatabase(database: DatabaseSync, file: string): void {
  if (statSync(file).size > CHECKED_BYTES) return;
  opened(file, () => {
    const row = database.prepare("PRAGMA quick_check(1)").get();
    const found = String(row?.["quick_check"] ?? "no answer");
    if (found !== "ok") throw new StorageError("INDEX_DAMAGED", { file, reason: found });
  });
}

function opened<T>(file: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw storageErrorOf(error, file) ?? error;
  }
}

function migrate(database: DatabaseSync, file: string, migrations: readonly Migration[]): void {
  const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
  if (version > migrations.length) {
    throw new StorageError("INDEX_NEWER", { file, version, known: migrations.length });
  }
  for (const [index, step] of migrations.entries()) {
    if (index < version) continue;
    database.exec(`BEGIN IMMEDIATE; ${step}; PRAGMA user_version = ${index + 1}; COMMIT`);
  }
}

/** All of `work`, or nothing of it. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}
