import { text } from "node:stream/consumers";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { captureOf, memoryCaptures } from "../../../test/testkit/memory-captures.ts";
import type { AccessScope } from "./access.ts";
import { createCdxService } from "./pywb-dialect.ts";
import { BLOCK_ROWS } from "./pywb-params.ts";
import type { CaptureRange, StoredCapture } from "./stored-capture.ts";

interface Setup {
  readonly captures: readonly StoredCapture[];
  readonly scope?: Partial<AccessScope>;
  readonly maxRows?: number;
}

function setUp({ captures, scope = {}, maxRows = 100_000 }: Setup) {
  const scans: CaptureRange[] = [];
  const service = createCdxService({
    captures: memoryCaptures(captures, (range) => scans.push(range)),
    scopeOf: (name) => (name === "books" ? { name, cutoff: undefined, exclude: [], ...scope } : undefined),
    maxRows,
    now: () => new Date("2021-01-01T00:00:00Z"),
  });
  const ask = async (query: string, signal: AbortSignal = AbortSignal.timeout(20_000)) => {
    const answer = await service.query("books", new URLSearchParams(query), signal);
    return { type: answer.contentType, text: await text(answer.lines) };
  };
  const json = async (query: string): Promise<Record<string, string>[]> =>
    (await ask(`${query}&output=json`)).text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, string>);
  return { service, scans, ask, json };
}

const at = (timestamp: string, fields: Partial<StoredCapture> = {}) =>
  captureOf({ urlkey: "com,example)/", timestamp, ...fields });
const times = (rows: readonly Record<string, string>[]) => rows.map((row) => row["timestamp"]);

describe("outputs", () => {
  const odd = at("20200102030405", {
    url: 'http://example.com/ä "<b>"\n',
    status: undefined,
    mime: "-",
    digest: "-",
    method: "POST",
    requestBody: "a=b",
    filename: "über.warc.gz",
  });

  test("cdxj leaves out what a capture does not have, and is ASCII", async () => {
    expect(await setUp({ captures: [odd] }).ask("url=example.com")).toEqual({
      type: "text/x-cdxj",
      text:
        'com,example)/ 20200102030405 {"url": "http://example.com/\\u00e4 \\"<b>\\"\\n", "length": "100", "offset": "0", ' +
        '"filename": "\\u00fcber.warc.gz", "requestBody": "a=b", "method": "POST", ' +
        '"replay": "/books/20200102030405id_/http://example.com/\\u00e4%20%22%3Cb%3E%22%0A"}\n',
    });
  });

  test("text keeps its columns, whatever is in a value", async () => {
    expect(await setUp({ captures: [odd] }).ask("url=example.com&output=text")).toEqual({
      type: "text/plain; charset=utf-8",
      text: 'com,example)/ 20200102030405 http://example.com/ä%20"<b>"%0A - - - 100 0 über.warc.gz\n',
    });
  });

  test("links cannot be broken out of", async () => {
    expect(await setUp({ captures: [odd, at("20200102030406")] }).ask("url=example.com&output=link")).toEqual({
      type: "application/link-format",
      text:
        '<http://example.com/ä%20%22%3Cb%3E%22%0A>; rel="memento"; datetime="Thu, 02 Jan 2020 03:04:05 GMT"; collection="books",\n' +
        '<http://example.com/>; rel="memento"; datetime="Thu, 02 Jan 2020 03:04:06 GMT"; collection="books"\n',
    });
  });

  test("fields may have the names of either dialect and keep them", async () => {
    const { json, ask } = setUp({ captures: [at("20200102030405")] });
    expect(await json("url=example.com&fl=statuscode,url,original,nothing")).toEqual([
      { statuscode: "200", url: "http://example.com/", original: "http://example.com/" },
    ]);
    expect((await ask("url=example.com&output=text&fields=timestamp,statuscode,nothing")).text).toBe(
      "20200102030405 200 -\n",
    );
  });

  test("nothing found is an empty answer", async () => {
    expect(await setUp({ captures: [] }).ask("url=example.com")).toEqual({ type: "text/x-cdxj", text: "" });
  });
});

