/**
 * Keeps a second process out of a data folder. An open write transaction on a tiny SQLite file holds the operating
 * system's file lock: it ends with the process however that ends, and leaves nothing behind to clean up.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StartError } from "../config/errors.ts";

const SQLITE_BUSY = 5;

/** True when another process has the folder: it may be about to let go. */
export function isHeldByAnother(error: unknown): boolean {
  return error instanceof StartError && (error.cause as { errcode?: unknown } | undefined)?.errcode === SQLITE_BUSY;
}

/**
 * @returns what releases the lock
 * @throws {StartError} `DATA_UNUSABLE`: held by another process, read-only, or cannot be made
 */
export function lockDataFolder(dataDir: string): Disposable {
  const unusable = (reason: string, cause: unknown) =>
    new StartError("DATA_UNUSABLE", { path: dataDir, reason }, { cause });
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(dataDir, { recursive: true });
    const held = new DatabaseSync(join(dataDir, "lock"), { timeout: 0 });
    database = held;
    // Kept in memory: a journal on disk would only be more to recover.
    held.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return { [Symbol.dispose]: () => held.close() };
  } catch (error) {
    database?.close();
    if ((error as { errcode?: unknown }).errcode === SQLITE_BUSY) {
      throw unusable("another archive-node is using this folder; stop it first or choose another --data", error);
    }
    throw unusable(error instanceof Error ? error.message : "cannot be used", error);
  }
}
