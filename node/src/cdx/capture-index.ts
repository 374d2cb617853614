/**
 * The capture index of the node: one writing thread, several reading ones, so that neither waits for the other and the
 * main loop waits for neither. A reading thread is started by the first look-up that finds none idle.
 */
import { StorageError } from "../storage/errors.ts";
import { WorkerCalls } from "../storage/worker-calls.ts";
import type {
  CatalogFiles,
  CatalogReads,
  CatalogWrites,
  Commit,
  Committed,
  ScanPosition,
  Withdraw,
} from "./catalog-calls.ts";
import type { CaptureRange, CaptureReader, StoredCapture } from "./stored-capture.ts";

/** Rows a call brings: the first few soon, then enough that calls cost little. */
const FIRST_BATCH = 64;
const BATCH = 1_000;
/** Calls are short; one that takes this long has a sick disk under it. */
const CALL_MS = 60_000;
/** A transaction with millions of captures. */
const COMMIT_MS = 30 * 60_000;

export interface CaptureIndexOptions {
  readonly files: CatalogFiles;
  readonly readers: number;
  /** Other than `CALL_MS` and `COMMIT_MS`. */
  readonly limits?: { readonly callMs: number; readonly commitMs: number };
  /** Told of damage once it shows itself. */
  readonly onDamage: (error: StorageError) => void;
}

export class CaptureIndex implements CaptureReader {
  readonly #writer: WorkerCalls<CatalogWrites>;
  readonly #readers: readonly WorkerCalls<CatalogReads>[];
  readonly #onDamage: (error: StorageError) => void;
  readonly #limits: NonNullable<CaptureIndexOptions["limits"]>;

  constructor({ files, readers, limits, onDamage }: CaptureIndexOptions) {
    this.#writer = new WorkerCalls({
      url: new URL("./catalog-writer.worker.ts", import.meta.url),
      name: "catalog writer",
      workerData: files,
    });
    this.#readers = Array.from(
      { length: readers },
      () =>
        new WorkerCalls<CatalogReads>({
          url: new URL("./catalog-reader.worker.ts", import.meta.url),
          name: "catalog reader",
          workerData: files,
        }),
    );
    this.#limits = limits ?? { callMs: CALL_MS, commitMs: COMMIT_MS };
    this.#onDamage = onDamage;
  }

  /** Makes or opens the files. @throws {StorageError} `INDEX_DAMAGED`, `DISK_FULL`, `DISK_READ_ONLY` */
  async open(signal: AbortSignal): Promise<void> {
    await this.#writer.call("open", undefined as never, signal);
  }

  /** Durable when it returns. @throws {StorageError} `INDEX_SLOW` and those of the volume; nothing is committed */
  async commit(commit: Commit): Promise<Committed> {
    return this.#write((limit) => this.#writer.call("commit", commit, limit));
  }

  /**
   * Durable when it returns.
   *
   * @returns the sequence of the withdrawal; `undefined` when the collection does not hold the file
   * @throws {StorageError} `INDEX_SLOW` and those of the volume; nothing is withdrawn
   */
  async withdraw(withdraw: Withdraw): Promise<number | undefined> {
    return this.#write((limit) => this.#writer.call("withdraw", withdraw, limit));
  }

  async #write<T>(call: (limit: AbortSignal) => Promise<T>): Promise<T> {
    const { commitMs } = this.#limits;
    const limit = AbortSignal.timeout(commitMs);
    try {
      return await this.#watched(call(limit));
    } catch (error) {
      // Who gives up must know that it does not happen later all the same: its file would be gone by then.
      if (limit.aborted) await this.#writer.abandon();
      throw error === limit.reason ? new StorageError("INDEX_SLOW", { afterMs: commitMs }, { cause: error }) : error;
    }
  }

  async unread(limit: number, signal: AbortSignal) {
    return this.#watched(this.#writer.call("unread", limit, signal));
  }

  async skip(journalEnd: number, signal: AbortSignal): Promise<void> {
    await this.#watched(this.#writer.call("skip", journalEnd, signal));
  }

  /** @throws {StorageError} `INDEX_SLOW` and those of the volume; the signal's reason */
  async read<N extends keyof CatalogReads>(
    name: N,
    input: Parameters<CatalogReads[N]>[0],
    signal: AbortSignal,
  ): Promise<ReturnType<CatalogReads[N]>> {
    const free = this.#readers.reduce((best, next) => (next.pending < best.pending ? next : best));
    // Not AbortSignal.any and timeout: what they leave to the collector costs a look-up more than its SQL.
    const limited = new AbortController();
    const abort = (): void => limited.abort(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    const { callMs } = this.#limits;
    const timer = setTimeout(() => limited.abort(new StorageError("INDEX_SLOW", { afterMs: callMs })), callMs);
    try {
      signal.throwIfAborted();
      return (await this.#watched(free.call(name, input as never, limited.signal))) as ReturnType<CatalogReads[N]>;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    }
  }

  async *scan(
    collection: string,
    range: CaptureRange,
    signal: AbortSignal,
  ): AsyncGenerator<readonly StoredCapture[], void> {
    let after: ScanPosition | undefined;
    for (let limit = FIRST_BATCH; ; limit = BATCH) {
      const batch = await this.read("scan", { collection, range, after, limit }, signal);
      if (batch.captures.length > 0) yield batch.captures;
      if (batch.next === undefined) return;
      after = batch.next;
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#readers.map((reader) => reader.close()));
    await this.#writer.close();
  }

  async #watched<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      if (isDamage(error)) this.#onDamage(error);
      throw error;
    }
  }
}

function isDamage(error: unknown): error is StorageError<"INDEX_DAMAGED"> {
  return error instanceof StorageError && error.code === "INDEX_DAMAGED";
}
