/** Finds the next record header in decoded bytes: skips the end mark before it, says what is wrong with it. */
import type { DecodedStream, Steps } from "./decoded-stream.ts";
import {
  type HeadOutcome,
  headerLength,
  headerText,
  MAX_HEADER_BYTES,
  parseArcLine,
  parseWarcHead,
} from "./headers.ts";

const LF = 0x0a;
/** Longest ARC record line: a URL of 16 KiB and its fields. Bytes. */
const MAX_ARC_LINE_BYTES = 1 << 15;
export const HEADER_CUT = "header cut off";
/** Bytes looked at when deciding whether a record starts here. */
export const START_BYTES = 512;

/** Moves over the empty lines between records. */
export function* skipEndMark(stream: DecodedStream): Steps<void> {
  for (;;) {
    stream.skipBlank();
    if (stream.aheadBytes > 0 || stream.ended) return;
    yield 1;
  }
}

/** The header that starts at the stream's position, which moves behind it only when the header is good. */
export function* readHead(stream: DecodedStream): Steps<HeadOutcome> {
  if (stream.lacks(START_BYTES)) yield START_BYTES;
  const outcome = startsWithWarc(stream.ahead) ? yield* readWarcHead(stream) : yield* readArcHead(stream);
  if ("head" in outcome) stream.skip(outcome.head.length);
  return outcome;
}

function* readWarcHead(stream: DecodedStream): Steps<HeadOutcome> {
  let looked = 0;
  for (;;) {
    const ahead = stream.ahead;
    const length = headerLength(ahead, looked);
    if (length !== undefined && length <= MAX_HEADER_BYTES) return parseWarcHead(ahead.subarray(0, length));
    if (ahead.length >= MAX_HEADER_BYTES) return { reason: "header too long" };
    if (stream.ended) return { reason: HEADER_CUT };
    looked = ahead.length;
    yield ahead.length * 2 + START_BYTES;
  }
}

function* readArcHead(stream: DecodedStream): Steps<HeadOutcome> {
  let end = stream.ahead.indexOf(LF);
  if (end === -1 && !stream.ended) {
    if (stream.lacks(MAX_ARC_LINE_BYTES)) yield MAX_ARC_LINE_BYTES;
    end = stream.ahead.subarray(0, MAX_ARC_LINE_BYTES).indexOf(LF);
  }
  if (end === -1) return { reason: "not a record header" };
  return parseArcLine(headerText(stream.ahead.subarray(0, end)), end + 1);
}

/** `WARC/` and a digit, as every version starts; some writers have it in lower case. */
export function startsWithWarc(bytes: Uint8Array): boolean {
  const digit = bytes[5] ?? 0;
  return (
    isLetter(bytes[0], 0x77) &&
    isLetter(bytes[1], 0x61) &&
    isLetter(bytes[2], 0x72) &&
    isLetter(bytes[3], 0x63) &&
    bytes[4] === 0x2f &&
    digit >= 0x30 &&
    digit <= 0x39
  );
}

function isLetter(byte: number | undefined, lower: number): boolean {
  return ((byte ?? 0) | 0x20) === lower;
}

/** True when a record of either format starts at the first byte. */
export function startsRecord(bytes: Uint8Array): boolean {
  return startsWithWarc(bytes) || startsWithArc(bytes);
}

function startsWithArc(bytes: Uint8Array): boolean {
  const end = bytes.indexOf(LF);
  const line = headerText(bytes.subarray(0, end === -1 ? bytes.length : end));
  if (end !== -1) return "head" in parseArcLine(line, end + 1);
  return bytes.length >= START_BYTES && /^[a-z][a-z0-9+.-]{1,20}:\/?\/?[^\s]{400,}$/i.test(line);
}
