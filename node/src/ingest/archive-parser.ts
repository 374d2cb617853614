/**
 * Reads received files in worker threads, each under a ceiling of time and memory. A file that breaks its thread is an
 * outcome (`unreadable`), not a failure of the node; what was found in it until then counts.
 */
import { spooledSoFar } from "../cdx/capture-spool.ts";
import { StorageError } from "../storage/errors.ts";
import { WorkerCalls } from "../storage/worker-calls.ts";
import type { ParseCalls, Parsed, ParseInput } from "./parse-calls.ts";

/** The reader itself stays far below; this is for what nobody thought of. MiB. */
const HEAP_MB = 512;
/** Slower than any disk; a decompression bomb of a gigabyte reads within it. */
const BASE_MS = 60_000;
const MS_PER_BYTE = 1 / 1_000;

export type ParseOutcome = { readonly kind: "parsed"; readonly parsed: Parsed } | Unreadable;

export interface Unreadable {
  readonly kind: "unreadable";
  readonly reason: string;
  /** Found before, and in the spool. */
  readonly captures: number;
  /** Where the last of them ends in the file, bytes; 0 without any. */
  readonly readBytes: number;
}

/** How long reading a file of this many bytes may take, milliseconds. */
function readingLimitMs(sizeBytes: number): number {
  return BASE_MS + Math.ceil(sizeBytes * MS_PER_BYTE);
}

/** A thread is started by the first file that finds none idle: an archive that is only read has none. */
export class ArchiveParser {
  readonly #limitMs: (sizeBytes: number) => number;
  readonly #threads: readonly WorkerCalls<ParseCalls>[];
  readonly #idle: WorkerCalls<ParseCalls>[];
  readonly #waiting: ((thread: WorkerCalls<ParseCalls>) => void)[] = [];

  /** @param limitMs - of reading a file of some bytes */
  constructor(threads: number, limitMs = readingLimitMs) {
    this.#limitMs = limitMs;
    this.#threads = Array.from(
      { length: threads },
      () =>
        new WorkerCalls<ParseCalls>({
          url: new URL("./parse.worker.ts", import.meta.url),
          name: "archive reader",
          workerData: undefined,
          resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
        }),
    );
    this.#idle = [...this.#threads];
  }

  /** @throws {StorageError} of the volume: `DISK_FULL`, `DISK_READ_ONLY` */
  async parse(input: ParseInput, sizeBytes: number): Promise<ParseOutcome> {
    const thread = await this.#take();
    const limitMs = this.#limitMs(sizeBytes);
    try {
      const parsed = await thread.call("parse", input, AbortSignal.timeout(limitMs));
      return { kind: "parsed", parsed };
    } catch (error) {
      const reason = await reasonOf(error, thread, limitMs);
      if (reason === undefined) throw error;
      return await unreadable(reason, input.spool);
    } finally {
      this.#give(thread);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  async #take(): Promise<WorkerCalls<ParseCalls>> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #give(thread: WorkerCalls<ParseCalls>): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(thread);
    else next(thread);
  }
}

/** Why the file is at fault, once its thread no longer writes; `undefined` when it is not. */
async function reasonOf(error: unknown, thread: WorkerCalls<ParseCalls>, limitMs: number): Promise<string | undefined> {
  if (error instanceof Error && error.name === "TimeoutError") {
    await thread.abandon();
    return `reading took longer than ${Math.round(limitMs / 1000)} s`;
  }
  if (!(error instanceof StorageError)) return undefined;
  return error.code === "WORKER_LOST" || error.code === "WORKER_FAILED" ? error.message : undefined;
}

async function unreadable(reason: string, spool: string): Promise<Unreadable> {
  try {
    const { rows, last } = await spooledSoFar(spool);
    const readBytes = last === undefined ? 0 : last.place.offset + last.place.length;
    return { kind: "unreadable", reason, captures: rows, readBytes };
  } catch (error) {
    // It ended before it could make one.
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      return { kind: "unreadable", reason, captures: 0, readBytes: 0 };
    throw error;
  }
}
