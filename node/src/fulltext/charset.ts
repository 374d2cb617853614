/**
 * Bytes of an archived text to a string. The charset comes from the first of: byte order mark (as in browsers), HTTP
 * header, `meta` element, detection. Never throws: bytes that do not fit become U+FFFD.
 *
 * A name means what it means to a browser (the Encoding Standard, which Node's own decoder follows, stateful encodings
 * included); iconv-lite knows those that browsers have given up, such as UTF-7 and the code pages of DOS.
 */
import { TextDecoder } from "node:util";
import chardet from "chardet";
import sniffHtmlEncoding from "html-encoding-sniffer";
import iconv from "iconv-lite";

export interface DecodedText {
  readonly text: string;
  readonly charset: string;
}

/** Bytes looked at when nothing declares the charset; detection on more costs time and changes no answer. */
const DETECTION_BYTES = 16 * 1024;

const BYTE_ORDER_MARKS: readonly (readonly [string, readonly number[]])[] = [
  ["utf-8", [0xef, 0xbb, 0xbf]],
  ["utf-16be", [0xfe, 0xff]],
  ["utf-16le", [0xff, 0xfe]],
];

function isKnown(name: string): boolean {
  return standardDecoder(name) !== undefined || iconv.encodingExists(name);
}

function standardDecoder(name: string): TextDecoder | undefined {
  try {
    return new TextDecoder(name);
  } catch {
    return undefined;
  }
}

/** The `charset` parameter of a Content-Type value, lower case; `undefined` when absent or unknown to the decoder. */
export function declaredCharset(contentType: string | undefined): string | undefined {
  const name = /;\s*charset\s*=\s*"?\s*([^\s";]+)/i.exec(contentType ?? "")?.[1]?.toLowerCase();
  return name !== undefined && isKnown(name) ? name : undefined;
}

function markedCharset(bytes: Uint8Array): string | undefined {
  return BYTE_ORDER_MARKS.find(([, mark]) => mark.every((byte, index) => bytes[index] === byte))?.[0];
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    // `stream` forgives a character cut off at the end of the looked-at part.
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** Begins a change of character set in the encodings that keep to seven bits, which are valid UTF-8 too. */
const ESCAPE = 0x1b;

/** Detected charset: UTF-8 when the bytes are valid UTF-8 (chance agreement is negligible), else by statistics. */
function detectCharset(bytes: Uint8Array): string {
  const head = bytes.subarray(0, DETECTION_BYTES);
  const valid = isUtf8(head);
  if (valid && !head.includes(ESCAPE)) return "utf-8";
  const guess = chardet.detect(head)?.toLowerCase();
  if (valid) return guess?.startsWith("iso-2022") === true && isKnown(guess) ? guess : "utf-8";
  return guess !== undefined && isKnown(guess) ? guess : "windows-1252";
}

/** `meta` declarations only: the sniffer's own fallback is told apart by asking with two different ones. */
function metaCharset(bytes: Uint8Array): string | undefined {
  const name = sniffHtmlEncoding(bytes, { defaultEncoding: "UTF-8" });
  if (name !== sniffHtmlEncoding(bytes, { defaultEncoding: "windows-1252" })) return undefined;
  const lower = name.toLowerCase();
  return isKnown(lower) ? lower : undefined;
}

/**
 * Decodes an archived text.
 *
 * @param contentType - the recorded HTTP Content-Type, if any
 * @param html - whether a `meta` element may declare the charset
 */
export function decodeText(bytes: Uint8Array, contentType: string | undefined, html: boolean): DecodedText {
  const charset =
    markedCharset(bytes) ??
    declaredCharset(contentType) ??
    (html ? metaCharset(bytes) : undefined) ??
    detectCharset(bytes);
  const text =
    standardDecoder(charset)?.decode(bytes) ??
    iconv.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), charset);
  return { text, charset };
}
