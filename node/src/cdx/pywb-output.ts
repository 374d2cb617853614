/** Text of the answers of pywb's CDX server: CDXJ, JSON, columns, links. Pure but for reading its input. */
import { replayPath } from "../contract/index.ts";
import { asciiJson } from "./cdxj.ts";
import type { Output } from "./pywb-params.ts";
import { fieldName, fieldValue, lineFields, type PywbRow, textFields } from "./pywb-row.ts";
import type { RowBatches } from "./pywb-selection.ts";

export const CONTENT_TYPES: Readonly<Record<Output, string>> = {
  cdxj: "text/x-cdxj",
  json: "text/x-ndjson",
  text: "text/plain; charset=utf-8",
  link: "application/link-format",
};

export interface OutputChoice {
  readonly output: Output;
  /** Names as the client gave them; they are also the names in the answer. */
  readonly fields: readonly string[] | undefined;
  readonly resolved: boolean;
  readonly collection: string;
}

/** Each text is one or more whole lines; links are separated by a comma at the line's end. */
export async function* answerText(batches: RowBatches, choice: OutputChoice): AsyncGenerator<string, void> {
  const write = writerOf(choice);
  const [between, end] = choice.output === "link" ? [",\n", "\n"] : ["\n", "\n"];
  let started = false;
  for await (const rows of batches) {
    if (rows.length === 0) continue;
    yield (started ? between : "") + rows.map(write).join(between);
    started = true;
  }
  if (started) yield end;
}

/** Our own field, beside those of pywb: the path that shows the page. */
const REPLAY = "replay";

type FieldReader = (row: PywbRow, name: string) => string | undefined;
type Names = readonly (readonly [shown: string, name: string])[];

function writerOf({ output, fields, resolved, collection }: OutputChoice): (row: PywbRow) => string {
  const read: FieldReader = (row, name) =>
    name === REPLAY ? replayPath(collection, row.capture.timestamp, row.capture.url) : fieldValue(row, name);
  const names = (fields ?? (output === "text" ? textFields(resolved) : [...lineFields(resolved), REPLAY])).map(
    (shown) => [shown, fieldName(shown)] as const,
  );
  switch (output) {
    case "cdxj": {
      const inside = names.filter(([, name]) => name !== "urlkey" && name !== "timestamp");
      return (row) => `${row.capture.urlkey} ${row.capture.timestamp} ${json(row, inside, read)}`;
    }
    case "json":
      return (row) => json(row, names, read);
    case "text":
      return (row) => names.map(([, name]) => column(read(row, name) ?? "-")).join(" ");
    case "link":
      return (row) => link(row, collection);
  }
}

/** As Python writes it; a field the capture does not have is left out. */
function json(row: PywbRow, names: Names, read: FieldReader): string {
  const members = new Map<string, string>();
  for (const [shown, name] of names) {
    const value = read(row, name);
    if (value !== undefined) members.set(shown, `${asciiJson(shown)}: ${asciiJson(value)}`);
  }
  return `{${[...members.values()].join(", ")}}`;
}

/** A space inside a value would move the columns after it. */
function column(value: string): string {
  return value === "" ? "-" : value.replace(/[\s\p{Cc}]/gu, encodeURIComponent);
}

function link({ capture }: PywbRow, collection: string): string {
  const target = capture.url.replace(/[\s\p{Cc}<>"]/gu, encodeURIComponent);
  return `<${target}>; rel="memento"; datetime="${httpDate(capture.timestamp)}"; collection="${collection}"`;
}

function httpDate(timestamp: string): string {
  const [date, time] = [timestamp.slice(0, 8), timestamp.slice(8, 14)];
  const iso = `${date.replace(/(....)(..)(..)/, "$1-$2-$3")}T${time.replace(/(..)(..)(..)/, "$1:$2:$3")}Z`;
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) ? iso : at.toUTCString();
}
