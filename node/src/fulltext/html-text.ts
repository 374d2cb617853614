/**
 * HTML to title, headings and body text with a streaming parser: no tree is built, so nesting costs nothing.
 * Scripts, styles and hidden machinery are left out; block elements break lines so that words never run together.
 */
import { Parser } from "htmlparser2";

export interface ExtractionCaps {
  /** Characters of body text kept. */
  readonly bodyChars: number;
  readonly headingChars: number;
  readonly titleChars: number;
  /** Milliseconds of parsing; what was found until then is kept. */
  readonly timeMs: number;
  /** Elements open at once; deeper markup is a parser bomb and ends the extraction. */
  readonly depth: number;
}

export interface HtmlText {
  readonly title: string;
  readonly headings: string;
  readonly body: string;
  /** `lang` of the root element, primary subtag, lower case. */
  readonly declaredLanguage: string | undefined;
  /** False when a cap cut the text short. */
  readonly complete: boolean;
}

const SKIPPED = new Set(["script", "style", "noscript", "template", "svg", "math", "iframe", "object", "select"]);
const INLINE = new Set(
  "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd mark q s samp small span strong sub sup time tt u var wbr".split(
    " ",
  ),
);
const HEADING = /^h[1-6]$/;
/** Site furniture: it repeats on every page of a site and says nothing about this one. */
const FURNITURE = new Set(["nav", "footer"]);
const PARSE_CHUNK_CHARS = 32 * 1024;

const tidy = (text: string): string =>
  text
    .replace(/[^\S\n\ufeff]+/g, " ")
    .replace(/ ?\n[\n ]*/g, "\n")
    .trim();

/** Collects text by the element it stands in. Lives for one page. */
class TextCollector {
  readonly #caps: ExtractionCaps;
  readonly #body: string[] = [];
  readonly #headings: string[] = [];
  #title = "";
  #language: string | undefined;
  #bodyChars = 0;
  #headingChars = 0;
  #skipDepth = 0;
  #headingDepth = 0;
  #titleDepth = 0;
  depth = 0;

  constructor(caps: ExtractionCaps) {
    this.#caps = caps;
  }

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    this.depth += 1;
    if (name === "html") this.#language = attributes["lang"]?.split(/[-_]/)[0]?.toLowerCase();
    if (SKIPPED.has(name) || FURNITURE.has(name)) this.#skipDepth += 1;
    if (HEADING.test(name)) this.#headingDepth += 1;
    if (name === "title") this.#titleDepth += 1;
    if (name === "meta" && attributes["name"]?.toLowerCase() === "description") this.#add(attributes["content"] ?? "");
    if (name === "img" && attributes["alt"] !== undefined) this.#add(` ${attributes["alt"]} `);
    this.#breakLine(name);
  }

  close(name: string): void {
    this.depth -= 1;
    if (SKIPPED.has(name) || FURNITURE.has(name)) this.#skipDepth = Math.max(0, this.#skipDepth - 1);
    if (HEADING.test(name)) this.#headingDepth = Math.max(0, this.#headingDepth - 1);
    if (name === "title") this.#titleDepth = Math.max(0, this.#titleDepth - 1);
    this.#breakLine(name);
  }

  text(text: string): void {
    if (this.#skipDepth > 0) return;
    if (this.#titleDepth > 0) {
      if (this.#title.length < this.#caps.titleChars) this.#title += text;
      return;
    }
    this.#add(text);
  }

  get full(): boolean {
    return this.#bodyChars >= this.#caps.bodyChars || this.depth > this.#caps.depth;
  }

  result(complete: boolean): HtmlText {
    return {
      title: tidy(this.#title.slice(0, this.#caps.titleChars)).replace(/\n/g, " "),
      headings: tidy(this.#headings.join("")),
      body: tidy(this.#body.join("").slice(0, this.#caps.bodyChars)),
      declaredLanguage: this.#language,
      complete,
    };
  }

  #breakLine(name: string): void {
    if (INLINE.has(name) || this.#skipDepth > 0) return;
    if (this.#bodyChars < this.#caps.bodyChars) this.#body.push("\n");
    if (this.#headingDepth === 0 && HEADING.test(name)) this.#headings.push("\n");
  }

  #add(text: string): void {
    if (this.#skipDepth > 0) return;
    this.#body.push(text);
    this.#bodyChars += text.length;
    if (this.#headingDepth === 0 || this.#headingChars >= this.#caps.headingChars) return;
    this.#headings.push(text);
    this.#headingChars += text.length;
  }
}

/** Text of an HTML page, under caps. */
export function extractHtml(html: string, caps: ExtractionCaps, nowMs: () => number): HtmlText {
  const collector = new TextCollector(caps);
  const parser = new Parser(
    {
      onopentag: (name, attributes) => collector.open(name, attributes),
      onclosetag: (name) => collector.close(name),
      ontext: (text) => collector.text(text),
    },
    { decodeEntities: true, lowerCaseTags: true },
  );
  const deadlineMs = nowMs() + caps.timeMs;
  for (let at = 0; at < html.length; at += PARSE_CHUNK_CHARS) {
    if (collector.full || nowMs() > deadlineMs) return collector.result(false);
    parser.write(html.slice(at, at + PARSE_CHUNK_CHARS));
  }
  const complete = !collector.full;
  parser.end();
  return collector.result(complete);
}
