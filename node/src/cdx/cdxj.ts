/** Lines of a CDXJ index in pywb's dialect: every value a string, fields in a fixed order, sorted by bytes. Pure. */
import type { CaptureRow } from "../warc/record.ts";

/**
 * One line, without a line end. Fields that a record does not have are left out, as pywb's indexer does.
 *
 * @param filename - what `offset` and `length` refer to
 */
export function cdxjLine(row: CaptureRow, filename: string): string {
  const fields: [string, string][] = [["url", row.url]];
  if (row.mime !== "-") fields.push(["mime", row.mime]);
  if (row.status !== undefined) fields.push(["status", String(row.status)]);
  if (row.digest !== "-") fields.push(["digest", row.digest]);
  fields.push(["length", String(row.place.length)], ["offset", String(row.place.offset)], ["filename", filename]);
  if (row.requestBody !== undefined) fields.push(["requestBody", row.requestBody]);
  if (row.method !== undefined) fields.push(["method", row.method]);
  const json = fields.map(([name, value]) => `"${name}": ${asciiJson(value)}`).join(", ");
  return `${row.urlkey} ${row.timestamp} {${json}}`;
}

/** JSON in ASCII alone, as Python writes it, so that lines can be compared and sorted by bytes anywhere. */
export function asciiJson(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\uffff]/g, (unit) =>
    unit === "\u007f" ? unit : `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Order of `LC_ALL=C sort`: by bytes of UTF-8. */
export function compareLines(a: string, b: string): number {
  if (a === b) return 0;
  // NOTE: units of UTF-16 sort as UTF-8 does unless a surrogate meets a character from U+E000 on.
  return /[\ud800-\uffff]/.test(a) && /[\ud800-\uffff]/.test(b)
    ? Buffer.compare(Buffer.from(a), Buffer.from(b))
    : a < b
      ? -1
      : 1;
}
