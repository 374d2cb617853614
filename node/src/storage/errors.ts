/** Failures of the volume and of the index files on it. Codes are log-stable: add, never rename. */
export interface StorageErrorDetails {
  /** An index file does not hold what was written to it. */
  readonly INDEX_DAMAGED: { readonly file: string; readonly reason: string };
  /** A later version of the program wrote the index file, in a form this one does not know. */
  readonly INDEX_NEWER: { readonly file: string; readonly version: number; readonly known: number };
  /** Another program holds a lock on an index file. */
  readonly INDEX_LOCKED: { readonly file: string; readonly reason: string };
  /** No space is left, or less than the node keeps in reserve. */
  readonly DISK_FULL: { readonly reason: string };
  /** The volume refuses writes. */
  readonly DISK_READ_ONLY: { readonly reason: string };
  /** The volume answers with input/output errors. */
  readonly DISK_FAILED: { readonly reason: string };
  /** The process, or the machine, has as many files open as it may. */
  readonly HANDLES_EXHAUSTED: { readonly reason: string };
  /** The index names a file that the volume does not have. */
  readonly BLOB_MISSING: { readonly hash: string };
  /** The file of this hash does not hold a record where the index has one: it changed after it was stored. */
  readonly BLOB_DAMAGED: { readonly hash: string; readonly offset: number; readonly reason: string };
  /** The index is sound and did not answer in time. */
  readonly INDEX_SLOW: { readonly afterMs: number };
  /** A worker thread ended by itself; the next call starts another. */
  readonly WORKER_LOST: { readonly worker: string; readonly reason: string };
  /** A worker thread ended before it could do anything: the program or its memory is at fault, not what it was given. */
  readonly WORKER_UNSTARTED: { readonly worker: string; readonly reason: string };
  readonly CLOSED: { readonly worker: string };
  /** Anything else that went wrong in a worker thread. */
  readonly WORKER_FAILED: { readonly worker: string; readonly reason: string };
}
export type StorageErrorCode = keyof StorageErrorDetails;

const MESSAGES: { readonly [C in StorageErrorCode]: (details: StorageErrorDetails[C]) => string } = {
  INDEX_DAMAGED: ({ file, reason }) =>
    `${file} is damaged (${reason}): stop the node and run archive-node rebuild --data DIR; no archived file is lost`,
  INDEX_NEWER: ({ file, version, known }) =>
    `${file} was written by a later version of archive-node (schema ${version}, this one knows up to ${known}): run that` +
    " version, or make the index anew with archive-node rebuild --data DIR; no archived file is lost",
  INDEX_LOCKED: ({ file, reason }) =>
    `${file} is held by another program (${reason}): end what reads or copies it, then try again`,
  DISK_FULL: ({ reason }) => `no room for this on the node's volume (${reason}): free space or grow the volume`,
  DISK_READ_ONLY: ({ reason }) => `the node's volume cannot be written (${reason}): check the volume and its owner`,
  DISK_FAILED: ({ reason }) => `the node's volume fails (${reason}): check the volume`,
  HANDLES_EXHAUSTED: ({ reason }) =>
    `too many files are open (${reason}): raise the limit of open files, check who connects`,
  BLOB_MISSING: ({ hash }) =>
    `the archived file ${hash} is not on the volume: send it again, or restore it from a backup`,
  BLOB_DAMAGED: ({ hash, offset, reason }) =>
    `the archived file ${hash} is damaged at byte ${offset} (${reason}): restore it from a backup`,
  INDEX_SLOW: ({ afterMs }) =>
    `the index did not answer within ${Math.round(afterMs / 1000)} s: check the volume and what else uses it`,
  WORKER_LOST: ({ worker, reason }) => `the ${worker} thread ended (${reason}); try again`,
  WORKER_UNSTARTED: ({ worker, reason }) =>
    `the ${worker} thread cannot start (${reason}): check memory and installation`,
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

/** Codes of failures that a file and a reason describe. */
type Described =
  | "INDEX_DAMAGED"
  | "INDEX_LOCKED"
  | "DISK_FULL"
  | "DISK_READ_ONLY"
  | "DISK_FAILED"
  | "HANDLES_EXHAUSTED";

const BY_SYSTEM_CODE: ReadonlyMap<unknown, Described> = new Map([
  ["ENOSPC", "DISK_FULL"],
  ["EDQUOT", "DISK_FULL"],
  ["EFBIG", "DISK_FULL"],
  ["EROFS", "DISK_READ_ONLY"],
  ["EACCES", "DISK_READ_ONLY"],
  ["EPERM", "DISK_READ_ONLY"],
  ["EIO", "DISK_FAILED"],
  ["EMFILE", "HANDLES_EXHAUSTED"],
  ["ENFILE", "HANDLES_EXHAUSTED"],
]);
/** SQLite's primary result codes: <https://www.sqlite.org/rescode.html>. */
const BY_SQLITE_CODE: ReadonlyMap<number, Described> = new Map([
  [5, "INDEX_LOCKED"],
  [6, "INDEX_LOCKED"],
  [8, "DISK_READ_ONLY"],
  [10, "DISK_FAILED"],
  [11, "INDEX_DAMAGED"],
  [13, "DISK_FULL"],
  [14, "DISK_FAILED"],
  [26, "INDEX_DAMAGED"],
]);

/** The storage failure behind a system or SQLite error; `undefined` when it is something else. */
export function storageErrorOf(error: unknown, file: string): StorageError | undefined {
  if (error instanceof StorageError) return error;
  if (!(error instanceof Error)) return undefined;
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown };
  const found = typeof errcode === "number" ? BY_SQLITE_CODE.get(errcode & 0xff) : BY_SYSTEM_CODE.get(code);
  return found && new StorageError(found, { file, reason: error.message }, { cause: error });
}
