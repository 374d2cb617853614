/** A capture as pywb's CDX server names its fields. Pure. */
import { cdxjLine } from "./cdxj.ts";
import type { StoredCapture } from "./stored-capture.ts";

export interface PywbRow {
  readonly capture: StoredCapture;
  /** Set when revisits are resolved: the response a revisit stands for, or `"none"`. */
  readonly original: StoredCapture | "none" | undefined;
}

/** Names of the other dialects and pywb's short ones. In pywb `s` ends up as the length. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ["original", "url"],
  ["u", "url"],
  ["mimetype", "mime"],
  ["m", "mime"],
  ["statuscode", "status"],
  ["d", "digest"],
  ["l", "length"],
  ["s", "length"],
  ["o", "offset"],
  ["t", "timestamp"],
  ["k", "urlkey"],
  ["f", "filename"],
]);

export function fieldName(given: string): string {
  return ALIASES.get(given) ?? given;
}

const ORIGINAL_FIELDS = ["orig.length", "orig.offset", "orig.filename"] as const;

/** What `fields` unset means for a CDXJ or JSON answer: the fields of the record's index line, in its order. */
const LINE_FIELDS = [
  "urlkey",
  "timestamp",
  "url",
  "mime",
  "status",
  "digest",
  "length",
  "offset",
  "filename",
  "requestBody",
  "method",
] as const;
/** And for a text answer: columns that are always there, so that none ever moves. */
const TEXT_FIELDS = LINE_FIELDS.slice(0, 9);

export function lineFields(resolved: boolean): readonly string[] {
  return resolved ? [...LINE_FIELDS, ...ORIGINAL_FIELDS] : LINE_FIELDS;
}

export function textFields(resolved: boolean): readonly string[] {
  return resolved ? [...TEXT_FIELDS, ...ORIGINAL_FIELDS] : TEXT_FIELDS;
}

type FieldReader = (row: PywbRow) => string | undefined;
const READERS: ReadonlyMap<string, FieldReader> = new Map<string, FieldReader>([
  ["urlkey", ({ capture }) => capture.urlkey],
  ["timestamp", ({ capture }) => capture.timestamp],
  ["url", ({ capture }) => capture.url],
  ["mime", mimeOf],
  ["status", statusOf],
  ["digest", ({ capture }) => known(capture.digest)],
  ["redirect", ({ capture }) => capture.redirect],
  ["length", ({ capture }) => String(capture.place.length)],
  ["offset", ({ capture }) => String(capture.place.offset)],
  ["filename", ({ capture }) => capture.filename],
  ["requestBody", ({ capture }) => capture.requestBody],
  ["method", ({ capture }) => capture.method],
  ["orig.length", originalOf((original) => String(original.place.length))],
  ["orig.offset", originalOf((original) => String(original.place.offset))],
  ["orig.filename", originalOf((original) => original.filename)],
]);

/** @param name - as `fieldName` gives it; unknown ones have no value */
export function fieldValue(row: PywbRow, name: string): string | undefined {
  return READERS.get(name)?.(row);
}

function known(text: string): string | undefined {
  return text === "-" ? undefined : text;
}

/** A resolved revisit shows the type and status of what it stands for, where it has fields for them. */
function mimeOf({ capture, original }: PywbRow): string | undefined {
  const own = known(capture.mime);
  if (own === undefined || original === undefined || original === "none") return own;
  return known(original.mime) ?? "";
}

export function statusOf({ capture, original }: PywbRow): string | undefined {
  const own = capture.status;
  if (own === undefined || original === undefined || original === "none") return own?.toString();
  return original.status?.toString() ?? "";
}

function originalOf(read: (original: StoredCapture) => string): FieldReader {
  return ({ original }) => (original === undefined ? undefined : original === "none" ? "-" : read(original));
}

/** The whole line, for filters without a field. */
export function indexLine({ capture }: PywbRow): string {
  return cdxjLine(capture, capture.filename);
}
