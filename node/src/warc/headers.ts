/**
 * Header lines of WARC 0.17 to 1.1, ARC 1 and HTTP: bytes in, fields out. Pure.
 *
 * Lenient as archives need it: any case, folded and repeated fields, bare LF, names without a colon skipped.
 * Strict where a wrong guess would lose other records: a length is digits only and a safe integer.
 * @see https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/
 */
import { isIP } from "node:net";
import type { HeaderField, HttpHead } from "./record.ts";

/** Longest header that is believed, bytes. Real ones stay below 64 KiB; longer ones are hostile or not headers. */
export const MAX_HEADER_BYTES = 1 << 20;

const CR = 0x0d;
const LF = 0x0a;

/** Carriage returns before the line feed of an empty line: old servers double them. */
const MAX_RETURNS = 3;

/**
 * Length of the header at the start of `bytes`, empty line included.
 *
 * @param from - where an earlier look ended, so that a growing buffer is looked at once
 * @returns `undefined` when the empty line is not there (yet)
 */
export function headerLength(bytes: Uint8Array, from = 0): number | undefined {
  const start = Math.max(0, from - 1 - MAX_RETURNS);
  for (let at = bytes.indexOf(LF, start); at !== -1; at = bytes.indexOf(LF, at + 1)) {
    let next = at + 1;
    while (bytes[next] === CR && next <= at + MAX_RETURNS) next++;
    if (bytes[next] === LF) return next + 1;
  }
  return undefined;
}

/** Text of header bytes: UTF-8 (WARC 1.0, 4.1) when it is, else Latin-1, so that no byte is lost. */
export function headerText(bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const latin1 = buffer.toString("latin1");
  if (!NOT_ASCII.test(latin1)) return latin1;
  const text = buffer.toString("utf8");
  return text.includes("\ufffd") ? latin1 : text;
}
const NOT_ASCII = /[\u0080-\u00ff]/;

/** First line and fields of a header's text. */
export function parseFields(text: string): { readonly startLine: string; readonly fields: readonly HeaderField[] } {
  const fields: [string, string][] = [];
  const firstEnd = endOfLine(text, 0);
  let colon = firstEnd;
  for (let start = firstEnd + 1; start < text.length; ) {
    const end = endOfLine(text, start);
    const last = fields.at(-1);
    // NOTE: looked for again only once it is passed, or a header of nothing but line ends would be searched for each.
    if (colon < start) colon = indexOr(text.indexOf(":", start), text.length);
    if (isFold(text.charCodeAt(start)) && last !== undefined) {
      last[1] = folded(last[1], trimmed(text, start, end));
    } else if (colon > start && colon < end) {
      fields.push([text.slice(start, colon).trimEnd(), trimmed(text, colon + 1, end)]);
    }
    start = end + 1;
  }
  return { startLine: text.slice(0, firstEnd).trimEnd(), fields };
}

/**
 * Both are trimmed, so the whole is. It must not be looked into: the engine joins texts without copying them until then, and
 * a header of nothing but folded lines would be copied for each.
 */
function folded(value: string, more: string): string {
  if (more === "") return value;
  return value === "" ? more : `${value} ${more}`;
}

function endOfLine(text: string, from: number): number {
  return indexOr(text.indexOf("\n", from), text.length);
}

function indexOr(index: number, otherwise: number): number {
  return index === -1 ? otherwise : index;
}

/** `slice` and `trim` in one: every value has a blank before it and most a carriage return behind it. */
function trimmed(text: string, start: number, end: number): string {
  let from = start;
  let to = end;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to).trim();
}

