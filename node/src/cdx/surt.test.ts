import fc from "fast-check";
import { expect, test } from "vitest";
import { surt } from "./surt.ts";

test.each([
  ["http://www.Example.com/a?b=1", "com,example)/a?b=1"],
  ["http://www2.example.com/", "com,example)/"],
  ["https://example.com:443/", "com,example)/"],
  ["http://example.com:8080/x/", "com,example:8080)/x"],
  ["http://bücher.example/%7Ea", "example,xn--bcher-kva)/~a"],
  ["http://example.com/?z=1&a=2", "com,example)/?a=2&z=1"],
  ["http://example.com/?sid=0123456789abcdef0123456789abcdef&a=2", "com,example)/?a=2"],
  ["http://example.com/a;jsessionid=0123456789abcdef0123456789abcdef", "com,example)/a"],
  ["http://example.com/(S(abcdefghijklmnopqrstuvwx))/page.aspx?x", "com,example)/page.aspx?x"],
  ["http://example.com/a/./b/../c//d/", "com,example)/a/c/d"],
  ["http://example.com/.a/..b", "com,example)/.a/..b"],
  ["http://example.com/a/..", "com,example)/"],
  ["http://example.com/%2e%2e/a%2F/b", "com,example)/../a/b"],
  ["dns:example.com", "dns:example.com"],
  ["urn:UUID:A%41 b#c", "urn:uuid:aa%20b"],
  ["metadata:a?B b&a", "metadata:a?a&b%20b"],
  ["screenshot:http://x/A b/?c d&a#f", "screenshot:http://x/a%20b?a&c%20d"],
  ["http://a b/c d", "a%20b)/c%20d"],
  ["http://a%00b/%252541", "a%00b)/a"],
  ["foo:\u2028\u00c4", "foo:%e2%80%a8%c3%84"],
])("%s becomes %s", (url, key) => {
  expect(surt(url)).toBe(key);
});

test("the repaired rules keep www2 and names that only start like www", () => {
  expect(surt("http://www2.example.com/", "ia-2")).toBe("com,example,www2)/");
  expect(surt("http://www.example.com/", "ia-2")).toBe("com,example)/");
});

test("whatever the URL, the key is printable ASCII without spaces", () => {
  const part = fc.oneof(
    fc.string({ unit: "binary", maxLength: 6 }),
    fc.constantFrom(
      ":",
      "/",
      "//",
      "?",
      "#",
      "@",
      "%",
      "%25",
      "%20",
      ".",
      "..",
      "www.",
      "http:",
      "dns:",
      "x:",
      "[",
      "]",
      " ",
    ),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), fc.constantFrom("ia-1", "ia-2"), (parts, rules) => {
      expect(surt(parts.join(""), rules)).toMatch(/^[!-~]+$/);
    }),
  );
});

test("a URL of a megabyte that hides its percent signs costs no more than any other", () => {
  expect(surt(`http://example.com/%${"25".repeat(500_000)}41`)).toBe("com,example)/a");
});

const ID = "abcdefghijklmnopqrstuvwx";

/** The rule for sessions of ASP.NET as one pattern, which takes time in proportion to the square of the path. */
const withoutAspSession = (path: string): string =>
  path.replace(/^(.*\/)(?:\((?:[a-z]\([0-9a-z]{24}\))+\)|\([0-9a-z]{24}\))\/([^?]+\.aspx.*)$/, "$1$2");

test("of several sessions in a path, the last one before a page is taken away", () => {
  const part = fc.constantFrom("/a", "b", `/(${ID})`, `/(s(${ID}))`, `/(s(${ID})f(${ID}))`, "/p.aspx", ".aspx", "%3f");
  fc.assert(
    fc.property(fc.array(part, { maxLength: 10 }), (parts) => {
      const path = `/c${parts.join("")}`;
      expect(surt(`http://example.com${path}`)).toBe(`com,example)${withoutAspSession(path.replaceAll("%3f", "?"))}`);
    }),
    { numRuns: 2000 },
  );
});

test("a URL of a megabyte of sessions costs no more than any other", () => {
  const path = `/.aspx${`/(${ID})`.repeat(40_000)}`;
  expect(surt(`http://example.com${path}`)).toBe(`com,example)${path}`);
});
