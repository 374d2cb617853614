/**
 * Runs the writer thread and tells how far it is. A thread that dies is started again after a pause: the cursor in the
 * database says where to go on.
 */
import { Worker } from "node:worker_threads";
import { FullTextError } from "./errors.ts";

export interface IndexerOptions {
  /** The database file. */
  readonly file: string;
  /** URL of the module that exports `openIndexSource`. */
  readonly sourceModule: string;
  readonly sourceOptions: unknown;
  /** Look for new blobs this often even when nobody says so, milliseconds. */
  readonly pollMs: number;
}

export type IndexerEvent =
  | { readonly kind: "ready"; readonly sequence: number }
  | { readonly kind: "indexed"; readonly sequence: number; readonly hash: string; readonly captures: number }
  | { readonly kind: "failed"; readonly sequence: number; readonly hash: string; readonly reason: string };

export interface IndexerObserver {
  readonly onEvent: (event: IndexerEvent) => void;
  readonly onRestart: (error: Error) => void;
}

const RESTART_PAUSE_MS = 1_000;

export class Indexer {
  readonly #options: IndexerOptions;
  readonly #observer: IndexerObserver;
  #worker: Worker | undefined;
  #restart: NodeJS.Timeout | undefined;
  #stopping = false;
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
    this.#worker?.postMessage("wake");
  }

  /** Ends after the running batch; the next start goes on there. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    const worker = this.#worker;
    if (worker === undefined) return;
    const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
    worker.postMessage("stop");
    await ended;
  }

  #spawn(): void {
    const worker = new Worker(new URL("./indexer.worker.ts", import.meta.url), { workerData: this.#options });
    this.#worker = worker;
    let failure: Error | undefined;
    worker.on("message", (event: IndexerEvent) => {
      if (event.kind === "ready") this.#ready.resolve();
      this.#observer.onEvent(event);
    });
    worker.on("error", (error: Error) => {
      failure = error;
    });
    worker.on("exit", (code) => this.#onExit(failure ?? new FullTextError("WORKER_LOST", { reason: `exit ${code}` })));
  }

  #onExit(error: Error): void {
    this.#worker = undefined;
    if (this.#stopping) return;
    this.#observer.onRestart(error);
    this.#restart = setTimeout(() => this.#spawn(), RESTART_PAUSE_MS);
  }
}
