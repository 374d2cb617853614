/**
 * Calls into a worker thread, one after another, and their answers. For everything that is synchronous or may fail
 * badly: SQLite and foreign bytes. A thread that dies fails its calls; the next call starts another.
 */
import { parentPort, type ResourceLimits, Worker } from "node:worker_threads";
import { StorageError, type StorageErrorCode, storageErrorOf } from "./errors.ts";

export interface WorkerOptions {
  readonly url: URL;
  /** For errors and people. */
  readonly name: string;
  readonly workerData: unknown;
  readonly resourceLimits?: ResourceLimits;
}

/** Calls by name: what goes in, what comes out. Both must be plain data. */
type Signatures = Record<string, (input: never) => unknown>;

interface CallMessage {
  readonly id: number;
  readonly call: string;
  readonly input: unknown;
}
type ReplyMessage =
  /** Sent once, when the thread has loaded all it needs. */
  | { readonly id: 0; readonly up: true }
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly failure: { readonly code: StorageErrorCode; readonly details: unknown } };

const CLOSE = "close";

export class WorkerCalls<S extends Signatures> {
  readonly #options: WorkerOptions;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #worker: Worker | undefined;
  #nextId = 1;
  #closed = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /** Calls that have not been answered. */
  get pending(): number {
    return this.#waiting.size;
  }

  /** Starts the thread now instead of at the first call: making one holds up the loop for some ten milliseconds. */
  warm(): void {
    this.#running();
  }

  /** @throws {StorageError} what the thread reported, `WORKER_LOST`, `WORKER_UNSTARTED`, `CLOSED`; or the signal's reason */
  async call<N extends keyof S & string>(
    name: N,
    input: Parameters<S[N]>[0],
    signal: AbortSignal,
  ): Promise<Awaited<ReturnType<S[N]>>> {
    signal.throwIfAborted();
    if (this.#closed) throw new StorageError("CLOSED", { worker: this.#options.name });
    const id = this.#nextId++;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    const abort = (): void => waiting.reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      const message: CallMessage = { id, call: name, input };
      this.#running().postMessage(message);
      return (await waiting.promise) as Awaited<ReturnType<S[N]>>;
    } finally {
      signal.removeEventListener("abort", abort);
      this.#waiting.delete(id);
    }
  }

  /** Ends the thread at once, whatever it does; its calls fail with `WORKER_LOST`. */
  async abandon(): Promise<void> {
    await this.#worker?.terminate();
  }

  /** Lets running calls end, then ends the thread. */
  async close(): Promise<void> {
    this.#closed = true;
    const worker = this.#worker;
    if (worker === undefined) return;
    const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
    worker.postMessage(CLOSE);
    await ended;
  }

  #running(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const { url, workerData, resourceLimits } = this.#options;
    const worker = new Worker(url, { workerData, ...(resourceLimits === undefined ? {} : { resourceLimits }) });
    this.#worker = worker;
    let reason = "ended";
    let isUp = false;
    worker.on("message", (reply: ReplyMessage) => {
      if ("up" in reply) isUp = true;
      else this.#onReply(reply);
    });
    worker.on("error", (error: Error) => {
      reason = error.message;
    });
    worker.on("exit", () => this.#onExit(worker, isUp ? "WORKER_LOST" : "WORKER_UNSTARTED", reason));
    return worker;
  }

  #onReply(reply: Exclude<ReplyMessage, { up: true }>): void {
    const waiting = this.#waiting.get(reply.id);
    if (waiting === undefined) return;
    if ("value" in reply) waiting.resolve(reply.value);
    else waiting.reject(new StorageError(reply.failure.code, reply.failure.details as never));
  }

  #onExit(worker: Worker, code: "WORKER_LOST" | "WORKER_UNSTARTED", reason: string): void {
    if (this.#worker === worker) this.#worker = undefined;
    const lost = new StorageError(code, { worker: this.#options.name, reason });
    for (const waiting of this.#waiting.values()) waiting.reject(lost);
  }
}

/**
 * The thread's side: answers one call at a time, in the order they came.
 *
 * @param file - named in errors of the database
 */
export function answerCalls(
  handlers: Readonly<Record<string, (input: never) => unknown>>,
  { name, file, close }: { readonly name: string; readonly file: string; readonly close: () => void },
): void {
  const port = parentPort;
  if (port === null) throw new Error(`${name} runs as a worker thread`);
  port.postMessage({ id: 0, up: true });
  let last: Promise<void> = Promise.resolve();
  const answer = async ({ id, call, input }: CallMessage): Promise<void> => {
    try {
      port.postMessage({ id, value: await handlers[call]?.(input as never) });
    } catch (error) {
      port.postMessage({ id, failure: failureOf(error, name, file) });
    }
  };
  port.on("message", (message: CallMessage | typeof CLOSE) => {
    last = last.then(async () => {
      if (message !== CLOSE) return answer(message);
      close();
      port.close();
      return undefined;
    });
  });
}

function failureOf(error: unknown, worker: string, file: string) {
  const known = storageErrorOf(error, file);
  if (known !== undefined) return { code: known.code, details: known.details };
  const reason = error instanceof Error ? error.message : String(error);
  return { code: "WORKER_FAILED", details: { worker, reason } };
}
