/**
 * Compact forms kept beside each document: its terms with their impacts (sorted, for scoring) and its body as a
 * sequence of term ids (for proximity). Variable-length integers, 7 bits a byte, low bits first.
 */

/** Growing byte buffer. */
class ByteWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;

  byte(value: number): void {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  integer(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}

/** Bits of an impact below its term id in one number: ids up to 2^45 then sort as plain numbers, with their impacts. */
const IMPACT_RANGE = 256;

/** Term id and impact as one number for `packImpacts`. */
export function impactEntry(id: number, impact: number): number {
  return id * IMPACT_RANGE + impact;
}

/** Packs the terms of a document with their impacts. @param entries - of `impactEntry`, sorted in place */
export function packImpacts(entries: Float64Array): Uint8Array {
  const writer = new ByteWriter();
  let previous = 0;
  for (const entry of entries.sort()) {
    const id = Math.floor(entry / IMPACT_RANGE);
    writer.integer(id - previous);
    writer.byte(entry % IMPACT_RANGE);
    previous = id;
  }
  return writer.finish();
}

/**
 * Impacts of the wanted terms in a packed document, in the order of `wanted`; 0 = the term is not in it.
 *
 * @param wanted - term ids, ascending
 * @param into - receives one impact per wanted id
 */
export function readImpacts(packed: Uint8Array, wanted: Uint32Array, into: Uint8Array): void {
  into.fill(0);
  let id = 0;
  let next = 0;
  let delta = 0;
  let shift = 0;
  for (let at = 0; at < packed.length && next < wanted.length; at += 1) {
    const byte = packed[at] ?? 0;
    delta |= (byte & 0x7f) << shift;
    shift += 7;
    if (byte >= 0x80) continue;
    id += delta;
    delta = 0;
    shift = 0;
    // The impact follows its id.
    at += 1;
    while ((wanted[next] ?? id) < id) next += 1;
    if (wanted[next] === id) into[next] = packed[at] ?? 0;
  }
}

/** Ids of all terms of a packed document. */
export function readTermIds(packed: Uint8Array): readonly number[] {
  const ids: number[] = [];
  let id = 0;
  let delta = 0;
  let shift = 0;
  for (let at = 0; at < packed.length; at += 1) {
    const byte = packed[at] ?? 0;
    delta |= (byte & 0x7f) << shift;
    shift += 7;
    if (byte >= 0x80) continue;
    id += delta;
    ids.push(id);
    delta = 0;
    shift = 0;
    // The impact follows its id.
    at += 1;
  }
  return ids;
}

/** Packs a sequence of term ids. */
export function packSequence(ids: readonly number[]): Uint8Array {
  const writer = new ByteWriter();
  for (const id of ids) writer.integer(id);
  return writer.finish();
}

/** The sequence that `packSequence` packed. */
export function readSequence(packed: Uint8Array): Uint32Array {
  const ids = new Uint32Array(packed.length);
  let count = 0;
  let value = 0;
  let shift = 0;
  for (const byte of packed) {
    value |= (byte & 0x7f) << shift;
    shift += 7;
    if (byte >= 0x80) continue;
    ids[count] = value;
    count += 1;
    value = 0;
    shift = 0;
  }
  return ids.subarray(0, count);
}
