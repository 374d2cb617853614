/** Captures of one file on their way from the reading thread to the writing one: lines of JSON in a temporary file. */
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import type { CaptureRow } from "../warc/record.ts";

const FLUSH_CHARS = 1 << 18;
const READ_BYTES = 1 << 18;

export class SpoolWriter implements Disposable {
  readonly #file: number;
  #text = "";
  #rows = 0;

  constructor(path: string) {
    this.#file = openSync(path, "wx");
  }

  get rows(): number {
    return this.#rows;
  }

  write(row: CaptureRow): void {
    this.#text += `${JSON.stringify(row)}\n`;
    this.#rows += 1;
    if (this.#text.length >= FLUSH_CHARS) this.flush();
  }

  flush(): void {
    const bytes = Buffer.from(this.#text);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
    this.#text = "";
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
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