function isFold(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function isBlank(code: number): boolean {
  return isFold(code) || code === CR;
}

/** First field of that name, in any case. */
export function fieldOf(fields: readonly HeaderField[], name: string): string | undefined {
  for (const [key, value] of fields) {
    if (key.length === name.length && key.toLowerCase() === name) return value;
  }
  return undefined;
}

/** A length as archives may state it. `undefined`: missing, signed, fractional, or beyond 2^53. */
export function parseLength(value: string | undefined): number | undefined {
  if (value === undefined || !/^\d{1,16}$/.test(value)) return undefined;
  const length = Number(value);
  return Number.isSafeInteger(length) ? length : undefined;
}

/** What a record's own header says, before its block is looked at. */
export interface RecordHead {
  readonly format: "warc" | "arc";
  readonly version: string;
  readonly fields: readonly HeaderField[];
  /** Bytes of the header. */
  readonly length: number;
  /** Bytes of the block. */
  readonly contentLength: number;
}

export type HeadOutcome = { readonly head: RecordHead } | { readonly reason: string };

const WARC_LINE = /^WARC\/(\d{1,4}\.\d{1,4})$/i;

/** @param bytes - exactly one WARC header, as measured by `headerLength` */
export function parseWarcHead(bytes: Uint8Array): HeadOutcome {
  const { startLine, fields } = parseFields(headerText(bytes));
  const version = WARC_LINE.exec(startLine)?.[1];
  if (version === undefined) return { reason: "not a record header" };
  const contentLength = warcContentLength(fields);
  if (typeof contentLength === "string") return { reason: contentLength };
  return { head: { format: "warc", version, fields, length: bytes.length, contentLength } };
}

/** Repeated lengths are fine while they agree; which of two different ones is right cannot be known. */
function warcContentLength(fields: readonly HeaderField[]): number | string {
  let length: number | undefined;
  for (const [name, value] of fields) {
    if (name.length !== 14 || name.toLowerCase() !== "content-length") continue;
    const stated = parseLength(value);
    if (stated === undefined || (length !== undefined && stated !== length)) return "content-length not a number";
    length = stated;
  }
  return length ?? "content-length missing";
}

const ARC_DATE = /^(?:\d{8}|\d{10}|\d{12}|\d{14,18})$/;

/**
 * An ARC 1 (five fields) or ARC 2 (ten) record line. URLs and media types may hold spaces, so the address and the date are
 * what is looked for; behind an address, a date that cannot be read is still one.
 * @see https://archive.org/web/researcher/ArcFileFormat.php
 */
export function parseArcLine(line: string, lengthBytes: number): HeadOutcome {
  const words = line.trimEnd().split(" ");
  const contentLength = parseLength(words.at(-1));
  if (contentLength === undefined || !ARC_URI.test(words[0] ?? "")) return { reason: "not a record header" };
  const dateAt = arcDateAt(words);
  const uri = words.slice(0, Math.max(0, dateAt - 1)).join(" ");
  if (dateAt < 2 || dateAt > words.length - 3) return { reason: "not a record header" };
  const fields: HeaderField[] = [
    ["uri", uri],
    ["ip-address", words[dateAt - 1] ?? ""],
    ["archive-date", words[dateAt] ?? ""],
    ["content-type", words.slice(dateAt + 1, words.length > dateAt + 6 ? dateAt + 2 : -1).join(" ")],
    ["length", words.at(-1) ?? ""],
  ];
  return { head: { format: "arc", version: "1", fields, length: lengthBytes, contentLength } };
}

function arcDateAt(words: readonly string[]): number {
  const isAddress = (word: string | undefined): boolean => isIP(word ?? "") !== 0;
  const isDate = (word: string, index: number): boolean => index >= 2 && ARC_DATE.test(word);
  const both = words.findIndex((word, index) => isDate(word, index) && isAddress(words[index - 1]));
  if (both !== -1) return both;
  const behindAddress = words.findIndex((_word, index) => index >= 2 && isAddress(words[index - 1]));
  return behindAddress === -1 ? words.findIndex(isDate) : behindAddress;
}

const ARC_URI = /^[a-z][a-z0-9+.-]{1,20}:\S/i;

/** Answers such as `100 Continue` that are believed before the real one. */
const MAX_INTERIM = 8;

/** Where the final head starts, behind interim answers (RFC 9110, 15.2), and where it ends. */
interface HeadSpan {
  readonly start: number;
  readonly end: number;
}

function httpHeadSpan(bytes: Uint8Array, from: number): HeadSpan | undefined {
  let start = 0;
  for (let interim = 0; ; interim++) {
    const length = headerLength(bytes.subarray(start), Math.max(0, from - start));
    if (length === undefined) return undefined;
    const end = start + length;
    if (interim === MAX_INTERIM || !isInterim(bytes.subarray(start, start + START_LINE_BYTES))) return { start, end };
    if (bytes.length < end + 5) return undefined;
    if (!HTTP_START.test(latin1(bytes.subarray(end, end + 5)))) return { start, end };
    start = end;
  }
}

const START_LINE_BYTES = 32;
const HTTP_START = /^HTTP\//i;

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** Every 1xx but 101, which is final: what follows it is another protocol. */
function isInterim(startLine: Uint8Array): boolean {
  const space = startLine.indexOf(0x20);
  return space > 0 && startLine[space + 1] === 0x31 && /^HTTP\/\d\S* 1(?!01)\d\d/i.test(latin1(startLine));
}

/** Length of the HTTP head at the start of a block, interim answers included; as `headerLength` otherwise. */
export function httpHeadLength(bytes: Uint8Array, from = 0): number | undefined {
  return httpHeadSpan(bytes, from)?.end;
}

/**
 * The HTTP head at the start of a block: the one of the final answer.
 *
 * @returns `undefined` when the bytes do not start like HTTP, or have no end of head within the cap
 */
export function parseHttpHead(bytes: Uint8Array): HttpHead | undefined {
  const { start, end: length } = httpHeadSpan(bytes, 0) ?? { start: 0, end: headerLength(bytes) ?? bytes.length };
  if (length > MAX_HEADER_BYTES) return undefined;
  const { startLine, fields } = parseFields(headerText(bytes.subarray(start, length)));
  const response = /^HTTP(?:\/\d(?:\.\d)?)?\s+(\d{3})(?!\d)/i.exec(startLine);
  if (response !== null) return { startLine, status: Number(response[1]), method: undefined, headers: fields, length };
  if (/^HTTP\//i.test(startLine)) return { startLine, status: 0, method: undefined, headers: fields, length };
  const method = /^([A-Z]+) \S/.exec(startLine)?.[1];
  return method === undefined ? undefined : { startLine, status: 0, method, headers: fields, length };
}
