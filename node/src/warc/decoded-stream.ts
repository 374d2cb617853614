/** Decoded bytes in order, with as much look-ahead as the parser of headers asks for and no more. */

const CR = 0x0d;
const LF = 0x0a;

/**
 * Parsing that may need more bytes than are held: yields how many it wants ahead, and goes on when they are there or the
 * end is known. So one parser serves members in memory, without a promise per step, and streams.
 */
export type Steps<T> = Generator<number, T, void>;

/** Runs a parser over a stream. Failures of the source come through. */
export async function fillFor<T>(stream: DecodedStream, steps: Steps<T>): Promise<T> {
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) return step.value;
    await stream.fill(step.value);
  }
}

/** Runs a parser over a stream whose end is known: there is nothing to wait for. */
export function withoutWaiting<T>(steps: Steps<T>): T {
  const step = steps.next();
  if (step.done !== true) throw new Error(`a parser asked for ${step.value} bytes beyond the end`);
  return step.value;
}

/** Gives the bytes of one member or file; owns the position, so that every parser step can be checked for progress. */
export class DecodedStream {
  readonly #chunks: AsyncIterator<Uint8Array> | undefined;
  #buffer: Uint8Array;
  #at = 0;
  #base: number;
  #ended: boolean;

  private constructor(first: Uint8Array, chunks: AsyncIterator<Uint8Array> | undefined, base: number) {
    this.#buffer = first;
    this.#chunks = chunks;
    this.#base = base;
    this.#ended = chunks === undefined;
  }

  static ofBytes(bytes: Uint8Array): DecodedStream {
    return new DecodedStream(bytes, undefined, 0);
  }

  /** @param base - position of the first chunk's first byte */
  static ofChunks(chunks: AsyncIterable<Uint8Array>, base: number): DecodedStream {
    return new DecodedStream(new Uint8Array(0), chunks[Symbol.asyncIterator](), base);
  }

  /** Of the next byte, counted from the start of the member or file. */
  get position(): number {
    return this.#base + this.#at;
  }

  /** True when all that is left is already buffered. */
  get ended(): boolean {
    return this.#ended;
  }

  /** What is buffered and not yet taken. */
  get ahead(): Uint8Array {
    return this.#buffer.subarray(this.#at);
  }

  get aheadBytes(): number {
    return this.#buffer.length - this.#at;
  }

  /** True when a parser that wants `bytes` ahead must wait for them. */
  lacks(bytes: number): boolean {
    return !this.#ended && this.aheadBytes < bytes;
  }

  /** Buffers until `bytes` are ahead or the end is known. Failures of the source come through. */
  async fill(bytes: number): Promise<void> {
    if (!this.lacks(bytes)) return;
    const parts: Uint8Array[] = [this.ahead];
    let have = this.aheadBytes;
    while (have < bytes && !this.#ended) {
      const next = await this.#next();
      if (next === undefined) break;
      parts.push(next);
      have += next.length;
    }
    this.#base = this.position;
    this.#at = 0;
    this.#buffer =
      have === this.#only(parts)?.length ? (this.#only(parts) ?? this.#buffer) : Buffer.concat(parts, have);
  }

  /** Moves on over buffered line ends. */
  skipBlank(): void {
    while (this.#buffer[this.#at] === CR || this.#buffer[this.#at] === LF) this.#at++;
  }

  /** Moves on over buffered bytes. */
  skip(bytes: number): void {
    this.#at += Math.min(bytes, this.aheadBytes);
  }

  /** Takes up to `limit` bytes, at least one unless the end is reached (`undefined`). */
  async take(limit: number): Promise<Uint8Array | undefined> {
    if (this.aheadBytes === 0) await this.fill(1);
    if (this.aheadBytes === 0) return undefined;
    const part = this.#buffer.subarray(this.#at, this.#at + limit);
    this.#at += part.length;
    return part;
  }

  /** Moves on over bytes that may not be buffered yet; fewer at the end. */
  async pass(bytes: number): Promise<void> {
    for (let left = bytes; left > 0; ) {
      const part = await this.take(left);
      if (part === undefined) return;
      left -= part.length;
    }
  }

  /** Lets go of whatever stands behind the chunks. Safe to repeat. */
  async close(): Promise<void> {
    this.#ended = true;
    await this.#chunks?.return?.();
  }

  /** The one part that is not empty, so that a chunk which fits is not copied. */
  #only(parts: readonly Uint8Array[]): Uint8Array | undefined {
    return parts.length === 2 && parts[0]?.length === 0 ? parts[1] : undefined;
  }

  async #next(): Promise<Uint8Array | undefined> {
    const next = await this.#chunks?.next();
    if (next === undefined || next.done === true) {
      this.#ended = true;
      return undefined;
    }
    return next.value;
  }
}
