/**
 * Removes chunked transfer coding as bytes pass, in every odd form archives hold: chunk extensions, blank and upper-case
 * sizes, bare LF, a missing last chunk, trailers, and bodies that only claim to be chunked (those come through as they are).
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-7.1
 */

const LF = 0x0a;
/** Longest size line believed, bytes: 16 hex digits and room for extensions. */
const MAX_SIZE_LINE = 1024;

export interface ChunkedStats {
  /** The body was chunked as it claimed, at least in its first chunk. */
  readonly chunked: boolean;
  /** The last chunk (size 0) was seen. */
  readonly complete: boolean;
}

/** Push bytes in; the callback gets the payload's. Never throws: what is not chunked passes through. */
export class ChunkedDecoder {
  readonly #emit: (bytes: Uint8Array) => void;
  #state: "size" | "data" | "end-of-data" | "done" | "raw" = "size";
  #left = 0;
  #line: Uint8Array = new Uint8Array(0);
  #first = true;

  constructor(emit: (bytes: Uint8Array) => void) {
    this.#emit = emit;
  }

  get stats(): ChunkedStats {
    return { chunked: this.#state !== "raw" && !this.#first, complete: this.#state === "done" };
  }

  write(bytes: Uint8Array): void {
    let rest = bytes;
    while (rest.length > 0 && this.#state !== "done") rest = this.#step(rest);
  }

  /** Gives out what was held back for a size line that never came. */
  end(): void {
    if (this.#first && this.#line.length > 0) this.#emit(this.#line);
    this.#line = new Uint8Array(0);
  }

  #step(bytes: Uint8Array): Uint8Array {
    if (this.#state === "raw") {
      this.#emit(bytes);
      return bytes.subarray(bytes.length);
    }
    if (this.#state === "data") {
      const part = bytes.subarray(0, this.#left);
      this.#emit(part);
      this.#left -= part.length;
      if (this.#left === 0) this.#state = "end-of-data";
      return bytes.subarray(part.length);
    }
    return this.#readLine(bytes);
  }

  #readLine(bytes: Uint8Array): Uint8Array {
    const end = bytes.indexOf(LF);
    this.#line = Buffer.concat([this.#line, bytes.subarray(0, end === -1 ? bytes.length : end + 1)]);
    if (end === -1 && this.#line.length <= MAX_SIZE_LINE) return bytes.subarray(bytes.length);
    this.#takeLine();
    return bytes.subarray(end === -1 ? bytes.length : end + 1);
  }

  #takeLine(): void {
    const line = this.#line;
    const text = Buffer.from(line.buffer, line.byteOffset, Math.min(line.length, MAX_SIZE_LINE + 1)).toString("latin1");
    const size = /^[ \t]*([0-9a-f]{1,13})[ \t]*(?:;.*)?\r*\n$/i.exec(text)?.[1];
    this.#line = new Uint8Array(0);
    // NOTE: the line end behind a chunk's data is read as an empty line; some writers leave it out.
    if (this.#state === "end-of-data" && text.trim() === "") this.#state = "size";
    else if (size !== undefined) this.#startChunk(Number.parseInt(size, 16));
    else {
      this.#state = "raw";
      this.#emit(line);
    }
  }

  #startChunk(size: number): void {
    this.#first = false;
    this.#left = size;
    this.#state = size === 0 ? "done" : "data";
  }
}

/** The same for a stream. */
export async function* dechunk(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  let out: Uint8Array[] = [];
  const decoder = new ChunkedDecoder((bytes) => out.push(bytes));
  for await (const chunk of chunks) {
    decoder.write(chunk);
    yield* out;
    out = [];
    // What lies behind the last chunk may be gigabytes.
    if (decoder.stats.complete) return;
  }
  decoder.end();
  yield* out;
}
