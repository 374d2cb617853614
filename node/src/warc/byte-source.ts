/** Stored bytes by position: a file opened for reading, and a sliding window over any source. */
import { type FileHandle, open } from "node:fs/promises";
import type { ByteSource } from "./record.ts";

/** Bytes asked of a source at a time: few system calls, and far below the memory target. */
export const READ_BYTES = 1 << 20;

export interface FileSource extends ByteSource, AsyncDisposable {
  readonly path: string;
}

/** @throws the system's error (`ENOENT`, `EACCES`, `EISDIR`, …) when the file cannot be opened */
export async function openFileSource(path: string): Promise<FileSource> {
  const handle = await open(path, "r");
  try {
    const { size } = await handle.stat();
    return fileSource(path, handle, size);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function fileSource(path: string, handle: FileHandle, size: number): FileSource {
  return {
    path,
    size,
    async read(position, length) {
      const wanted = Math.max(0, Math.min(length, size - position));
      const buffer = Buffer.allocUnsafeSlow(wanted);
      const { bytesRead } = await handle.read(buffer, 0, wanted, position);
      return buffer.subarray(0, bytesRead);
    },
    async readInto(position, buffer) {
      const wanted = Math.max(0, Math.min(buffer.length, size - position));
      return (await handle.read(buffer, 0, wanted, position)).bytesRead;
    },
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

/** A source over bytes that are already in memory. */
export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read: async (position, length) => bytes.subarray(position, position + length),
  };
}

/**
 * Keeps the part of a source that is being worked on; asks for more only when a view reaches beyond it.
 * A view is valid until the next one is asked for: the memory is used again.
 */
export class SourceWindow {
  readonly source: ByteSource;
  readonly #windowBytes: number;
  #memory: Uint8Array = new Uint8Array(0);
  #bytes: Uint8Array = this.#memory;
  #start = 0;

  constructor(source: ByteSource, windowBytes: number) {
    this.source = source;
    this.#windowBytes = windowBytes;
  }

  get size(): number {
    return this.source.size;
  }

  /** What is held from `position` on, at most `length` bytes; empty when `position` is outside. */
  held(position: number, length: number): Uint8Array {
    const from = position - this.#start;
    if (from < 0 || from >= this.#bytes.length) return this.#bytes.subarray(0, 0);
    return this.#bytes.subarray(from, from + length);
  }

  /** `length` bytes from `position` on, fewer only at the end of the source. */
  async view(position: number, length: number): Promise<Uint8Array> {
    const wanted = Math.max(0, Math.min(length, this.size - position));
    const held = this.held(position, wanted);
    if (held.length >= wanted) return held;
    await this.#load(position, Math.max(wanted, this.#windowBytes));
    return this.held(position, wanted);
  }

  /** Keeps what is held from `position` on, and reads the rest. */
  async #load(position: number, length: number): Promise<void> {
    const wanted = Math.min(length, this.size - position);
    const kept = this.held(position, wanted);
    if (this.#memory.length < wanted) {
      this.#memory = new Uint8Array(Math.max(wanted, Math.min(this.#windowBytes, this.size)));
    }
    this.#memory.set(kept);
    let have = kept.length;
    // NOTE: a read that fails half-way must not leave a window that is neither the old nor the new one.
    this.#bytes = this.#memory.subarray(0, have);
    this.#start = position;
    while (have < wanted) {
      const read = await this.#readInto(position + have, this.#memory.subarray(have, wanted));
      if (read === 0) break;
      have += read;
    }
    this.#bytes = this.#memory.subarray(0, have);
  }

  async #readInto(position: number, buffer: Uint8Array): Promise<number> {
    if (this.source.readInto !== undefined) return this.source.readInto(position, buffer);
    const part = await this.source.read(position, buffer.length);
    buffer.set(part);
    return part.length;
  }
}

/**
 * Bytes per chunk of a stream. Small on purpose: chunks are garbage at once, and the collector counts objects rather than
 * the memory behind them (512 MB record through `warc check`: 151 MB at most with 1 MiB, about 105 MB with this).
 */
export const STREAM_BYTES = 1 << 17;

/** The source from `position` to its end, in order. */
export async function* chunksFrom(source: ByteSource, position: number): AsyncGenerator<Uint8Array> {
  for (let at = position; at < source.size; ) {
    const chunk = await source.read(at, STREAM_BYTES);
    if (chunk.length === 0) return;
    at += chunk.length;
    yield chunk;
  }
}

/** Bytes from `start` to `end`, both inclusive; closes the file at the end, or when the reader goes away. */
export async function* chunksBetween(source: FileSource, start: number, end: number): AsyncGenerator<Uint8Array, void> {
  try {
    for (let at = start; at <= end; ) {
      const chunk = await source.read(at, Math.min(READ_BYTES, end - at + 1));
      if (chunk.length === 0) return;
      at += chunk.length;
      yield chunk;
    }
  } finally {
    await source[Symbol.asyncDispose]();
  }
}
