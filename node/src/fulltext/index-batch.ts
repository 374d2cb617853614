/** Captures of a blob to batches for the index: reads only texts that are not held, keeps batches small enough to commit often. */
import { makeDocument } from "./document.ts";
import type { BatchEntry } from "./index-writer.ts";
import { beginsAsHtml } from "./sniff-html.ts";
import type { SourceBlob, SourceCapture } from "./source.ts";
import { DEFAULT_CAPS, extractText, hasReadableBody, type PageText } from "./text-extractor.ts";

/** Payload read for its text, bytes; caps.bodyChars of text with its markup. */
const PAYLOAD_CAP_BYTES = 8 * 1024 * 1024;
/**
 * Parts of pages: nobody searches for them, and they would crowd the results. JSON is not among them: interfaces and data
 * sets hold text that is nowhere else, and `-type:json` leaves it out.
 */
const NEVER_PAGES =
  /^(text\/(css|javascript)|application\/(javascript|x-javascript|octet-stream)|font\/|application\/font)/;

export interface BatchDeps {
  /** Whether the index has this text of this page. */
  readonly holds: (collection: string, urlkey: string, digest: string) => boolean;
  readonly nowMs: () => number;
}

/** Whether a capture is something a person looks for. */
function isSearchable(capture: SourceCapture): boolean {
  return capture.revisit || isUntyped(capture.mime) || !NEVER_PAGES.test(capture.mime);
}

/** A type that says nothing of the body. */
function isUntyped(mime: string): boolean {
  return mime === "" || mime === "application/octet-stream" || mime === "unknown/unknown" || !mime.includes("/");
}

interface ReadText {
  readonly mime: string;
  readonly text: PageText;
}

/**
 * A doubled type is its first. A body without a type is a page when it begins as one, as in a browser; else it is what the crawler
 * took it for.
 */
async function readText(capture: SourceCapture, deps: BatchDeps): Promise<ReadText | undefined> {
  const declared = capture.mime.split(",", 1)[0] ?? "";
  const untyped = isUntyped(declared);
  const payload =
    untyped || hasReadableBody(declared)
      ? await capture.payload(PAYLOAD_CAP_BYTES)
      : { contentType: undefined, body: new Uint8Array() };
  const mime = untyped ? sniffed(payload.body, capture.identifiedMime ?? "", declared) : declared;
  if (mime === "" || (mime !== declared && NEVER_PAGES.test(mime))) return undefined;
  return { mime, text: extractText({ url: capture.url, mime, ...payload }, DEFAULT_CAPS, deps.nowMs) };
}

function sniffed(body: Uint8Array, identified: string, declared: string): string {
  if (beginsAsHtml(body)) return "text/html";
  return identified === "" || isUntyped(identified) ? declared : identified;
}

/** One capture as an entry; `undefined` for what is not indexed. */
export async function toEntry(
  capture: SourceCapture,
  blob: SourceBlob,
  deps: BatchDeps,
): Promise<BatchEntry | undefined> {
  if (!isSearchable(capture)) return undefined;
  const { urlkey, timestamp, digest } = capture;
  if (capture.revisit || deps.holds(blob.collection, urlkey, digest)) {
    return { urlkey, timestamp, digest, bringsText: !capture.revisit, document: undefined };
  }
  const read = await readText(capture, deps);
  if (read === undefined) return undefined;
  const document = makeDocument({ ...capture, mime: read.mime }, blob.collection, read.text);
  return { urlkey, timestamp, digest, bringsText: true, document };
}
