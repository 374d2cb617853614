import fc from "fast-check";
import { expect, test } from "vitest";
import { parseFields, parseHttpHead } from "./headers.ts";

/** The rules, line by line and without care for speed. */
function fieldsByLine(text: string): unknown {
  const [first = "", ...lines] = text.split("\n");
  const fields: [string, string][] = [];
  for (const line of lines) {
    const last = fields.at(-1);
    const colon = line.indexOf(":");
    if (/^[ \t]/.test(line) && last !== undefined) last[1] = `${last[1]} ${line.trim()}`.trim();
    else if (colon > 0) fields.push([line.slice(0, colon).trimEnd(), line.slice(colon + 1).trim()]);
  }
  return { startLine: first.trimEnd(), fields };
}

const token = fc.oneof(
  fc.constantFrom("\n", "\r\n", ":", " ", "\t", "\r", "\u00a0", "\v", "a", "Name: value"),
  fc.string(),
);

test("fields are what their lines say, folded, blank or odd", () => {
  fc.assert(
    fc.property(fc.array(token, { maxLength: 30 }), (tokens) => {
      const text = tokens.join("");
      expect(parseFields(text)).toEqual(fieldsByLine(text));
    }),
    { numRuns: 2000 },
  );
});

test("a head beyond the cap is none, however much of it is there", () => {
  const head = Buffer.from(`HTTP/1.1 200 OK\r\nA: ${"x".repeat(1 << 20)}\r\n\r\n`);
  expect(parseHttpHead(head)).toBeUndefined();
  expect(parseHttpHead(head.subarray(0, 1 << 20))?.status).toBe(200);
});

test("a header of a megabyte of folded lines costs no more than any other", () => {
  const lines = 300_000;
  const { fields } = parseFields(`HTTP/1.1 200 OK\nA: b\n${" c\n".repeat(lines)}`);
  expect(fields).toEqual([["A", `b${" c".repeat(lines)}`]]);
});
