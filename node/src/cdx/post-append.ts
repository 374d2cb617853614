/**
 * The request body as part of a capture's key, as pywb and its indexer do it: form, multipart, JSON, or base64. Pure.
 * @see https://specs.webrecorder.net/request-body-canonicalization/latest/
 */
import { fieldOf } from "../warc/headers.ts";
import type { HttpHead } from "../warc/record.ts";

/** Canonical bodies are cut here, characters, as pywb's look-ups do. */
const MAX_QUERY_CHARS = 4096;
/** Bytes read of a body without a length, as pywb's indexer. */
const UNKNOWN_LENGTH = 8192;

export interface AppendedRequest {
  readonly method: string;
  readonly query: string;
  /** To be turned into the key. */
  readonly url: string;
}

/** @returns `undefined` for methods that are not appended */
export function appendRequest(url: string, http: HttpHead, body: Uint8Array): AppendedRequest | undefined {
  const method = http.method?.toUpperCase();
  if (method !== "POST" && method !== "PUT") return undefined;
  const query = canonicalBody(fieldOf(http.headers, "content-type") ?? "", bodyBytes(http, body));
  const joint = url.includes("?") ? "&" : "?";
  return { method, query, url: `${url}${joint}__wb_method=${method}${query === "" ? "" : `&${query}`}` };
}

function bodyBytes(http: HttpHead, body: Uint8Array): Buffer {
  const declared = fieldOf(http.headers, "content-length");
  const length = declared === undefined ? UNKNOWN_LENGTH : Number.parseInt(declared, 10);
  return Buffer.from(body.subarray(0, Number.isNaN(length) ? 0 : Math.max(0, length)));
}

function canonicalBody(mime: string, body: Buffer): string {
  return queryOf(mime, body).slice(0, MAX_QUERY_CHARS);
}

function queryOf(mime: string, body: Buffer): string {
  if (mime.startsWith("application/x-www-form-urlencoded")) return formQuery(body);
  if (mime.startsWith("multipart/")) return multipartQuery(mime, body) ?? binaryQuery(body);
  if (mime.startsWith("application/json")) return jsonQuery(body) ?? "";
  if (mime.startsWith("text/plain")) return jsonQuery(body) ?? binaryQuery(body);
  return binaryQuery(body);
}

function binaryQuery(body: Buffer): string {
  return `__wb_post_data=${body.toString("base64")}`;
}

function formQuery(body: Buffer): string {
  const text = body.toString("utf8");
  return text.includes("\ufffd") ? binaryQuery(body) : unquotePlus(text);
}

function unquotePlus(text: string): string {
  const spaced = text.replaceAll("+", " ");
  return spaced.replace(/(?:%[0-9a-f]{2})+/gi, (run) => Buffer.from(run.replaceAll("%", ""), "hex").toString("utf8"));
}

function jsonQuery(body: Buffer): string | undefined {
  const query = new JsonQuery();
  const text = body.toString("utf8");
  try {
    query.add(JSON.parse(text));
  } catch {
    if (!text.includes("\n")) return undefined;
    try {
      for (const line of text.split("\n")) query.add(JSON.parse(line));
    } catch {
      return undefined;
    }
  }
  return query.text;
}

/** Leaves of JSON as a query; a name that comes again gets a number. */
class JsonQuery {
  readonly #seen = new Map<string, number>();
  text = "";

  /** Stops where the canonical body is cut anyway, so that a body of a million numbers costs no memory. */
  add(json: unknown): void {
    for (const [name, value] of leavesOf(json)) {
      if (this.text.length > MAX_QUERY_CHARS) return;
      const count = (this.#seen.get(name) ?? 0) + 1;
      this.#seen.set(name, count);
      const numbered = count === 1 ? name : `${name}.${count}_`;
      const joint = this.text === "" ? "" : "&";
      this.text += `${joint}${quotePlus(numbered)}=${quotePlus(pythonText(value))}`;
    }
  }
}

/** Nesting that Python's parser, whose keys ours must equal, gives up at. */
const MAX_DEPTH = 1000;

/** In document order, without recursion. */
function* leavesOf(json: unknown): Generator<readonly [string, unknown], void> {
  const open: Iterator<readonly [string, unknown]>[] = [[["", json] as const].values()];
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const next = top.next();
    if (next.done === true) {
      open.pop();
      continue;
    }
    const inner = innerOf(...next.value);
    if (inner !== undefined) open.push(inner);
    else if (next.value[0] !== "") yield next.value;
    if (open.length > MAX_DEPTH) throw new RangeError("nested too deep");
  }
}

/** Items of a list go by the list's name; `undefined` for what has no inside. */
function innerOf(key: string, value: unknown): Iterator<readonly [string, unknown]> | undefined {
  if (Array.isArray(value)) return itemsOf(key, value);
  return typeof value === "object" && value !== null ? Object.entries(value).values() : undefined;
}

function* itemsOf(key: string, items: readonly unknown[]): Generator<readonly [string, unknown], void> {
  for (const item of items) yield [key, item];
}

/** Existing keys were made by Python's `str`. */
function pythonText(value: unknown): string {
  if (typeof value === "boolean") return value ? "True" : "False";
  return typeof value === "string" || typeof value === "number" ? String(value) : "None";
}

/** Python's `quote_plus`: letters, digits and `_.-~` stay. */
function quotePlus(text: string): string {
  const quoted = encodeURIComponent(text.toWellFormed()).replaceAll("%20", "+");
  return quoted.replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
}

function multipartQuery(mime: string, body: Buffer): string | undefined {
  const boundary = mime.split("boundary=")[1]?.replace(/^"(.*)"$/, "$1");
  if (boundary === undefined || boundary === "") return undefined;
  const parts = body.toString("latin1").split(`--${boundary}`).slice(1);
  const pairs: string[] = [];
  for (const part of parts) {
    if (part.startsWith("--")) break;
    const end = part.indexOf("\r\n\r\n");
    const name = /\bname="([^"]*)"/i.exec(part.slice(0, end))?.[1];
    if (end === -1 || name === undefined) continue;
    pairs.push(`${quoteBytes(name)}=${quoteBytes(part.slice(end + 4).replace(/\r\n$/, ""))}`);
  }
  return pairs.join("&");
}

/** `quotePlus` for one character per byte. */
function quoteBytes(bytes: string): string {
  const quoted = bytes.replace(/[^A-Za-z0-9_.~ -]/g, (byte) => {
    return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  });
  return quoted.replaceAll(" ", "+");
}
