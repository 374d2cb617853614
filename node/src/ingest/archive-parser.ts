/**
 * Reads received files in worker threads, each under a ceiling of time and memory. A file that breaks its thread is an
 * outcome (`unreadable`), not a failure of the node.
 */
import { StorageError } from "../storage/errors.ts";
import { WorkerCalls } from "../storage/worker-calls.ts";
import type { ParseCalls, Parsed, ParseInput } from "./parse-calls.ts";

/** The reader itself stays far below; this is for what nobody thought of. MiB. */
const HEAP_MB = 512;
/** Slower than any disk; a decompression bomb of a gigabyte reads within it. */
const BASE_MS = 60_000;
const MS_PER_BYTE = 1 / 1_000;

export type ParseOutcome =
  | { readonly kind: "parsed"; readonly parsed: Parsed }
  | { readonly kind: "unreadable"; readonly reason: string };

export class ArchiveParser {
  readonly #threads: readonly WorkerCalls<ParseCalls>[];
  readonly #idle: WorkerCalls<ParseCalls>[];
  readonly #waiting: ((thread: WorkerCalls<ParseCalls>) => void)[] = [];

  constructor(threads: number) {
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

  /** Starts all threads now. */
  warm(): void {
    for (const thread of this.#threads) thread.warm();
  }

  /** @throws {StorageError} of the volume: `DISK_FULL`, `DISK_READ_ONLY` */
  async parse(input: ParseInput, sizeBytes: number): Promise<ParseOutcome> {
    const thread = await this.#take();
    const limitMs = BASE_MS + Math.ceil(sizeBytes * MS_PER_BYTE);
    try {
      const parsed = await thread.call("parse", input, AbortSignal.timeout(limitMs));
      return { kind: "parsed", parsed };
    } catch (error) {
      return await unreadable(error, thread, limitMs);
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

async function unreadable(error: unknown, thread: WorkerCalls<ParseCalls>, limitMs: number): Promise<ParseOutcome> {
  if (error instanceof Error && error.name === "TimeoutError") {
    await thread.abandon();
    return { kind: "unreadable", reason: `reading took longer than ${Math.round(limitMs / 1000)} s` };
  }
  if (error instanceof StorageError && (error.code === "WORKER_LOST" || error.code === "WORKER_FAILED")) {
    return { kind: "unreadable", reason: error.message };
  }
  throw error;
}
