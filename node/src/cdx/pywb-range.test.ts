import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CdxError } from "./errors.ts";
import { afterPrefix, keyRange } from "./pywb-range.ts";

describe("keys of a url", () => {
  test.each([
    ["http://example.com/path/file.html", "exact", "com,example)/path/file.html", undefined],
    ["http://example.com/path/file.html", "prefix", "com,example)/path/file.html", "com,example)/path/file.htmm"],
    ["http://example.com/path/", "prefix", "com,example)/path/", "com,example)/path0"],
    ["http://example.com/path?", "prefix", "com,example)/path?", "com,example)/path@"],
    ["http://example.com/path/?", "prefix", "com,example)/path?", "com,example)/path@"],
    ["http://example.com/path/file.html", "host", "com,example)/", "com,example*"],
    ["http://example.com/path/file.html", "domain", "com,example)/", "com,example-"],
    ["com", "domain", "com,", "com-"],
    ["http://example.com:8080/", "host", "com,example:8080)/", "com,example:8080*"],
    ["*.example.com", undefined, "com,example)/", "com,example-"],
    ["example.com/*", undefined, "com,example)/", "com,example)0"],
    ["http://www.example.com/a*", undefined, "com,example)/a", "com,example)/b"],
    ["example.com", undefined, "com,example)/", undefined],
  ])("%s as %s", (url, matchType, keyFrom, keyTo) => {
    expect(keyRange(url, matchType)).toMatchObject({ keyFrom, keyTo });
  });

  test("a wildcard is a plain character once the match type is named", () => {
    expect(keyRange("example.com/*", "exact")).toMatchObject({ keyFrom: "com,example)/*", keyTo: undefined });
  });

  test.each(["*", "*.", " *"])("refuses a wildcard for everything: %s", (url) => {
    expect(() => keyRange(url, undefined)).toThrow(CdxError);
  });

  test("refuses a url no one sends, and is quick about long ones", () => {
    expect(() => keyRange("x".repeat(16_385), undefined)).toThrow("url: at most 16384 characters");
    for (const part of ["a", "%25", "/../", ";jsessionid=", "(a(", "&sid=", ".", "@", ":80"]) {
      const url = `http://example.com/${part.repeat(16_000 / part.length)}`;
      expect(keyRange(url, undefined).keyFrom).toContain("com,example");
    }
  });

  test("a prefix's range holds the texts that start with it, and no others", () => {
    const text = fc.string({
      unit: fc.constantFrom("a", "b", "/", "~", "\ud7ff", "\ue000", "\u{10ffff}"),
      maxLength: 4,
    });
    fc.assert(
      fc.property(text, text, (prefix, other) => {
        fc.pre(prefix.replaceAll("\u{10ffff}", "") !== "");
        const [from, to] = [Buffer.from(prefix), Buffer.from(afterPrefix(prefix))];
        for (const each of [other, prefix + other]) {
          const bytes = Buffer.from(each);
          const inside = Buffer.compare(bytes, from) >= 0 && Buffer.compare(bytes, to) < 0;
          expect(inside).toBe(each.startsWith(prefix));
        }
      }),
    );
  });
});
