/** Failures of the volume and of the index files on it. Codes are log-stable: add, never rename. */
export interface StorageErrorDetails {
  /** An index file does not hold what was written to it. */
  readonly INDEX_DAMAGED: { readonly file: string; readonly reason: string };
  /** Another program holds a lock on an index file. */
  readonly INDEX_LOCKED: { readonly file: string; readonly reason: string };
  /** No space is left, or less than the node keeps in reserve. */
  readonly DISK_FULL: { readonly reason: string };
  /** The volume refuses writes. */
  readonly DISK_READ_ONLY: { readonly reason: string };
  /** The volume answers with input/output errors. */
  readonly DISK_FAILED: { readonly reason: string };
  /** The index names a file that the volume does not have. */
  readonly BLOB_MISSING: { readonly hash: string };
  /** A worker thread ended by itself; the next call starts another. */
  readonly WORKER_LOST: { readonly worker: string; readonly reason: string };
  readonly CLOSED: { readonly worker: string };
  /** Anything else that went wrong in a worker thread. */
  readonly WORKER_FAILED: { readonly worker: string; readonly reason: string };
}
export type StorageErrorCode = keyof StorageErrorDetails;

const MESSAGES: { readonly [C in StorageErrorCode]: (details: StorageErrorDetails[C]) => string } = {
  INDEX_DAMAGED: ({ file, reason }) =>
    `${file} is damaged (${reason}): stop the node and run archive-node rebuild --data DIR; no archived file is lost`,
  INDEX_LOCKED: ({ file, reason }) =>
    `${file} is held by another program (${reason}): end what reads or copies it, then try again`,
  DISK_FULL: ({ reason }) => `no room for this on the node's volume (${reason}): free space or grow the volume`,
  DISK_READ_ONLY: ({ reason }) => `the node's volume cannot be written (${reason}): check the volume and its owner`,
  DISK_FAILED: ({ reason }) => `the node's volume fails (${reason}): check the volume`,
  BLOB_MISSING: ({ hash }) => `the archived file ${hash} is not on the volume: restore it from a backup or a peer`,
  WORKER_LOST: ({ worker, reason }) => `the ${worker} thread ended (${reason}); try again`,
  CLOSED: ({ worker }) => `the ${worker} thread is closed`,
  WORKER_FAILED: ({ reason }) => reason,
};

export class StorageError<C extends StorageErrorCode = StorageErrorCode> extends Error {
  override readonly name = "StorageError";
  readonly code: C;
  readonly details: StorageErrorDetails[C];

  constructor(code: C, details: StorageErrorDetails[C], options?: ErrorOptions) {
    super(MESSAGES[code](details), options);
    this.code = code;
    this.details = details;
  }
}

const FULL: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);
const READ_ONLY: ReadonlySet<unknown> = new Set(["EROFS", "EACCES", "EPERM"]);
/** SQLite's primary result codes: <https://www.sqlite.org/rescode.html>. */
const SQLITE = { busy: 5, locked: 6, readOnly: 8, ioError: 10, corrupt: 11, full: 13, notADatabase: 26 } as const;

/** The storage failure behind a system or SQLite error; `undefined` when it is something else. */
export function storageErrorOf(error: unknown, file: string): StorageError | undefined {
  if (error instanceof StorageError) return error;
  if (!(error instanceof Error)) return undefined;
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown };
  const sqlite = typeof errcode === "number" ? errcode & 0xff : undefined;
  const reason = error.message;
  if (sqlite === SQLITE.corrupt || sqlite === SQLITE.notADatabase) {
    return new StorageError("INDEX_DAMAGED", { file, reason }, { cause: error });
  }
  if (sqlite === SQLITE.busy || sqlite === SQLITE.locked) {
    return new StorageError("INDEX_LOCKED", { file, reason }, { cause: error });
  }
  if (FULL.has(code) || sqlite === SQLITE.full) return new StorageError("DISK_FULL", { reason }, { cause: error });
  if (READ_ONLY.has(code) || sqlite === SQLITE.readOnly) {
    return new StorageError("DISK_READ_ONLY", { reason }, { cause: error });
  }
  if (code === "EIO" || sqlite === SQLITE.ioError) return new StorageError("DISK_FAILED", { reason }, { cause: error });
  return undefined;
}
