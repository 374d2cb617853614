/** Runs the fuzzing worker under a watchdog: hangs, crashes and growth become findings with the input that caused them. */
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { tempDir } from "../testkit/temp-dir.ts";
import { MAX_INPUT_BYTES } from "./mutate.ts";
import type { TargetName } from "./targets.ts";

export interface FuzzShare {
  readonly target: TargetName;
  readonly seed: number;
  readonly durationMs: number;
  /** Two int32: number of inputs started, length of the current one. */
  readonly state: SharedArrayBuffer;
  readonly input: SharedArrayBuffer;
  /** For files of the target. */
  readonly folder: string;
}

export interface FuzzWorkerMessage {
  readonly runs: number;
  readonly corpus: number;
  /** Parts of the code reached by the seeds alone, and at the end. */
  readonly coverageAtStart: number;
  readonly coverage: number;
}

export interface FuzzResult extends FuzzWorkerMessage {
  readonly seed: number;
}

export interface FuzzOptions {
  readonly target: TargetName;
  readonly seed: number;
  readonly durationMs: number;
}

/** Far beyond what an input of 64 KiB takes on the busiest machine: only what never ends is left; see `maxCpuMs` for the rest. */
const MAX_INPUT_MS = 60_000;
/** Growth of the whole process that no input of 64 KiB may cause, bytes. */
const MAX_GROWTH_BYTES = 1 << 30;
const WATCH_MS = 250;

/** A parser did what it must never do. The message names target, seed, file and cause. */
export class FuzzFinding extends Error {
  override readonly name = "FuzzFinding";
  /** The input. */
  readonly path: string;

  constructor(message: string, path: string, cause: unknown) {
    super(message, { cause });
    this.path = path;
  }
}

/** @throws {FuzzFinding} the first one; the input is saved in the temporary folder */
export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  await using folder = await tempDir("fuzz");
  const share: FuzzShare = {
    ...options,
    folder: folder.path,
    state: new SharedArrayBuffer(8),
    input: new SharedArrayBuffer(2 * MAX_INPUT_BYTES),
  };
  const worker = new Worker(new URL("./fuzz.worker.ts", import.meta.url), {
    workerData: share,
    resourceLimits: { maxOldGenerationSizeMb: 512 },
  });
  const stop = new AbortController();
  try {
    const message = once(worker, "message", { signal: stop.signal }) as Promise<[FuzzWorkerMessage]>;
    const [summary] = await Promise.race([message, watch(share, stop.signal)]);
    return { ...summary, seed: options.seed };
  } catch (error) {
    throw await findingOf(error, share);
  } finally {
    stop.abort();
    await worker.terminate();
  }
}

/** Never resolves: throws when an input takes too long or memory grows without bound. */
async function watch(share: FuzzShare, signal: AbortSignal): Promise<never> {
  const state = new Int32Array(share.state);
  const startBytes = process.memoryUsage.rss();
  let counter = -1;
  let since = performance.now();
  for (;;) {
    await delay(WATCH_MS, undefined, { signal });
    const now = performance.now();
    if (Atomics.load(state, 0) !== counter) since = now;
    counter = Atomics.load(state, 0);
    if (now - since > MAX_INPUT_MS) throw new Error(`no end after ${MAX_INPUT_MS} ms`);
    const grown = process.memoryUsage.rss() - startBytes;
    if (grown > MAX_GROWTH_BYTES) throw new Error(`memory grew by ${Math.round(grown / 1e6)} MB`);
  }
}

async function findingOf(error: unknown, share: FuzzShare): Promise<FuzzFinding> {
  const [count = 0, length = 0] = new Int32Array(share.state);
  const path = join(tmpdir(), `archive-fuzz-${share.target}-${share.seed}-${count}.bin`);
  await writeFile(path, Buffer.from(share.input).subarray(0, length));
  const cause = error instanceof Error ? error.message : String(error);
  return new FuzzFinding(
    `${share.target}: seed ${share.seed}, input ${count}, saved as ${path}: ${cause}`,
    path,
    error,
  );
}
