/**
 * Bodies of pages to what is searched and shown: character sets, HTML, words, languages, snippets. The first two lines of an
 * input are Content-Type and URL.
 */
import { makeDocument } from "../../../node/src/fulltext/document.ts";
import { makeSnippet } from "../../../node/src/fulltext/snippet.ts";
import { DEFAULT_CAPS, extractText } from "../../../node/src/fulltext/text-extractor.ts";
import { type FuzzTarget, mustHold, plainSeeds } from "../target.ts";

const HEAD = "http://example.com/a%20b/page.html?x=1\n";
const PAGE = `<!doctype html><html lang="de-AT"><head><title>A &amp; B</title><meta name=description content="x &lt;b&gt;">
<style>p{}</style></head><body><nav>menu</nav><h1>Heading</h1><p>Text &#x41; &notit; <b>bold</b><script>if(a<b){}</script>
<![CDATA[x]]><!-- c --><svg><title>t</title></svg><img alt="a &quot;picture&quot;"><table><tr><td>1<td>2</table></body></html>`;
const utf16 = Buffer.concat([Buffer.from(`text/html\n${HEAD}`), Buffer.of(0xff, 0xfe), Buffer.from(PAGE, "utf16le")]);
const cyrillic = Buffer.from([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2, 0x20, 0xec, 0xe8, 0xf0]);
const SEEDS = [
  `text/html; charset=utf-8\n${HEAD}${PAGE}`,
  `text/html\n${HEAD}<meta charset=windows-1251><p>\u00cf\u00f0\u00e8</p>`,
  `text/html; charset=shift_jis\n${HEAD}<meta http-equiv="Content-Type" content="text/html; charset=iso-2022-jp">\u001b$B0l\u001b(B`,
  `text/plain; charset="utf-7"\n${HEAD}+ADw-script+AD4- 日本語 ไทย 한국어 straße naïve e\u0301`,
  `application/json\n${HEAD}{"a": ["<b>", "\\u003c"]}`,
  `application/pdf\nhttp://example.com/%zz/%e4.pdf#x\n%PDF`,
  utf16,
  Buffer.concat([Buffer.from(`text/html\n${HEAD}`), cyrillic]),
];
const WORDS = [
  "<title>",
  "</title>",
  "<script>",
  "</script",
  "<!--",
  "-->",
  "<![CDATA[",
  "<svg>",
  "<template>",
  "<h1>",
  "<p ",
  "<mark>",
  "&lt;",
  "&#x110000;",
  "&#0;",
  "&CounterClockwiseContourIntegral;",
  '<meta charset="utf-16">',
  "; charset=iso-2022-kr",
  "; charset=utf-32",
  "\u0000",
  "\ufeff",
  "日本",
  "\u0301",
];

/** The only markup of a snippet. */
const MARKS = /<\/?mark>/g;

export const text: FuzzTarget = {
  watched: /\/node\/src\/fulltext\/|\/node_modules\/(?:htmlparser2|html-encoding-sniffer|chardet|iconv-lite)\//,
  seeds: () => plainSeeds(SEEDS),
  words: WORDS,
  maxCpuMs: 2_500,
  exercise: (bytes) => {
    const [contentType, url, body] = parts(Buffer.from(bytes));
    const mime = (contentType.split(";", 1)[0] ?? "").trim().toLowerCase();
    const page = extractText({ url, mime, contentType, body }, DEFAULT_CAPS, () => performance.now());
    for (const part of [page.title, page.headings, page.body]) mustHold(part.isWellFormed(), "half a character");
    mustHold(!page.title.includes("\n") || !mime.includes("html"), "a title of several lines");
    const document = makeDocument(captureOf(url, mime), "default", page);
    const units = new Map(document.terms.body.slice(0, 5).map((term, index) => [term, index] as const));
    const snippet = makeSnippet(document.body, units, document.language);
    mustHold(!/[<>"']/.test(snippet.replace(MARKS, "")), `markup in a snippet: ${snippet}`);
    for (const term of [...document.terms.title, ...document.terms.body, ...document.terms.url]) {
      mustHold(term !== "" && !/["\s]/.test(term), `a term with a quote or space: ${JSON.stringify(term)}`);
    }
  },
};

function parts(bytes: Buffer): readonly [contentType: string, url: string, body: Buffer] {
  const first = bytes.indexOf(10);
  const second = bytes.indexOf(10, first + 1);
  if (first < 0 || second < 0) return ["text/html", "http://example.com/", bytes];
  return [bytes.toString("utf8", 0, first), bytes.toString("utf8", first + 1, second), bytes.subarray(second + 1)];
}

function captureOf(url: string, mime: string): Parameters<typeof makeDocument>[0] {
  const payload = async () => ({ contentType: undefined, body: new Uint8Array(0) });
  return { urlkey: "com,example)/", url, timestamp: "20260102030405", mime, digest: "sha1:A", revisit: false, payload };
}
