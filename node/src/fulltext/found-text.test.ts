/** Text that real pages hide from a reader that takes their word for everything. */
import { expect, test } from "vitest";
import { warcRecord } from "../../../test/testkit/warc-builder.ts";
import { memorySource } from "../warc/byte-source.ts";
import { decodeContent, openPayload } from "../warc/payload.ts";
import { readRecordAt } from "../warc/record-reader.ts";
import { queryForms } from "./analyzer.ts";
import { decodeText } from "./charset.ts";
import { beginsAsHtml } from "./sniff-html.ts";
import { DEFAULT_CAPS, extractText } from "./text-extractor.ts";

test("a byte order mark wins over the header's charset", () => {
  const bytes = Buffer.from("\ufeffPříliš", "utf8");
  expect(decodeText(bytes, "text/html; charset=windows-1250", true)).toEqual({ text: "Příliš", charset: "utf-8" });
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
