/**
 * Sorts any number of lines in bounded memory: sorted runs in a temporary folder, merged at the end.
 *
 * Equal lines come out once, as pywb's indexer does.
 */
import { createReadStream } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { compareLines } from "./cdxj.ts";

/** Characters held before a run is written. */
const RUN_CHARS = 16 << 20;
/** Runs open at a time; more are merged into one first. */
const MAX_RUNS = 64;

export interface LineSorterOptions {
  readonly folder?: string;
  readonly runChars?: number;
}

/** Add lines, then read `sorted` once; dispose removes the temporary files. */
export class LineSorter implements AsyncDisposable {
  readonly #parent: string;
  readonly #runChars: number;
  #lines: string[] = [];
  #chars = 0;
  #runs: string[] = [];
  #made = 0;
  #folder: string | undefined;

  constructor(options: LineSorterOptions = {}) {
    this.#parent = options.folder ?? tmpdir();
    this.#runChars = options.runChars ?? RUN_CHARS;
  }

  async add(line: string): Promise<void> {
    this.#lines.push(line);
    this.#chars += line.length;
    if (this.#chars >= this.#runChars) await this.#spill();
  }

  async *sorted(): AsyncGenerator<string, void> {
    this.#lines.sort(compareLines);
    let last: string | undefined;
    for await (const line of this.#runs.length === 0 ? this.#lines : this.#merged()) {
      if (line !== last) yield line;
      last = line;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }

  async #spill(): Promise<void> {
    const lines = this.#lines.sort(compareLines);
    this.#lines = [];
    this.#chars = 0;
    await this.#writeRun(lines);
    if (this.#runs.length < MAX_RUNS) return;
    const runs = this.#runs.splice(0);
    await this.#writeRun(merge(runs.map(linesOf)));
    for (const run of runs) await rm(run);
  }

  async #writeRun(lines: Iterable<string> | AsyncIterable<string>): Promise<void> {
    this.#folder ??= await mkdtemp(join(this.#parent, "archive-sort-"));
    const path = join(this.#folder, String(this.#made));
    this.#made += 1;
    await writeFile(path, batches(lines));
    this.#runs.push(path);
  }

  #merged(): AsyncIterable<string> {
    return merge([...this.#runs.map(linesOf), inOrder(this.#lines)]);
  }
}

async function* inOrder(lines: readonly string[]): AsyncGenerator<string, void> {
  yield* lines;
}

/** Few large writes instead of one per line. */
async function* batches(lines: Iterable<string> | AsyncIterable<string>): AsyncGenerator<string, void> {
  let batch = "";
  for await (const line of lines) {
    batch += `${line}\n`;
    if (batch.length < 1 << 16) continue;
    yield batch;
    batch = "";
  }
  if (batch !== "") yield batch;
}

async function* linesOf(path: string): AsyncGenerator<string, void> {
  yield* createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
}

interface Head {
  readonly from: AsyncGenerator<string, void>;
  line: string;
}

async function* merge(sources: readonly AsyncGenerator<string, void>[]): AsyncGenerator<string, void> {
  const heads: Head[] = [];
  for (const from of sources) {
    const first = await from.next();
    if (first.done !== true) heads.push({ from, line: first.value });
  }
  while (heads.length > 0) {
    const least = heads.reduce((best, head) => (compareLines(head.line, best.line) < 0 ? head : best));
    yield least.line;
    const next = await least.from.next();
    if (next.done === true) heads.splice(heads.indexOf(least), 1);
    else least.line = next.value;
  }
}
