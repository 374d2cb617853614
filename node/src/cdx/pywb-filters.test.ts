import { describe, expect, test } from "vitest";
import { captureOf } from "../../../test/testkit/memory-captures.ts";
import { createFilters } from "./pywb-filters.ts";

const ROW = {
  capture: captureOf({
    urlkey: "com,example)/shop?id=1",
    url: "http://example.com/shop?id=1",
    status: 404,
    redirect: "/elsewhere",
  }),
  original: undefined,
};
const NO_STATUS = { ...ROW, capture: { ...ROW.capture, status: undefined } };

describe("filters", () => {
  test.each([
    ["status:40", true],
    ["status:20", false],
    ["!status:20", true],
    ["statuscode:404", true],
    ["=status:404", true],
    ["=status:40", false],
    ["!=statuscode:404", false],
    ["~status:4", true],
    ["~status:04", false],
    ["~status:.*4$", true],
    ["!~status:[23]..", true],
    ["=original:http://example.com/shop?id=1", true],
    ["=url:http://example.com/shop?id=1", true],
    ["~mimetype:text/(?:html|plain)$", true],
    ["~mime:(?i)TEXT", true],
    ["~url:(?P<scheme>https?)://", true],
    ["=redirect:/elsewhere", true],
    ["=unknown:", true],
    ["unknown:x", false],
    ["shop?id", true],
    ["com,example)/shop", true],
    ['"mime": "text/html"', false],
    ["~com,example", true],
    ["=com,example", false],
    ["!nowhere", true],
  ])("%s -> %s", (filter, kept) => {
    expect(createFilters([filter]).keeps(ROW)).toBe(kept);
  });

  test("a field the capture does not have is empty", () => {
    expect(createFilters(["=status:"]).keeps(NO_STATUS)).toBe(true);
    expect(createFilters(["!=status:200"]).keeps(NO_STATUS)).toBe(true);
    expect(createFilters(["~status:."]).keeps(NO_STATUS)).toBe(false);
  });

  test("all of them must hold", () => {
    expect(createFilters(["status:4", "mime:html"]).keeps(ROW)).toBe(true);
    expect(createFilters(["status:4", "mime:pdf"]).keeps(ROW)).toBe(false);
  });

  test.each([
    [["~url:("]],
    [["~url:(a)\\1"]],
    [["~url:(?!a)b"]],
    [["~url:((a{100}){100}){100}"]],
    [[`url:${"x".repeat(600)}`]],
    [Array.from({ length: 1_000 }, () => "status:200")],
  ])("refuses what it cannot or should not run", (filters) => {
    expect(() => createFilters(filters)).toThrow(/^filter: /);
  });

  test("expressions that hang other engines are answered, and their work is counted", () => {
    const url = `http://example.com/${"a".repeat(50_000)}!`;
    const row = { ...ROW, capture: { ...ROW.capture, url } };
    for (const evil of ["(.*)*Z", "http://example.com/(a+)+$", "http://example.com/(a|a)*$", "(.*.*.*.*)*Z"]) {
      const filters = createFilters([`~url:${evil}`]);
      expect(filters.keeps(row)).toBe(false);
      expect(filters.worked).toBe(url.length);
    }
  });
});
