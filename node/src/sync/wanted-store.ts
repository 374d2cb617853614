/** The durable list of wanted files: a thread of its own, started when a policy asks for something. */
import { rm } from "node:fs/promises";
import { StorageError } from "../storage/errors.ts";
import { WorkerCalls } from "../storage/worker-calls.ts";
import type { PairName, StoredPair, WantedCalls } from "./wanted-calls.ts";

/** Calls are short; one that takes this long has a sick disk under it. */
const CALL_MS = 60_000;
const REMADE: ReadonlySet<unknown> = new Set(["INDEX_DAMAGED", "INDEX_NEWER"]);

export class WantedStore {
  readonly #file: string;
  readonly #remade: (error: StorageError) => void;
  #calls: WorkerCalls<WantedCalls>;

  /** @param remade - told when the file could not be read, so that peers' lists are read from their beginning */
  constructor(file: string, remade: (error: StorageError) => void) {
    this.#file = file;
    this.#remade = remade;
    this.#calls = callsOf(file);
  }

  /** @throws {StorageError} those of the volume */
  async load(pairs: readonly PairName[], signal: AbortSignal): Promise<readonly StoredPair[]> {
    try {
      return await this.call("load", pairs, signal);
    } catch (error) {
      if (!(error instanceof StorageError) || !REMADE.has(error.code)) throw error;
      // Nothing in it is the only copy: peers tell their lists again.
      this.#remade(error as StorageError);
      await this.#calls.abandon();
      for (const suffix of ["", "-wal", "-shm"]) await rm(`${this.#file}${suffix}`, { force: true });
      this.#calls = callsOf(this.#file);
      return this.call("load", pairs, signal);
    }
  }

  call<N extends keyof WantedCalls>(
    name: N,
    input: Parameters<WantedCalls[N]>[0],
    signal?: AbortSignal,
  ): Promise<Awaited<ReturnType<WantedCalls[N]>>> {
    const limit = AbortSignal.timeout(CALL_MS);
    return this.#calls.call(name, input, signal === undefined ? limit : AbortSignal.any([signal, limit]));
  }

  close(): Promise<void> {
    return this.#calls.close();
  }
}

function callsOf(file: string): WorkerCalls<WantedCalls> {
  return new WorkerCalls({ url: new URL("./wanted.worker.ts", import.meta.url), name: "sync", workerData: file });
}
