/** What every index of captures must do, whatever it keeps its rows in. Call it from the test of an implementation. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { CaptureIndex } from "../../node/src/cdx/capture-index.ts";
import type { CaptureRange } from "../../node/src/cdx/stored-capture.ts";
import type { CaptureRow } from "../../node/src/warc/record.ts";

export interface CaptureIndexUnderTest extends AsyncDisposable {
  readonly index: Pick<CaptureIndex, "open" | "commit" | "read" | "scan" | "close">;
  /** A folder for spools. */
  readonly folder: string;
  /** Closes it and opens the same place, as after a restart. */
  readonly reopen: () => Promise<CaptureIndexUnderTest["index"]>;
}

type Index = CaptureIndexUnderTest["index"];

const signal = AbortSignal.timeout(600_000);
const hashOf = (n: number): string => n.toString(16).padStart(64, "0");

function row(urlkey: string, timestamp: string, offset = 0): CaptureRow {
  return {
    ...{ urlkey, timestamp, url: `http://${urlkey}`, mime: "text/html", status: 200, digest: "sha1:A" },
    ...{ place: { offset, length: 10, skip: 0 }, type: "response", method: undefined, requestBody: undefined },
    redirect: undefined,
  };
}

interface Put {
  readonly file: number;
  readonly collection?: string;
  readonly rows: readonly CaptureRow[];
  readonly receivedAt?: string;
}

async function put({ index, folder }: { readonly index: Index; readonly folder: string }, file: Put) {
  const { collection = "web", rows, receivedAt = "2026-01-02T03:04:05Z" } = file;
  const spool = join(folder, `${file.file}-${collection}.spool`);
  await writeFile(spool, rows.map((each) => `${JSON.stringify(each)}\n`).join(""));
  return index.commit({
    entry: { collection, hash: hashOf(file.file), filename: `${file.file}.warc.gz`, size: 100, receivedAt },
    reading: {
      format: "warc",
      compression: "gzip",
      records: rows.length,
      damaged: [],
      digests: undefined,
      reason: undefined,
    },
    ...{ spool, captures: rows.length, journalEnd: undefined },
  });
}

const ALL: CaptureRange = {
  keyFrom: "",
  keyTo: "\u{10ffff}",
  timeFrom: undefined,
  timeTo: undefined,
  descending: false,
};

async function scanned(
  index: Index,
  range: Partial<CaptureRange> = {},
  collection = "web",
): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const batch of index.scan(collection, { ...ALL, ...range }, signal)) {
    for (const { urlkey, timestamp, place } of batch) found.push(`${urlkey} ${timestamp} ${place.offset}`);
  }
  return found;
}

