/**
 * A file on its way from a peer: `transfers/<hash>.part`. It outlives the process, so that a transfer goes on where it was;
 * what it holds is hashed again then, for a crash may have left anything in it.
 */
import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";

const READ_BYTES = 1 << 20;
/** Chunks of a connection are small; a write costs more than hashing one. */
const WRITE_BYTES = 1 << 20;
/** Flushed as it grows, so that the last flush is short and a power cut costs little. */
const FLUSH_BYTES = 64 * 1024 ** 2;

export function partPath(folder: string, hash: string): string {
  return join(folder, `${hash}.part`);
}

export interface PartFileOptions {
  /** Called before more is written, once per `FLUSH_BYTES`. */
  readonly checkRoom: () => Promise<void>;
}

export class PartFile implements AsyncDisposable {
  readonly path: string;
  readonly #file: FileHandle;
  readonly #options: PartFileOptions;
  #hash: Hash;
  #size: number;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  /** One write runs while the next chunks come in. */
  #writing: Promise<void> = Promise.resolve();
  #flushedAt: number;

  private constructor(
    path: string,
    file: FileHandle,
    held: { readonly hash: Hash; readonly size: number },
    options: PartFileOptions,
  ) {
    this.path = path;
    this.#file = file;
    this.#hash = held.hash;
    this.#size = held.size;
    this.#flushedAt = held.size;
    this.#options = options;
  }

  /** Opens or makes it, and reads what it holds. */
  static async open(path: string, options: PartFileOptions, signal: AbortSignal): Promise<PartFile> {
    const file = await open(path, "a+");
    try {
      return new PartFile(path, file, await hashed(file, signal), options);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Bytes received so far. */
  get size(): number {
    return this.#size;
  }

  async append(chunk: Uint8Array): Promise<void> {
    this.#hash.update(chunk);
    this.#size += chunk.length;
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.length;
    if (this.#pendingBytes >= WRITE_BYTES) await this.#write();
  }

  /** Throws away what it holds. */
  async clear(): Promise<void> {
    await this.#settled();
    this.#pending = [];
    this.#pendingBytes = 0;
    await this.#file.truncate(0);
    this.#hash = createHash("sha256");
    this.#size = 0;
    this.#flushedAt = 0;
  }

  /** Everything appended is on disk when it returns. @returns the hash of the whole, hex */
  async finish(): Promise<string> {
    await this.#write();
    await this.#settled();
    await this.#file.sync();
    return this.#hash.copy().digest("hex");
  }

  /** What was appended is written, so that a later transfer finds it. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#write();
      await this.#settled();
    } catch {
      // Whoever appended has been told.
    } finally {
      await this.#file.close();
    }
  }

  async #write(): Promise<void> {
    await this.#settled();
    const chunks = this.#pending;
    if (chunks.length === 0) return;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#writing = this.#writeAll(chunks);
    // Told to whoever waits next; alone it must not end the process.
    this.#writing.catch(() => undefined);
  }

  #settled(): Promise<void> {
    return this.#writing;
  }

  async #writeAll(chunks: readonly Uint8Array[]): Promise<void> {
    const bytes = Buffer.concat(chunks);
    for (let at = 0; at < bytes.length; ) at += (await this.#file.write(bytes, at)).bytesWritten;
    if (this.#size - this.#flushedAt < FLUSH_BYTES) return;
    this.#flushedAt = this.#size;
    await this.#file.datasync();
    await this.#options.checkRoom();
  }
}

async function hashed(file: FileHandle, signal: AbortSignal): Promise<{ readonly hash: Hash; readonly size: number }> {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(READ_BYTES);
  for (let size = 0; ; ) {
    signal.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, READ_BYTES, size);
    if (bytesRead === 0) return { hash, size };
    hash.update(buffer.subarray(0, bytesRead));
    size += bytesRead;
  }
}
