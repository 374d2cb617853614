/** Headers of a raw capture's answer: what the recording said, made safe to send again, and Memento's own. */

import type { RawCapture } from "../archive/archive.ts";
import { replayPath } from "../contract/index.ts";

/** Describe the bytes of the body, so a client needs them under their own names. */
const DESCRIBES_BODY: ReadonlySet<string> = new Set([
  "content-type",
  "content-encoding",
  "content-language",
  "content-disposition",
  "content-location",
  "content-range",
]);
/** Leap seconds are real. */
const DATED = /^(?!0000)\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d|60)$/;
const PREFIX = "X-Archive-Orig-";
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Bytes that Node refuses in a header value. */
const FORBIDDEN_VALUE = /[^\t\x20-\x7e\x80-\xff]/g;

export type Header = readonly [name: string, value: string];

/** @param collection - whose path redirects are led back to */
export function replayHeaders(capture: RawCapture, collection: string): readonly Header[] {
  const recorded = capture.headers
    .filter(([name]) => TOKEN.test(name))
    .flatMap(([name, value]) => recordedHeader(capture, collection, [name, value.replace(FORBIDDEN_VALUE, "")]));
  return [...recorded, ...ownHeaders(capture)];
}

function recordedHeader(capture: RawCapture, collection: string, [name, value]: Header): Header[] {
  const lower = name.toLowerCase();
  if (DESCRIBES_BODY.has(lower)) return [[name, value]];
  const kept: Header = [`${PREFIX}${name}`, value];
  const target = lower === "location" ? archivedTarget(capture.url, value) : undefined;
  return target === undefined ? [kept] : [kept, ["Location", replayPath(collection, capture.timestamp, target)]];
}

function archivedTarget(base: string, location: string): string | undefined {
  const target = URL.parse(location, base);
  return target?.protocol === "http:" || target?.protocol === "https:" ? target.href : undefined;
}

function ownHeaders(capture: RawCapture): Header[] {
  return [
    ...mementoDatetime(capture.timestamp),
    ...originalLink(capture.url),
    ["Content-Security-Policy", "sandbox"],
    ["Referrer-Policy", "no-referrer"],
  ];
}

/** None for a capture whose date could not be read, or that an older index holds under a date no calendar has. */
function mementoDatetime(timestamp: string): Header[] {
  return DATED.test(timestamp) ? [["Memento-Datetime", httpDate(timestamp)]] : [];
}

/** A URL that cannot be written in a header has no link. */
function originalLink(url: string): Header[] {
  const original = URL.parse(url);
  return original === null ? [] : [["Link", `<${original.href}>; rel="original"`]];
}

function httpDate(timestamp: string): string {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(timestamp)?.map(Number) ?? [];
  return new Date(Date.UTC(year ?? 1970, (month ?? 1) - 1, day, hour, minute, second)).toUTCString();
}