export function captureIndexCompliance(name: string, make: () => Promise<CaptureIndexUnderTest>): void {
  test(`${name}: what is committed is seen at once, whole, and after a restart`, async () => {
    await using made = await make();
    expect(await made.index.read("lastSequence", undefined as never, signal)).toBe(0);
    const committed = await put(made, {
      file: 1,
      rows: [row("org,a)/", "20200101000000"), row("org,b)/", "20200101000000")],
    });
    expect(committed.created).toBe(true);
    const check = async (index: Index) => {
      expect(await scanned(index)).toEqual(["org,a)/ 20200101000000 0", "org,b)/ 20200101000000 0"]);
      expect(await index.read("blob", { collection: "web", hash: hashOf(1) }, signal)).toMatchObject({
        ...{
          sequence: committed.sequence,
          collection: "web",
          filename: "1.warc.gz",
          captures: 2,
          digests: undefined,
          reason: undefined,
        },
      });
      expect(await index.read("holds", hashOf(1), signal)).toBe(true);
      expect(await index.read("holds", hashOf(2), signal)).toBe(false);
      expect(await index.read("lastSequence", undefined as never, signal)).toBe(committed.sequence);
      expect(await index.read("count", undefined as never, signal)).toEqual({ blobs: 1, captures: 2 });
    };
    await check(made.index);
    await check(await made.reopen());
  });

  test(`${name}: captures come by bytes of the key, then time, then as stored; backwards, the other way round`, async () => {
    await using made = await make();
    const rows = [
      ...[
        row("org,b)/", "20200101000000", 1),
        row("org,a)/z", "20200101000000", 2),
        row("org,a)/Z", "20200101000000", 3),
      ],
      ...[
        row("org,a)/é", "20200101000000", 4),
        row("org,a)/z", "20190101000000", 5),
        row("org,a)/z", "20200101000000", 6),
      ],
    ];
    await put(made, { file: 1, rows });
    const expected = [
      ...["org,a)/Z 20200101000000 3", "org,a)/z 20190101000000 5", "org,a)/z 20200101000000 2"],
      ...["org,a)/z 20200101000000 6", "org,a)/é 20200101000000 4", "org,b)/ 20200101000000 1"],
    ];
    expect(await scanned(made.index)).toEqual(expected);
    expect(await scanned(made.index, { descending: true })).toEqual(expected.toReversed());
  });

  test(`${name}: ranges take the first key, leave out the last, and include both times`, async () => {
    await using made = await make();
    const keys = ["org,a)/", "org,b)/", "org,c)/"];
    const years = ["2018", "2019", "2020"].map((year) => `${year}0101000000`);
    await put(made, { file: 1, rows: keys.flatMap((key) => years.map((time) => row(key, time))) });
    expect(await scanned(made.index, { keyFrom: "org,b)/", keyTo: "org,c)/" })).toHaveLength(3);
    expect(await scanned(made.index, { keyFrom: "org,b)/", keyTo: undefined })).toHaveLength(3);
    const bounded = { keyFrom: "org,b)/", keyTo: undefined, timeFrom: "20190101000000", timeTo: "20200101000000" };
    expect(await scanned(made.index, bounded)).toEqual(["org,b)/ 20190101000000 0", "org,b)/ 20200101000000 0"]);
    expect(await scanned(made.index, { ...bounded, timeFrom: "20190101000001" })).toHaveLength(1);
    expect(await scanned(made.index, {}, "nothing")).toEqual([]);
  });

  test(`${name}: a file is once in a collection, and in as many collections as it was sent to`, async () => {
    await using made = await make();
    const rows = [row("org,a)/", "20200101000000")];
    const first = await put(made, { file: 1, rows });
    expect(await put(made, { file: 1, rows })).toEqual({ sequence: first.sequence, created: false });
    expect(await put(made, { file: 1, collection: "other", rows })).toMatchObject({ created: true });
    expect([await scanned(made.index), await scanned(made.index, {}, "other")].map((list) => list.length)).toEqual([
      1, 1,
    ]);
    expect(await made.index.read("blob", { collection: "third", hash: hashOf(1) }, signal)).toBeUndefined();
  });

  test(`${name}: files are ordered by commit, though the clock jumps back between them`, async () => {
    await using made = await make();
    const times = ["2026-01-02T00:00:00Z", "2020-01-01T00:00:00Z", "2026-01-01T00:00:00Z"];
    for (const [n, receivedAt] of times.entries()) await put(made, { file: n, rows: [], receivedAt });
    const newest = await made.index.read("blobs", { collection: "web", before: undefined, limit: 10 }, signal);
    expect(newest.map(({ receivedAt }) => receivedAt)).toEqual(times.toReversed());
    const oldest = await made.index.read("blobsAfter", { sequence: 0, limit: 10 }, signal);
    expect(oldest.map(({ hash }) => hash)).toEqual([hashOf(0), hashOf(1), hashOf(2)]);
    const second = await made.index.read("blobs", { collection: "web", before: newest[0]?.sequence, limit: 1 }, signal);
    expect(second.map(({ hash }) => hash)).toEqual([hashOf(1)]);
  });

  test(`${name}: a scan over thousands of rows brings each once, while others are committed`, async () => {
    await using made = await make();
    const rows = Array.from({ length: 3_000 }, (_none, n) =>
      row(`org,a)/${String(n).padStart(5, "0")}`, "20200101000000", n),
    );
    await put(made, { file: 1, rows });
    const seen: number[] = [];
    let file = 2;
    for await (const batch of made.index.scan("web", ALL, signal)) {
      seen.push(...batch.map(({ place }) => place.offset));
      // Before what was read already: it must not shift what comes.
      await put(made, { file, rows: [row("org,a)/", "20200101000000", 10_000)] });
      file += 1;
    }
    expect(seen).toEqual(rows.map((_row, n) => n));
    const stored = await made.index.read("blobCaptures", { sequence: 1, skip: 2_990, limit: 100 }, signal);
    expect(stored.map(({ place }) => place.offset)).toEqual([
      2990, 2991, 2992, 2993, 2994, 2995, 2996, 2997, 2998, 2999,
    ]);
  });

  test(`${name}: a commit that fails leaves nothing, and the next one works`, async () => {
    await using made = await make();
    const spool = join(made.folder, "broken.spool");
    await writeFile(spool, `${JSON.stringify(row("org,a)/", "20200101000000"))}\n{"urlkey": broken}\n`);
    const broken = {
      entry: { collection: "web", hash: hashOf(9), filename: undefined, size: 1, receivedAt: "2026-01-02T03:04:05Z" },
      reading: { format: "warc", compression: "none", records: 2, damaged: [], digests: undefined, reason: undefined },
      ...{ spool, captures: 2, journalEnd: undefined },
    } as const;
    await expect(made.index.commit(broken)).rejects.toThrow();
    expect([await scanned(made.index), await made.index.read("holds", hashOf(9), signal)]).toEqual([[], false]);
    await put(made, { file: 9, rows: [row("org,b)/", "20200101000000")] });
    expect(await scanned(await made.reopen())).toEqual(["org,b)/ 20200101000000 0"]);
  });

  test(`${name}: a question that was given up is not answered`, async () => {
    await using made = await make();
    await expect(made.index.read("count", undefined as never, AbortSignal.abort(new Error("gone")))).rejects.toThrow(
      "gone",
    );
  });
}
