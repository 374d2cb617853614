/**
 * The little of ASN.1 DER (ITU-T X.690) that certificates need: elements are written from their parts, and read one
 * level at a time. Pure.
 */

const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;
const CONTEXT_PRIMITIVE = 0x80;
const CONTEXT_CONSTRUCTED = 0xa0;
/** Years that UTCTime can tell apart (RFC 5280 4.1.2.5). */
const UTC_TIME_BEFORE_YEAR = 2050;

export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return element(TAG.sequence, ...parts);
}

export function setOf(part: Uint8Array): Buffer {
  return element(TAG.set, part);
}

/** Two's complement, big endian, shortest form. */
export function integer(bytes: Uint8Array): Buffer {
  return element(TAG.integer, bytes);
}

export function boolean(value: boolean): Buffer {
  return element(TAG.boolean, Buffer.of(value ? 0xff : 0));
}

/** @param unusedBits - of the last byte */
export function bitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return element(TAG.bitString, Buffer.of(unusedBits), bytes);
}

export function octetString(...parts: readonly Uint8Array[]): Buffer {
  return element(TAG.octetString, ...parts);
}

export function utf8String(text: string): Buffer {
  return element(TAG.utf8String, Buffer.from(text, "utf8"));
}

/** `[number]` around whole elements. */
export function explicit(number: number, ...parts: readonly Uint8Array[]): Buffer {
  return element(CONTEXT_CONSTRUCTED | number, ...parts);
}

/** `[number]` in place of the tag of a primitive value. */
export function implicit(number: number, value: Uint8Array): Buffer {
  return element(CONTEXT_PRIMITIVE | number, value);
}

/** @param dotted - such as `2.5.29.15` */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return element(TAG.objectIdentifier, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

/** Whole seconds, UTC; the form that RFC 5280 wants for the year. */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/\.\d+|\D/g, "");
  const isShort = date.getUTCFullYear() < UTC_TIME_BEFORE_YEAR;
  const text = `${isShort ? digits.slice(2) : digits}Z`;
  return element(isShort ? TAG.utcTime : TAG.generalizedTime, Buffer.from(text, "latin1"));
}

/**
 * The elements inside one element, each with its own tag and length.
 *
 * @throws {RangeError} the bytes end inside an element
 */
export function children(outer: Uint8Array): readonly Buffer[] {
  const { contents } = readElement(Buffer.from(outer), 0);
  const found: Buffer[] = [];
  for (let at = 0; at < contents.length; ) {
    const { end } = readElement(contents, at);
    found.push(contents.subarray(at, end));
    at = end;
  }
  return found;
}

function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.of(tag), lengthBytes(length), ...parts]);
}

function lengthBytes(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length);
  const bytes = bigEndian(length, 256);
  return Buffer.of(0x80 | bytes.length, ...bytes);
}

function base128(value: number): number[] {
  const digits = bigEndian(value, 128);
  return digits.map((digit, index) => (index === digits.length - 1 ? digit : digit | 0x80));
}

function bigEndian(value: number, base: number): number[] {
  const digits: number[] = [];
  for (let rest = value; rest > 0 || digits.length === 0; rest = Math.floor(rest / base)) digits.unshift(rest % base);
  return digits;
}

function readElement(bytes: Buffer, at: number): { readonly contents: Buffer; readonly end: number } {
  const short = bytes.readUInt8(at + 1);
  const lengthOfLength = short < 0x80 ? 0 : short & 0x7f;
  const length = lengthOfLength === 0 ? short : bytes.readUIntBE(at + 2, lengthOfLength);
  const start = at + 2 + lengthOfLength;
  const end = start + length;
  if (end > bytes.length) throw new RangeError("the bytes end inside an element");
  return { contents: bytes.subarray(start, end), end };
}
