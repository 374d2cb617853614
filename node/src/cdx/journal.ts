/**
 * The journal: one line for each file that was ever committed or withdrawn, in order. It is what the catalog is made of
 * besides the files themselves, so that every index can be thrown away and made anew: which collection, under which name,
 * since when. Of a file with several lines in a collection the last one counts.
 */
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";

/** What the archive must remember of a file that its bytes do not say. */
export interface JournalEntry {
  readonly collection: string;
  readonly hash: string;
  readonly filename: string | undefined;
  readonly size: number;
  /** RFC 3339. */
  readonly receivedAt: string;
}

/** A collection holds a file no more, and takes it again only when somebody asks for that. */
export interface Withdrawal {
  readonly collection: string;
  readonly hash: string;
  /** RFC 3339. */
  readonly withdrawnAt: string;
}

/** A line of the journal and the position behind it. */
export interface JournalLine {
  readonly entry: JournalEntry | undefined;
  /** Both are absent when the line cannot be read. */
  readonly withdrawal: Withdrawal | undefined;
  readonly end: number;
}

const READ_BYTES = 1 << 16;
const HASH = /^[0-9a-f]{64}$/;

export class Journal {
  readonly #file: number;

  /** Cuts off a last line that a crash left unfinished. */
  constructor(path: string) {
    this.#file = openSync(path, "a+");
    const bytes = this.bytes;
    const whole = this.#endOfLastLine(bytes);
    if (whole < bytes) ftruncateSync(this.#file, whole);
  }

  /** Length of all whole lines. */
  get bytes(): number {
    return fstatSync(this.#file).size;
  }

  /** Durable when it returns. */
  append(entry: JournalEntry | Withdrawal): void {
    const line = Buffer.from(`${JSON.stringify(entry)}\n`);
    for (let at = 0; at < line.length; ) at += writeSync(this.#file, line, at);
    fsyncSync(this.#file);
  }

  /** Takes back what was appended since it had this length. */
  truncate(bytes: number): void {
    ftruncateSync(this.#file, bytes);
    fsyncSync(this.#file);
  }

  /** Lines from a position on. */
  *linesFrom(position: number): Generator<JournalLine, void> {
    const buffer = Buffer.alloc(READ_BYTES);
    let pending = Buffer.alloc(0);
    let at = position;
    for (let next = position; ; ) {
      const read = readSync(this.#file, buffer, 0, buffer.length, next);
      if (read === 0) return;
      next += read;
      pending = Buffer.concat([pending, buffer.subarray(0, read)]);
      for (let end = pending.indexOf(10); end !== -1; end = pending.indexOf(10)) {
        at += end + 1;
        yield { ...parseLine(pending.toString("utf8", 0, end)), end: at };
        pending = pending.subarray(end + 1);
      }
    }
  }

  close(): void {
    closeSync(this.#file);
  }

  #endOfLastLine(bytes: number): number {
    const buffer = Buffer.alloc(READ_BYTES);
    for (let end = bytes; end > 0; ) {
      const start = Math.max(0, end - buffer.length);
      const read = readSync(this.#file, buffer, 0, end - start, start);
      const newline = buffer.subarray(0, read).lastIndexOf(10);
      if (newline !== -1) return start + newline + 1;
      end = start;
    }
    return 0;
  }
}

const UNREADABLE = { entry: undefined, withdrawal: undefined };

/** One damaged line must not cost the others; the hash becomes a path, so it is checked. */
function parseLine(line: string): Omit<JournalLine, "end"> {
  try {
    const { collection, hash, filename, size, receivedAt, withdrawnAt } = (JSON.parse(line) ?? {}) as Partial<
      JournalEntry & Withdrawal
    >;
    if (typeof collection !== "string" || typeof hash !== "string" || !HASH.test(hash)) return UNREADABLE;
    if (typeof withdrawnAt === "string") return { entry: undefined, withdrawal: { collection, hash, withdrawnAt } };
    if (typeof size !== "number" || typeof receivedAt !== "string") return UNREADABLE;
    const name = typeof filename === "string" ? filename : undefined;
    return { entry: { collection, hash, filename: name, size, receivedAt }, withdrawal: undefined };
  } catch {
    return UNREADABLE;
  }
}
