/**
 * Runs the writer thread and tells how far it is. A thread that dies is started again after a pause: the cursor in the
 * database says where to go on, and how often that was tried. A thread that hangs is ended: its loop beats every second.
 */
import { Worker } from "node:worker_threads";
import { FullTextError } from "./errors.ts";
import type { SetAside } from "./index-writer.ts";
import { isDatabaseError } from "./schema.ts";

export interface IndexerOptions {
  /** The database file. */
  readonly file: string;
  /** URL of the module that exports `openIndexSource`. */
  readonly sourceModule: string;
  readonly sourceOptions: unknown;
  /** Look for new blobs this often even when nobody says so, milliseconds. */
  readonly pollMs: number;
  /** Version of the program: what another one set aside is tried again. */
  readonly program: string;
  /** A thread whose loop stands still for this long hangs, milliseconds. Far above the longest commit of a sick disk. */
  readonly stallMs: number;
  /** Heap of the thread; one that needs more ends, and the node does not. */
  readonly heapMb: number;
}

/** What a thread is started with. */
export interface IndexerThreadData extends IndexerOptions {
  /** One 32-bit number that the thread's loop changes every {@link BEAT_MS}. */
  readonly beat: SharedArrayBuffer;
  /** How the last thread of this process ended, when it did not end by order. */
  readonly lastEnd: string | undefined;
  /** Whether that end was the database's trouble, which is not held against what was being indexed. */
  readonly excused: boolean;
}

export const BEAT_MS = 1_000;

/** Loading the program takes seconds on a busy machine, whatever is in the archive: a thread may take this long to begin. */
const START_MS = 60_000;

export type IndexerEvent =
  | { readonly kind: "ready"; readonly sequence: number; readonly withdrawn: number }
  | { readonly kind: "indexed"; readonly sequence: number; readonly hash: string; readonly captures: number }
  | { readonly kind: "failed"; readonly sequence: number; readonly hash: string; readonly reason: string }
  /** The text of a withdrawn blob, and of all withdrawn before, is out. */
  | { readonly kind: "withdrawn"; readonly sequence: number; readonly blob: number }
  /** All blobs that stand aside now, newest first. */
  | { readonly kind: "set-aside"; readonly blobs: readonly SetAside[] };

export interface IndexerObserver {
  readonly onEvent: (event: IndexerEvent) => void;
  readonly onRestart: (error: Error) => void;
}

/** What the thread is told. `rebuild`: set the database aside and end; the next thread starts an empty one. */
export type IndexerCommand =
  | { readonly kind: "wake" }
  | { readonly kind: "stop" }
  | { readonly kind: "rebuild"; readonly inode: number };

/** Pauses between failing threads double from the first to the longest; an indexed blob starts them anew. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/** Pause before the next thread, milliseconds. */
export function restartPause(failures: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 16));
}

function reasonOf(error: Error): string {
  return error instanceof FullTextError && error.code === "WORKER_LOST"
    ? (error as FullTextError<"WORKER_LOST">).details.reason
    : error.message;
}

export class Indexer {
  readonly #options: IndexerOptions;
  readonly #observer: IndexerObserver;
  #worker: Worker | undefined;
  #restart: NodeJS.Timeout | undefined;
  #stopping = false;
  #failures = 0;
  #lastEnd: Error | undefined;
  #ready = Promise.withResolvers<void>();

  constructor(options: IndexerOptions, observer: IndexerObserver) {
    this.#options = options;
    this.#observer = observer;
  }

  /** Starts the thread; resolves once the database is open, so that readers can open it too. */
  async start(signal: AbortSignal): Promise<void> {
    this.#spawn();
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => aborted.reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      await Promise.race([this.#ready.promise, aborted.promise]);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** Says that a blob was committed. */
  wake(): void {
    this.#tell({ kind: "wake" });
  }

  /** Says that what ended the last thread may be over: the next one starts without its pause. */
  resume(): void {
    if (this.#restart === undefined || this.#worker !== undefined || this.#stopping) return;
    clearTimeout(this.#restart);
    this.#spawn();
  }

  /**
   * Says that the database is damaged: it is set aside and filled again from the blobs.
   *
   * @param inode - of the damaged file; ignored when another one has taken its place
   */
  rebuild(inode: number): void {
    this.#tell({ kind: "rebuild", inode });
  }

  /** Ends after the running batch; the next start goes on there. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    const worker = this.#worker;
    if (worker === undefined) return;
    const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
    this.#tell({ kind: "stop" });
    await ended;
  }

  #tell(command: IndexerCommand): void {
    this.#worker?.postMessage(command);
  }

  #spawn(): void {
    this.#restart = undefined;
    const beat = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    const worker = new Worker(new URL("./indexer.worker.ts", import.meta.url), {
      workerData: this.#threadData(beat),
      resourceLimits: { maxOldGenerationSizeMb: this.#options.heapMb },
    });
    this.#worker = worker;
    let failure: Error | undefined;
    const watch = this.#watch(worker, new Int32Array(beat), (error) => {
      failure ??= error;
    });
    worker.on("message", (event: IndexerEvent) => {
      if (event.kind === "ready") this.#ready.resolve();
      if (event.kind === "indexed" || event.kind === "failed") this.#failures = 0;
      this.#observer.onEvent(event);
    });
    worker.on("error", (error: Error) => {
      failure ??= error;
    });
    worker.on("exit", (code) => {
      clearInterval(watch);
      this.#onExit(failure ?? new FullTextError("WORKER_LOST", { reason: `exit ${code}` }));
    });
  }

  #threadData(beat: SharedArrayBuffer): IndexerThreadData {
    const end = this.#lastEnd;
    const excused = isDatabaseError(end) || (end instanceof FullTextError && end.code === "INDEX_DAMAGED");
    return { ...this.#options, beat, lastEnd: end && reasonOf(end), excused };
  }

  /** Ends a thread whose loop stands still. */
  #watch(worker: Worker, beat: Int32Array, hangs: (error: Error) => void): NodeJS.Timeout {
    const { stallMs } = this.#options;
    let last = Atomics.load(beat, 0);
    let sinceMs = performance.now();
    const timer = setInterval(
      () => {
        const now = Atomics.load(beat, 0);
        if (now !== last) sinceMs = performance.now();
        last = now;
        const patienceMs = now === 0 ? Math.max(stallMs, START_MS) : stallMs;
        if (performance.now() - sinceMs < patienceMs) return;
        hangs(new FullTextError("WORKER_LOST", { reason: `stood still for ${Math.round(patienceMs / 1_000)} s` }));
        void worker.terminate();
      },
      Math.min(BEAT_MS, stallMs / 2),
    );
    timer.unref();
    return timer;
  }

  #onExit(error: Error): void {
    this.#worker = undefined;
    this.#lastEnd = error;
    if (this.#stopping) return;
    this.#observer.onRestart(error);
    this.#failures += 1;
    this.#restart = setTimeout(() => this.#spawn(), restartPause(this.#failures));
  }
}
