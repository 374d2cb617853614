/** Random captures and questions: the service answers as a model does that goes over whole lists, one step after the other. */
import { text } from "node:stream/consumers";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { captureOf, memoryCaptures } from "../../../test/testkit/memory-captures.ts";
import { createCdxService } from "./pywb-dialect.ts";
import type { StoredCapture } from "./stored-capture.ts";

async function answered(captures: readonly StoredCapture[], query: string): Promise<Record<string, string>[]> {
  const service = createCdxService({
    captures: memoryCaptures(captures),
    scopeOf: (name) => ({ name, cutoff: undefined, exclude: [] }),
  });
  const params = new URLSearchParams(`${query}&output=json`);
  const answer = await service.query("books", params, AbortSignal.timeout(20_000));
  const lines = (await text(answer.lines)).split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Record<string, string>);
}

describe("a model of pywb", () => {
  const second = fc.integer({ min: 0, max: 9 }).map((each) => `2020010100000${each}`);
  const capture = fc
    .record({
      urlkey: fc.constantFrom("com,example)/", "com,example)/a", "com,example,sub)/", "com,example2)/"),
      timestamp: second,
      status: fc.constantFrom(200, 404, undefined),
      mime: fc.constantFrom("text/html", "warc/revisit"),
      digest: fc.constantFrom("a", "b", "-"),
    })
    .map((fields) => captureOf(fields));
  /** Few at a time, so that every way of reading the index has its turn. */
  const sometimes = <T>(value: fc.Arbitrary<T>) => fc.oneof(fc.constant(undefined), fc.constant(undefined), value);
  const question = fc.record({
    url: fc.constantFrom("example.com", "example.com/*", "*.example.com", "example.com/a"),
    from: sometimes(second),
    to: sometimes(second),
    filter: sometimes(fc.constantFrom("=status:200", "!status:4", "~mime:text", "=digest:a")),
    collapseTime: sometimes(fc.constantFrom("13", "14", "8")),
    closest: sometimes(second),
    sort: sometimes(fc.constantFrom("reverse", "closest")),
    limit: sometimes(fc.integer({ min: 1, max: 12 }).map(String)),
    resolveRevisits: sometimes(fc.constant("true")),
  });
  type Question = typeof question extends fc.Arbitrary<infer Q> ? Q : never;

  const KEYS: Readonly<Record<string, (key: string) => boolean>> = {
    "example.com": (key) => key === "com,example)/",
    "example.com/a": (key) => key === "com,example)/a",
    "example.com/*": (key) => key.startsWith("com,example)/"),
    "*.example.com": (key) => key.startsWith("com,example)/") || key.startsWith("com,example,"),
  };
  const TESTS: Readonly<Record<string, (row: StoredCapture) => boolean>> = {
    "=status:200": (row) => row.status === 200,
    "!status:4": (row) => row.status !== 404,
    "~mime:text": (row) => row.mime.startsWith("text"),
    "=digest:a": (row) => row.digest === "a",
  };

  const isRevisit = (row: StoredCapture) => row.mime === "warc/revisit" && row.digest !== "-";
  const resolved = (rows: readonly StoredCapture[]) =>
    rows.map((row, index) => {
      const before = rows.slice(0, index);
      const original = before.find((each) => each.mime !== "warc/revisit" && each.digest === row.digest);
      if (!isRevisit(row) || original === undefined) return { ...row, hash: "-" };
      const status = row.status === undefined ? undefined : original.status;
      return { ...row, mime: original.mime, status, hash: original.filename };
    });

  /** Step by step over whole lists, in pywb's order of steps. `filename` names the row, `hash` its original. */
  function expected(captures: readonly StoredCapture[], asked: Question): string[] {
    let rows = captures
      .filter((row) => KEYS[asked.url]?.(row.urlkey))
      .toSorted((a, b) => compare(a.urlkey, b.urlkey) || compare(a.timestamp, b.timestamp));
    if (asked.resolveRevisits !== undefined) rows = resolved(rows);
    rows = rows.filter((row) => asked.filter === undefined || TESTS[asked.filter]?.(row));
    rows = rows.filter((row) => row.timestamp >= (asked.from ?? "") && row.timestamp <= (asked.to ?? "3"));
    const token = (row: StoredCapture | undefined) =>
      row && `${row.timestamp.slice(0, Number(asked.collapseTime))} ${row.status}`;
    if (asked.collapseTime !== undefined) rows = rows.filter((row, index) => token(row) !== token(rows[index - 1]));
    const { closest } = asked;
    const distance = (row: StoredCapture) => Math.abs(Number(row.timestamp) - Number(closest));
    if (closest !== undefined) rows = rows.toSorted((a, b) => distance(a) - distance(b));
    else if (asked.sort === "reverse") rows = rows.toReversed();
    return rows.slice(0, Number(asked.limit ?? 100)).map((row) => `${row.filename} ${row.hash}`);
  }
  const compare = (a: string, b: string) => (a === b ? 0 : a < b ? -1 : 1);

  function queryOf(asked: Question): string {
    const given = Object.entries(asked).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as [string, string]],
    );
    return new URLSearchParams(given).toString();
  }

  test("gives the same rows in the same order", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(capture, { maxLength: 25 }), question, async (drawn, asked) => {
        const captures = drawn.map((row, index) => ({ ...row, filename: `${index}.warc.gz`, hash: "" }));
        const rows = await answered(captures, queryOf(asked));
        const shown = rows.map((row) => `${row["filename"]} ${row["orig.filename"] ?? ""}`);
        expect(shown).toEqual(expected(captures, asked));
      }),
      { numRuns: 1_000 },
    );
  });
});