describe("what may be seen", () => {
  const captures = [
    at("20200101000000", { digest: "d", filename: "secret.warc.gz", urlkey: "com,example)/a" }),
    at("20200102000000", { digest: "d", mime: "warc/revisit", urlkey: "com,example)/b" }),
    at("20200103000000", { urlkey: "com,example)/b" }),
  ];

  test.each(["", "&sort=reverse", "&closest=2020", "&collapseTime=14", "&page=0", "&resolveRevisits=1"])(
    "hides embargoed and excluded captures%s",
    async (options) => {
      const { ask } = setUp({ captures, scope: { cutoff: "20200102235959", exclude: ["com,example)/a"] } });
      const { text } = await ask(`url=example.com/*${options}`);
      expect(text.match(/^com,\S+ \d+/gm)).toEqual(["com,example)/b 20200102000000"]);
      expect(text).not.toContain("secret.warc.gz");
    },
  );

  test("page counts do not count them", async () => {
    const { ask } = setUp({ captures, scope: { exclude: ["com,"] } });
    expect(await ask("url=example.com/*&showNumPages=true")).toEqual({
      type: "application/json",
      text: '{"pages": 0, "pageSize": 10, "blocks": 0}\n',
    });
  });

  test("an unknown collection is an error of its own", async () => {
    const { service } = setUp({ captures });
    await expect(
      service.query("other", new URLSearchParams("url=a.b"), AbortSignal.timeout(1_000)),
    ).rejects.toMatchObject({ name: "CdxError", code: "COLLECTION_UNKNOWN" });
  });
});

describe("resolveRevisits", () => {
  const captures = [
    at("20200101000000", { digest: "d", place: { offset: 5, length: 50, skip: 0 }, filename: "first.warc.gz" }),
    at("20200102000000", { digest: "d", filename: "second.warc.gz" }),
    at("20200103000000", { digest: "d", mime: "warc/revisit", status: 304 }),
    at("20200104000000", { digest: "other", mime: "warc/revisit", status: undefined }),
  ];

  test("adds the place, type and status of the first response with the digest", async () => {
    const rows = await setUp({ captures }).json(
      "url=example.com&resolveRevisits=true&fields=mime,status,orig.offset,orig.length,orig.filename",
    );
    const none = { "orig.offset": "-", "orig.length": "-", "orig.filename": "-" };
    expect(rows).toEqual([
      { mime: "text/html", status: "200", ...none },
      { mime: "text/html", status: "200", ...none },
      { mime: "text/html", status: "200", "orig.offset": "5", "orig.length": "50", "orig.filename": "first.warc.gz" },
      { mime: "warc/revisit", ...none },
    ]);
  });

  test("finds originals outside the wanted time", async () => {
    const rows = await setUp({ captures }).json("url=example.com&resolveRevisits=true&from=20200103&filter=status:200");
    expect(rows.map((row) => row["orig.filename"])).toEqual(["first.warc.gz"]);
  });
});

describe("pages", () => {
  const captures = Array.from({ length: 2 * BLOCK_ROWS + 10 }, (_, index) =>
    at(String(20200101000000 + index), { status: index % 2 === 0 ? 200 : 404 }),
  );

  test("together are the answer, and their number is the one promised", async () => {
    const { ask, json } = setUp({ captures });
    expect((await ask("url=example.com&pageSize=1&showNumPages=true")).text).toBe(
      '{"pages": 3, "pageSize": 1, "blocks": 3}\n',
    );
    const pages = await Promise.all([0, 1, 2].map((page) => json(`url=example.com&pageSize=1&page=${page}`)));
    expect(pages.map((page) => page.length)).toEqual([BLOCK_ROWS, BLOCK_ROWS, 10]);
    expect(times(pages.flat())).toEqual(captures.map(({ timestamp }) => timestamp));
    await expect(ask("url=example.com&pageSize=1&page=3")).rejects.toThrow("page: beyond the last one");
  });

  test("are cut from the rows that match", async () => {
    const { ask, json } = setUp({ captures });
    expect((await ask("url=example.com&pageSize=1&filter==status:404&showNumPages=true")).text).toContain('"pages": 2');
    expect(await json("url=example.com&pageSize=1&page=1&filter==status:404")).toHaveLength(5);
  });

  test("are sorted in themselves", async () => {
    const { json } = setUp({ captures });
    const rows = await json("url=example.com&pageSize=1&page=1&sort=reverse&limit=2");
    expect(times(rows)).toEqual([2 * BLOCK_ROWS - 1, 2 * BLOCK_ROWS - 2].map((index) => captures[index]?.timestamp));
  });
});

