/**
 * Where reading can go on after damage. Every search moves forward and is bounded by the size of the file and, for
 * members, by a number of probes: a file full of false starts must not cost more than a damaged one.
 */
import { READ_BYTES, type SourceWindow } from "./byte-source.ts";
import { type MemberCodec, PROBE_BYTES } from "./members.ts";
import { START_BYTES, startsRecord } from "./record-head.ts";

const LF = 0x0a;
/** Probes of false member starts in one file: about 5 s of work. Damaged real files need a handful. */
const MAX_PROBES = 200_000;
/** Bytes decoded again behind failed members, before reading goes on behind them. A multiple of the file's size. */
const MAX_REREADS = 4;

/** First position at or after `from` where a record of a plain file starts on a new line; the file's size if none. */
export async function nextPlainRecord(window: SourceWindow, from: number): Promise<number> {
  for (let at = from; at < window.size; at += READ_BYTES) {
    const bytes = await window.view(Math.max(0, at - 1), READ_BYTES + 1 + START_BYTES);
    const found = recordLineIn(bytes, at === 0);
    if (found !== undefined) return Math.max(0, at - 1) + found;
  }
  return window.size;
}

function recordLineIn(bytes: Uint8Array, atStart: boolean): number | undefined {
  if (atStart && startsRecord(bytes.subarray(0, START_BYTES))) return 0;
  const last = READ_BYTES + 1;
  for (let at = bytes.indexOf(LF); at !== -1 && at < last; at = bytes.indexOf(LF, at + 1)) {
    const line = bytes.subarray(at + 1, at + 1 + START_BYTES);
    if (line.length > 0 && isLetter(line[0]) && startsRecord(line)) return at + 1;
  }
  return undefined;
}

function isLetter(byte: number | undefined): boolean {
  const lower = (byte ?? 0) | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

/** Finds members behind damage in one file, within the budget of that file. */
export class MemberSearch {
  readonly #window: SourceWindow;
  readonly #codec: MemberCodec;
  #probes = 0;
  #rereadBytes = 0;

  constructor(window: SourceWindow, codec: MemberCodec) {
    this.#window = window;
    this.#codec = codec;
  }

  /**
   * First position after a failed member at `offset` where a member with a record starts; the file's size if none.
   *
   * The search starts right behind the failed start, because a damaged length or block can swallow its neighbours;
   * once that has cost too much, behind all that the failed member read.
   */
  async after(offset: number, readBytes: number): Promise<number> {
    this.#rereadBytes += readBytes;
    const spent = this.#rereadBytes > MAX_REREADS * this.#window.size + READ_BYTES;
    return this.from(spent ? offset + Math.max(1, readBytes) : offset + 1);
  }

  async from(position: number): Promise<number> {
    for (let at = position; at < this.#window.size; ) {
      const bytes = await this.#window.view(at, READ_BYTES + PROBE_BYTES);
      const last = Math.min(READ_BYTES, bytes.length);
      const found = this.#startIn(bytes, last);
      if (found !== undefined) return at + found;
      if (this.#probes >= MAX_PROBES) break;
      at += last;
    }
    return this.#window.size;
  }

  #startIn(bytes: Uint8Array, last: number): number | undefined {
    const first = this.#codec.firstByte;
    for (let at = bytes.indexOf(first); at !== -1 && at < last; at = bytes.indexOf(first, at + 1)) {
      const candidate = bytes.subarray(at, at + PROBE_BYTES);
      if (!this.#codec.startsAt(candidate)) continue;
      if (this.#codec.probe(candidate)) return at;
      this.#probes += 1;
      if (this.#probes >= MAX_PROBES) return undefined;
    }
    return undefined;
  }
}
