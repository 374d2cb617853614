/** Where archived files are kept: exactly as received, named by the SHA-256 of their bytes. The interface; see the adapters. */
import type { FileSource } from "../warc/byte-source.ts";

/** A file whose bytes are on disk but which nobody can see yet. End it with `settle` or `discard`. */
export interface ReceivedBlob {
  readonly hash: string;
  /** Bytes. */
  readonly size: number;
  /** A path that a reader can open until `keep`. */
  readonly path: string;
  /**
   * Gives it its name; durable when it returns. One caller at a time for the same bytes. Repeating it, or keeping bytes that
   * are held, changes nothing; where the held file is gone or cut, it is whole again.
   */
  keep(): Promise<void>;
  /** Its row is committed: forget that it ever was on the way. */
  settle(): Promise<void>;
  /** Takes it back. `named`: no row names these bytes, so a name given by `keep` goes too. */
  discard(options: { readonly named: boolean }): Promise<void>;
}

export interface BlobStore {
  /** Once, before anything else. @throws {StorageError} `DISK_FULL`, `DISK_READ_ONLY` */
  prepare(): Promise<void>;
  /** Writes and removes a tiny file. @throws {StorageError} `DISK_FULL`, `DISK_READ_ONLY` */
  checkWrites(): Promise<void>;
  /** Every blob, in no order that means anything. */
  list(): AsyncIterable<{ readonly hash: string; readonly size: number }>;
  /**
   * Writes a stream to disk and flushes it.
   *
   * @throws {StorageError} `DISK_FULL`, `DISK_READ_ONLY`; whatever the body throws; the signal's reason. Nothing stays.
   */
  receive(body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<ReceivedBlob>;
  /**
   * A file that somebody wrote and flushed on the store's volume, outside its folders. It stays where it is until `keep`,
   * so that a crash before that leaves it there.
   */
  claim(file: { readonly path: string; readonly hash: string; readonly size: number }): ReceivedBlob;
  /** Files that a crash left between `keep` and `settle`. */
  unsettled(): Promise<readonly ReceivedBlob[]>;
  /**
   * Notes, durably, that a held file may have to go: until it is ended with `settle` or `discard`, a start decides about it.
   *
   * @throws {StorageError} `DISK_FULL`, `DISK_READ_ONLY`
   */
  doubt(hash: string): Promise<Pick<ReceivedBlob, "settle" | "discard">>;
  /** @throws {StorageError} `BLOB_MISSING` when it is not held */
  open(hash: string): Promise<FileSource>;
  /** A path for readers in other threads. */
  pathOf(hash: string): string;
  /** @throws {StorageError} `DISK_FULL` when fewer than `bytes` are free beside the reserve, `DISK_READ_ONLY` */
  checkRoom(bytes: number): Promise<void>;
}
