/**
 * An archived response to searchable text. HTML and plain text give their words; every other type gives the words of
 * its URL, so that a PDF or a picture is at least found by name.
 */
import { decodeText } from "./charset.ts";
import { type ExtractionCaps, extractHtml } from "./html-text.ts";
import { withoutInvisible } from "./tokens.ts";

export interface PageText {
  readonly title: string;
  readonly headings: string;
  readonly body: string;
  readonly declaredLanguage: string | undefined;
}

export interface ExtractionInput {
  readonly url: string;
  /** Media type without parameters, lower case. */
  readonly mime: string;
  /** Recorded Content-Type value with parameters. */
  readonly contentType: string | undefined;
  /** Payload with transfer and content encoding removed; may be cut at the reader's cap. */
  readonly body: Uint8Array;
}

/** A million characters are 300 pages of a book; longer bodies are data, not reading. */
export const DEFAULT_CAPS: ExtractionCaps = {
  bodyChars: 1_000_000,
  headingChars: 20_000,
  titleChars: 1_000,
  timeMs: 2_000,
  depth: 2_000,
};

const HTML_TYPES = new Set(["text/html", "application/xhtml+xml"]);
const PLAIN_TYPES =
  /^(text\/(plain|markdown|csv|tab-separated-values)|application\/([\w.-]+\+)?json|application\/xml|text\/xml)$/;
const EMPTY = { title: "", headings: "", body: "", declaredLanguage: undefined } as const;

/** Whether the words of this type come from its body, so that the body is worth reading. */
export function hasReadableBody(mime: string): boolean {
  return HTML_TYPES.has(mime) || PLAIN_TYPES.test(mime);
}

/** Last segment of the path, for pages without a title. */
function fileName(url: string): string {
  const path = url.replace(/[?#].*$/s, "").replace(/^[a-z]+:\/\/[^/]*\/?/i, "");
  const last = path.split("/").findLast((segment) => segment !== "") ?? "";
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

/** Characters normalised once (NFC), so that offsets into the stored text stay true for snippets. */
const normal = (text: string): string => withoutInvisible(text).normalize("NFC").toWellFormed();

/** Title, headings and body of a response. Never throws on content. */
export function extractText(input: ExtractionInput, caps: ExtractionCaps, nowMs: () => number): PageText {
  const title = normal(fileName(input.url));
  if (!hasReadableBody(input.mime)) return { ...EMPTY, title };
  const html = HTML_TYPES.has(input.mime);
  const { text } = decodeText(input.body, input.contentType, html);
  if (!html) return { ...EMPTY, title, body: normal(text.slice(0, caps.bodyChars)) };
  const page = extractHtml(text, caps, nowMs);
  return {
    title: normal(page.title === "" ? (page.headings.split("\n")[0] ?? "") || title : page.title),
    headings: normal(page.headings),
    body: normal(page.body),
    declaredLanguage: page.declaredLanguage,
  };
}
