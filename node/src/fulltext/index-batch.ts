/** Captures of a blob to batches for the index: reads only texts that are not held, keeps batches small enough to commit often. */
import { makeDocument } from "./document.ts";
import type { BatchEntry } from "./index-writer.ts";
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
  return capture.revisit || (capture.mime !== "" && !NEVER_PAGES.test(capture.mime));
}

async function readText(capture: SourceCapture, deps: BatchDeps): Promise<PageText> {
  const mime = capture.mime;
  const payload = hasReadableBody(mime)
    ? await capture.payload(PAYLOAD_CAP_BYTES)
    : { contentType: undefined, body: new Uint8Array() };
  return extractText({ url: capture.url, mime, ...payload }, DEFAULT_CAPS, deps.nowMs);
}

/** One capture as an entry; `undefined` for what is not indexed. */
export async function toEntry(
  capture: SourceCapture,
  blob: SourceBlob,
  deps: BatchDeps,
): Promise<BatchEntry | undefined> {
  if (!isSearchable(capture)) return undefined;
  const { urlkey, timestamp, digest } = capture;
  const known = capture.revisit || deps.holds(blob.collection, urlkey, digest);
  const document = known ? undefined : makeDocument(capture, blob.collection, await readText(capture, deps));
  return { urlkey, timestamp, digest, document };
}
