/** Text that real pages hide from a reader that takes their word for everything. */
import { expect, test } from "vitest";
import { warcRecord } from "../../../test/testkit/warc-builder.ts";
import { memorySource } from "../warc/byte-source.ts";
import { decodeContent, openPayload } from "../warc/payload.ts";
import { readRecordAt } from "../warc/record-reader.ts";
import { queryForms } from "./analyzer.ts";
import { decodeText } from "./charset.ts";
import { toEntry } from "./index-batch.ts";
import { beginsAsHtml } from "./sniff-html.ts";
import { DEFAULT_CAPS, extractText } from "./text-extractor.ts";

test("a byte order mark wins over the header's charset", () => {
  const bytes = Buffer.from("\ufeffPříliš", "utf8");
  expect(decodeText(bytes, "text/html; charset=windows-1250", true)).toEqual({ text: "Příliš", charset: "utf-8" });
});

/** Bytes as Python's codecs write them. */
const RARE: readonly (readonly [charset: string, hex: string, text: string])[] = [
  [
    "iso-2022-jp",
    "1b24423863475a244f472d24472422246b21234c3e4130244f245e24404c35242421231b2842",
    "吾輩は猫である。名前はまだ無い。",
  ],
  ["x-mac-cyrillic", "8ff0e8e2e5f22c20ece8f0", "Привет, мир"],
  ["iso-8859-16", "aa636f616ce320ba6920fe6172e3", "Școală și țară"],
  ["koi8-u", "f5cbd2c1a7cec1", "Україна"],
];
test.each(RARE)("%s is decoded, declared by a header", (charset, hex, text) => {
  const { text: decoded } = decodeText(Buffer.from(hex, "hex"), `text/html; charset=${charset}`, true);
  expect(decoded).toBe(text);
});

const typed = (mime: string, identified: string, text: string) =>
  toEntry(
    {
      ...{ urlkey: "example,a)/", url: "http://a.example/", timestamp: "20260101000000", digest: "a", revisit: false },
      ...{ mime, identifiedMime: identified },
      payload: async () => ({ contentType: undefined, body: Buffer.from(text, "utf8") }),
    },
    { sequence: 1, hash: "a".repeat(64), collection: "web" },
    { holds: () => false, nowMs: () => 0 },
  );

test.each([
  ["", "text/plain", "plain words", "text/plain"],
  ["application/octet-stream", "text/html", "words without a tag", "text/html"],
  ["application/octet-stream", "text/plain", "<!doctype html><p>words", "text/html"],
  ["application/octet-stream", "", "words", "application/octet-stream"],
  ["text/plain", "text/html", "words", "text/plain"],
])("a body sent as %j that a crawler took for %j is indexed as what it is", async (mime, identified, text, found) => {
  expect((await typed(mime, identified, text))?.document?.mime).toBe(found);
});

test("a body without a type that a crawler took for a style sheet is no page", async () => {
  expect(await typed("", "text/css", "a{}")).toBeUndefined();
});

test("bytes of seven bits that change their character set are seen without a declaration", () => {
  const [, hex = "", text = ""] = RARE[0] ?? [];
  const bytes = Buffer.from(hex, "hex");
  expect(decodeText(Buffer.concat([bytes, Buffer.from(" "), bytes]), undefined, false).text).toBe(`${text} ${text}`);
});

test.each(["\u00ad", "\u200b", "\u200d", "\u2060", "\ufeff"])("invisible %j splits no word", (invisible) => {
  const body = Buffer.from(`<p>Donau${invisible}dampf${invisible}schiff`, "utf8");
  const input = { url: "http://a.example/", mime: "text/html", contentType: "text/html; charset=utf-8", body };
  expect(extractText(input, DEFAULT_CAPS, () => 0).body).toBe("Donaudampfschiff");
  expect(queryForms(`donau${invisible}dampf`, [])).toEqual([["donaudampf"]]);
});

test.each(["<!DOCTYPE html><p>", "\n <HTML>", "\ufeff<body class=a>", "<!-- a --><p>", "<title>x"])(
  "%j begins as a page",
  (text) => {
    expect(beginsAsHtml(Buffer.from(text, "utf8"))).toBe(true);
  },
);

test.each(["", "%PDF-1.4", "<?xml version='1.0'?>", "html", "<pre>", "PK\u0003\u0004"])("%j does not", (text) => {
  expect(beginsAsHtml(Buffer.from(text))).toBe(false);
});

test.each(["none", "UTF-8", "utf8", "text/html", "binary"])("Content-Encoding: %s codes nothing", async (coding) => {
  const block = `HTTP/1.1 200 OK\r\nContent-Encoding: ${coding}\r\n\r\nhello`;
  const file = memorySource(warcRecord({ uri: "http://a.example/", block }));
  await using opened = await readRecordAt(file, { offset: 0, skip: 0 });
  const parts: Uint8Array[] = [];
  for await (const part of decodeContent(await openPayload(opened.record), 1_000)) parts.push(part);
  expect(Buffer.concat(parts).toString()).toBe("hello");
});