describe("closest", () => {
  const seconds = [2, 4, 4, 4, 4, 4, 6, 6, 9];
  const captures = seconds.map((each, index) => at(`2020010100000${each}`, { filename: String(index) }));
  const NEAREST = ["1", "2", "3", "4", "5", "6", "7", "0", "8"];

  test.each(["example.com", "example.com/*"])("of equally near captures of %s the earlier come first", async (url) => {
    const { json } = setUp({ captures });
    for (let limit = 1; limit <= captures.length; limit += 1) {
      const rows = await json(`url=${url}&closest=20200101000005&limit=${limit}`);
      expect(rows.map((row) => row["filename"])).toEqual(NEAREST.slice(0, limit));
    }
  });
});

describe("bounds", () => {
  const captures = Array.from({ length: 500 }, (_, index) => at(String(20200101000000 + index)));

  test("no answer is longer than maxRows, whatever is asked for", async () => {
    for (const options of ["", "&limit=0", "&limit=400", "&sort=reverse", "&closest=2020", "&collapseTime=14"]) {
      expect(await setUp({ captures, maxRows: 40 }).json(`url=example.com${options}`)).toHaveLength(40);
    }
  });

  test("the nearest and the last captures are read from their end of the index", async () => {
    const { json, scans } = setUp({ captures });
    expect(times(await json("url=example.com&sort=reverse&limit=1"))).toEqual(["20200101000499"]);
    expect(times(await json("url=example.com&closest=20200101000250&limit=1"))).toEqual(["20200101000250"]);
    expect(scans).toMatchObject([
      { descending: true },
      { descending: true, timeTo: "20200101000250" },
      { descending: false, timeFrom: "20200101000250" },
    ]);
  });

  test("reading ends with the last row that is wanted", async () => {
    const read = { batches: 0 };
    const service = createCdxService({
      captures: {
        async *scan() {
          for (const capture of captures) {
            read.batches += 1;
            yield [capture];
          }
        },
      },
      scopeOf: (name) => ({ name, cutoff: undefined, exclude: [] }),
    });
    const params = new URLSearchParams("url=example.com&limit=7");
    const answer = await service.query("books", params, AbortSignal.timeout(20_000));
    expect((await text(answer.lines)).split("\n")).toHaveLength(8);
    expect(read.batches).toBe(7);
  });

  test("an aborted question ends, also in the middle of its filters", async () => {
    const long = [at("20200101000000", { url: `http://example.com/${"a".repeat(5_000)}` }), ...captures];
    const reason = new Error("the client went away");
    const { ask } = setUp({ captures: long });
    await expect(ask("url=example.com", AbortSignal.abort(reason))).rejects.toBe(reason);
    const controller = new AbortController();
    const asked = ask("url=example.com&filter=~url:nowhere", controller.signal);
    controller.abort(reason);
    await expect(asked).rejects.toBe(reason);
  });

  test("hostile questions are refused or answered", async () => {
    const { ask } = setUp({ captures });
    const filters = Array.from({ length: 1_000 }, () => "&filter=status:200").join("");
    await expect(ask(`url=example.com${filters}`)).rejects.toMatchObject({ code: "BAD_QUERY" });
    await expect(ask("url=example.com&filter=~url:(a")).rejects.toMatchObject({ code: "BAD_QUERY" });
    expect((await ask(`url=example.com/${"a".repeat(10_000)}`)).text).toBe("");
    expect((await ask("url=example.com&filter=~url:(.*)*Z")).text).toBe("");
    expect((await ask(`url=example.com&fields=${"__proto__,".repeat(9)}`)).text).toContain(" {}\n");
    await expect(ask(`url=example.com&fields=${"url,".repeat(1_000)}`)).rejects.toThrow("fields: at most 64");
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.constantFrom(...PARAMETERS), fc.string()), async (given) => {
        const failure = await ask(new URLSearchParams(given).toString()).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (failure !== undefined) expect(failure).toMatchObject({ name: "CdxError", code: "BAD_QUERY" });
      }),
    );
  });
});

const PARAMETERS = [
  ...["url", "matchType", "from", "to", "filter", "collapseTime", "closest", "sort", "limit"],
  ...["fields", "output", "page", "pageSize", "showNumPages", "resolveRevisits"],
];
