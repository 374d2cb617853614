/** Captures of one file on their way from the reading thread to the writing one: lines of JSON in a temporary file. */
import { closeSync, createReadStream, openSync, readSync, writeSync } from "node:fs";
import type { CaptureRow } from "../warc/record.ts";

const READ_BYTES = 1 << 18;

export class SpoolWriter implements Disposable {
  readonly #file: number;
  #rows = 0;

  constructor(path: string) {
    this.#file = openSync(path, "wx");
  }

  get rows(): number {
    return this.#rows;
  }

  /** In the file when it returns: a thread that ends at the next record costs none before it. A call for each takes 1 µs more. */
  write(row: CaptureRow): void {
    const line = Buffer.from(`${JSON.stringify(row)}\n`);
    for (let at = 0; at < line.length; ) at += writeSync(this.#file, line, at);
    this.#rows += 1;
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}

/** What a thread that is gone had written: a last line that is not whole does not count. */
export async function spooledSoFar(
  path: string,
): Promise<{ readonly rows: number; readonly last: CaptureRow | undefined }> {
  let [rows, line, rest] = [0, Buffer.alloc(0), Buffer.alloc(0)];
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    const text = Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = text.indexOf(10); end !== -1; end = text.indexOf(10, start)) {
      line = text.subarray(start, end);
      rows += 1;
      start = end + 1;
    }
    rest = text.subarray(start);
  }
  return { rows, last: rows === 0 ? undefined : (JSON.parse(line.toString()) as CaptureRow) };
}

/** The rows in the order they were written. */
export function* readSpool(path: string): Generator<CaptureRow, void> {
  const file = openSync(path, "r");
  try {
    const buffer = Buffer.alloc(READ_BYTES);
    let pending = Buffer.alloc(0);
    for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) {
      pending = Buffer.concat([pending, buffer.subarray(0, read)]);
      let start = 0;
      for (let end = pending.indexOf(10); end !== -1; end = pending.indexOf(10, start)) {
        yield JSON.parse(pending.toString("utf8", start, end)) as CaptureRow;
        start = end + 1;
      }
      pending = pending.subarray(start);
    }
  } finally {
    closeSync(file);
  }
}
