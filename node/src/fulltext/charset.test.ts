import fc from "fast-check";
import iconv from "iconv-lite";
import { expect, test } from "vitest";
import { declaredCharset, decodeText } from "./charset.ts";

const CZECH = "Příliš žluťoučký kůň úpěl ďábelské ódy";
const JAPANESE = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。";
const withMeta = (charset: string, text: string): Buffer =>
  iconv.encode(`<html><head><meta charset="${charset}"></head><body>${text}</body></html>`, charset);

test("the HTTP header comes before everything", () => {
  const bytes = withMeta("windows-1250", CZECH);
  expect(decodeText(bytes, "text/html; charset=ISO-8859-2", true).charset).toBe("iso-8859-2");
  expect(decodeText(iconv.encode(CZECH, "iso-8859-2"), 'text/html; charset="ISO-8859-2"', true).text).toBe(CZECH);
});

test("the byte order mark comes before the meta element", () => {
  const page = `<meta charset="windows-1250">${CZECH}`;
  const marked = Buffer.concat([Buffer.from([0xff, 0xfe]), iconv.encode(page, "utf-16le")]);
  const decoded = decodeText(marked, "text/html", true);
  expect(decoded).toEqual({ text: page, charset: "utf-16le" });
});

test("the meta element comes before detection, and only in HTML", () => {
  const bytes = withMeta("windows-1250", CZECH);
  expect(decodeText(bytes, "text/html", true).text).toContain(CZECH);
  expect(decodeText(Buffer.from(`<meta charset="windows-1250">é`, "utf8"), "text/plain", false).charset).toBe("utf-8");
});

test.each(["utf-8", "shift_jis", "euc-jp"])("undeclared %s is detected", (charset) => {
  expect(decodeText(iconv.encode(JAPANESE.repeat(4), charset), undefined, false).text).toBe(JAPANESE.repeat(4));
});

test("a character cut in two by the cap does not make UTF-8 something else", () => {
  const bytes = Buffer.from(`${"a".repeat(16 * 1024 - 1)}é`, "utf8");
  expect(decodeText(bytes, undefined, false).charset).toBe("utf-8");
});

test.each([undefined, "text/html", "text/html; charset=", "text/html; charset=no-such-thing"])(
  "%j declares nothing",
  (contentType) => {
    expect(declaredCharset(contentType)).toBeUndefined();
  },
);

test("no bytes and no header make it throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.string(), fc.boolean(), (bytes, charset, html) => {
      expect(typeof decodeText(bytes, `text/html; charset=${charset}`, html).text).toBe("string");
    }),
  );
});
