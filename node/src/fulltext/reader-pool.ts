/**
 * Reader threads behind one queue. SQLite cannot be interrupted from outside its thread, so a call that runs past its
 * hard deadline ends its thread, and another takes its place: no question holds a reader longer than that.
 */
import { Worker } from "node:worker_threads";
import { FullTextError } from "./errors.ts";
import type { CandidateAnswer, MatchAnswer, PresentedDocument, Question } from "./question.ts";

export type ReaderCall =
  | { readonly kind: "match"; readonly question: Question; readonly softMs: number }
  | { readonly kind: "candidates"; readonly question: Question; readonly limit: number; readonly softMs: number }
  | { readonly kind: "present"; readonly question: Question; readonly docs: readonly number[] };

export type ReaderReply =
  | { readonly id: number; readonly value: unknown }
  /** `damaged`: inode of the file when SQLite says that it is damaged. */
  | { readonly id: number; readonly error: Error; readonly damaged: number | undefined };

export interface ReaderPoolOptions {
  readonly file: string;
  readonly readers: number;
  /** Scoring stops after this and answers with what it has, milliseconds. */
  readonly softMs: number;
  /** The thread is ended after this, milliseconds. */
  readonly hardMs: number;
  /** Calls waiting for a thread; more are refused. */
  readonly queue: number;
  /** A question met damage in the database: the indexer should rebuild it. */
  readonly onDamage?: (inode: number) => void;
}

/** A full-text index that can be asked. Other engines implement the same. */
export interface FullTextIndex {
  readonly match: (question: Question, signal: AbortSignal) => Promise<MatchAnswer>;
  /** The best `limit` documents, to be ranked among those of other indexes; scoring stops after `softMs`, if that is sooner. */
  readonly candidates: (
    question: Question,
    options: { readonly limit: number; readonly softMs: number },
    signal: AbortSignal,
  ) => Promise<CandidateAnswer>;
  readonly present: (
    question: Question,
    docs: readonly number[],
    signal: AbortSignal,
  ) => Promise<readonly PresentedDocument[]>;
  readonly close: () => Promise<void>;
}

interface Job {
  readonly call: ReaderCall;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly signal: AbortSignal;
}

interface Seat {
  readonly worker: Worker;
  ready: boolean;
  job: Job | undefined;
  timer: NodeJS.Timeout | undefined;
}

const RESTART_PAUSE_MS = 1_000;

class ReaderPool {
  readonly #options: ReaderPoolOptions;
  readonly #seats = new Set<Seat>();
  readonly #waiting: Job[] = [];
  #closed = false;
  #nextId = 1;
  /** Threads that ended and may be started again after a pause. */
  #restarting = 0;

  constructor(options: ReaderPoolOptions) {
    this.#options = options;
  }

  async call(call: ReaderCall, signal: AbortSignal): Promise<unknown> {
    signal.throwIfAborted();
    if (this.#closed) throw new FullTextError("CLOSED", {});
    if (this.#waiting.length >= this.#options.queue) {
      throw new FullTextError("OVERLOADED", { waiting: this.#waiting.length });
    }
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    this.#waiting.push({ call, resolve, reject, signal });
    this.#dispatch();
    try {
      return await promise;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const job of this.#waiting.splice(0)) job.reject(new FullTextError("CLOSED", {}));
    await Promise.all([...this.#seats].map((seat) => seat.worker.terminate()));
  }

  #dispatch(): void {
    for (const seat of this.#seats) {
      if (!seat.ready || seat.job !== undefined) continue;
      const job = this.#nextJob();
      if (job === undefined) return;
      this.#seat(seat, job);
    }
    this.#growTo(this.#waiting.length);
  }

  /** Threads are started by questions that find none idle: each takes 20 MB before it has read anything. */
  #growTo(waiting: number): void {
    const starting = [...this.#seats].filter((seat) => !seat.ready).length;
    const missing = Math.min(waiting - starting, this.#options.readers - this.#seats.size - this.#restarting);
    for (let index = 0; index < missing; index += 1) this.#spawn();
  }

  #nextJob(): Job | undefined {
    for (let job = this.#waiting.shift(); job !== undefined; job = this.#waiting.shift()) {
      if (!job.signal.aborted) return job;
    }
    return undefined;
  }

  #seat(seat: Seat, job: Job): void {
    const { hardMs } = this.#options;
    seat.job = job;
    seat.timer = setTimeout(() => {
      job.reject(new FullTextError("QUERY_TIMEOUT", { afterMs: hardMs }));
      seat.job = undefined;
      // No further question may meet the ending thread.
      this.#seats.delete(seat);
      void seat.worker.terminate();
    }, hardMs);
    seat.worker.postMessage({ id: this.#nextId, call: job.call });
    this.#nextId += 1;
  }

  #spawn(): void {
    const worker = new Worker(new URL("./reader.worker.ts", import.meta.url), {
      workerData: { file: this.#options.file },
    });
    const seat: Seat = { worker, ready: false, job: undefined, timer: undefined };
    this.#seats.add(seat);
    let failure: Error | undefined;
    worker.on("message", (reply: ReaderReply) => this.#onReply(seat, reply));
    worker.on("error", (error: Error) => {
      failure = error;
    });
    worker.on("exit", () => this.#onExit(seat, failure));
  }

  #onReply(seat: Seat, reply: ReaderReply): void {
    if (reply.id === 0) {
      // A thread that cannot open the database says why before it ends.
      seat.ready = !("error" in reply);
      if ("error" in reply) this.#failure(reply);
    } else {
      clearTimeout(seat.timer);
      if ("error" in reply) seat.job?.reject(this.#failure(reply));
      else seat.job?.resolve(reply.value);
      seat.job = undefined;
    }
    this.#dispatch();
  }

  #failure({ error, damaged }: Extract<ReaderReply, { error: Error }>): Error {
    if (damaged === undefined) return error;
    this.#options.onDamage?.(damaged);
    return new FullTextError("INDEX_DAMAGED", { file: this.#options.file }, { cause: error });
  }

  #onExit(seat: Seat, failure: Error | undefined): void {
    clearTimeout(seat.timer);
    this.#seats.delete(seat);
    seat.job?.reject(new FullTextError("WORKER_LOST", { reason: failure?.message ?? "ended" }, { cause: failure }));
    if (this.#closed) return;
    // A thread that dies while starting would otherwise be started in a tight circle.
    this.#restarting += 1;
    setTimeout(
      () => {
        this.#restarting -= 1;
        if (!this.#closed) this.#growTo(this.#waiting.length);
      },
      seat.ready ? 0 : RESTART_PAUSE_MS,
    );
  }
}

/** Opens the embedded full-text index for reading. The database must exist: start the indexer first. */
export function openFullTextIndex(options: ReaderPoolOptions): FullTextIndex {
  const pool = new ReaderPool(options);
  return {
    match: async (question, signal) =>
      (await pool.call({ kind: "match", question, softMs: options.softMs }, signal)) as MatchAnswer,
    candidates: async (question, { limit, softMs }, signal) => {
      const call = { kind: "candidates", question, limit, softMs: Math.min(softMs, options.softMs) } as const;
      return (await pool.call(call, signal)) as CandidateAnswer;
    },
    present: async (question, docs, signal) =>
      (await pool.call({ kind: "present", question, docs }, signal)) as readonly PresentedDocument[],
    close: () => pool.close(),
  };
}
