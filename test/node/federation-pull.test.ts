/** Pulling files: an archive that copies from another one, and from servers that do not keep to the rules. */
import { randomBytes } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { PolicyLine } from "../../node/src/sync/report.ts";
import { store } from "../testkit/archive-in-process.ts";
import {
  DEADLINE_MS,
  endAll,
  engineered,
  holder,
  line,
  listing,
  missingFor,
  OPEN,
  PEER,
  PUBLIC,
  puller,
  soon,
} from "../testkit/pulling-archive.ts";
import { sampleFile, sha256Of } from "../testkit/uploads.ts";

const MOST_BYTES = 65_536;

afterEach(endAll);

test("files come with their names, are found here, and nothing is written when nothing changes", async () => {
  const a = await holder();
  const files = ["one", "two", "three"].map((name) => sampleFile({ name, pages: 2 }));
  for (const [at, file] of files.entries()) await store(a.archive, "default", file.bytes, `${at}.warc.gz`);
  const b = await puller({ address: () => a.url });
  const held = files[0] as (typeof files)[number];
  await store(b.archive, "default", held.bytes, "own.warc.gz");
  expect(await line(b, (one) => one.held === 3)).toEqual({
    ...{ name: "copies", peer: PEER, collection: "default", wanted: 3, held: 3, missing: [] },
  });
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const copy = await b.archive.services.blobs.blob("default", files[1]?.sha256 ?? "", signal);
  expect(copy).toMatchObject({ filename: "1.warc.gz", captures: 2 });
  const params = new URLSearchParams({ url: files[2]?.urls[0] ?? "" });
  const { lines } = await b.archive.services.cdx.query("default", params, signal);
  let found = "";
  for await (const text of lines) found += text;
  expect(found).toContain(files[2]?.urls[0]);
  await b.archive.searchable(signal);
  expect(b.sync.policies()).toEqual({
    policies: [
      { name: "copies", targets: [{ peer: PEER, collection: "default", state: "Synced" }], targetsOmitted: 0 },
    ],
  });
  expect(await readdir(join(b.dir, "transfers"))).toEqual([]);
  const metrics = await b.registry.metrics();
  expect(metrics).toMatch(/archivestream_sync_blobs_total\{direction="received"\} [23]\n/);
  // What comes later comes too.
  const later = sampleFile({ name: "later", pages: 1 });
  await store(a.archive, "default", later.bytes);
  await line(b, (one) => one.held === 4);
  const wal = await stat(join(b.dir, "sync.db-wal"));
  const before = b.calls.made.length;
  await soon("three more looks", () => b.calls.made.length >= before + 6);
  expect((await stat(join(b.dir, "sync.db-wal"))).mtimeMs).toBe(wal.mtimeMs);
});

test("a transfer goes on where it was cut off, also after a restart, by a range", async () => {
  const { bytes, sha256: hash } = sampleFile({ name: "cut", pages: 3, padding: randomBytes(3_000_000) });
  const ranges: (string | undefined)[] = [];
  let isCut = true;
  const cutAt = 5 * 1024 ** 2;
  const url = await listing(hash, bytes.length, (response, range) => {
    ranges.push(range);
    const from = Number(/bytes=(\d+)-/.exec(range ?? "")?.[1] ?? 0);
    const head = { "content-length": String(bytes.length - from), etag: `"${hash}"` };
    const part = { ...head, "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
    response.writeHead(range === undefined ? 200 : 206, range === undefined ? head : part);
    if (!isCut) return response.end(bytes.subarray(from));
    response.write(bytes.subarray(from, cutAt), () => response.destroy());
    return undefined;
  });
  const first = await puller({ address: () => url });
  await line(first, missingFor("holder-offline"));
  const part = join(first.dir, "transfers", `${hash}.part`);
  const { size } = await stat(part);
  expect(size).toBeGreaterThan(0);
  isCut = false;
  const second = await first.again();
  await line(second, (one) => one.held === 1);
  expect([ranges[0], ranges.at(-1)]).toEqual([undefined, `bytes=${size}-`]);
  expect(await second.archive.services.blobs.blob("default", hash, AbortSignal.timeout(DEADLINE_MS))).toBeDefined();
});

const sample = sampleFile({ name: "sample", pages: 1 });

test.each([
  { name: "other bytes", reason: "corrupt", listed: sample.bytes.length, body: Buffer.alloc(sample.bytes.length, 7) },
  { name: "more than listed", reason: "corrupt", listed: 10, body: sample.bytes },
  { name: "less than listed", reason: "corrupt", listed: 1_000_000, body: sample.bytes },
  { name: "more than is taken", reason: "too-large", listed: 200_000_000, body: sample.bytes },
])("a peer that sends $name: $reason, and nothing of it stays", async ({ reason, listed, body }) => {
  const url = await listing(sample.sha256, listed, (response) => {
    response.writeHead(200, { "content-length": String(body.length) }).end(body);
  });
  const b = await puller({ address: () => url, limits: { uploadBytes: 100_000_000 } });
  expect(await line(b, missingFor(reason))).toMatchObject({
    ...{ wanted: 1, held: 0, missing: [{ hash: sample.sha256, reason }] },
  });
  expect(b.sync.policies().policies[0]?.targets[0]).toMatchObject({ state: "Incomplete", reason });
  expect(await readdir(join(b.dir, "transfers"))).toEqual([]);
  expect(await b.registry.metrics()).toContain(`archivestream_sync_missing_files{reason="${reason}"} 1`);
});

test("what is no archive is said once and not fetched again", async () => {
  const bytes = Buffer.from("no archive at all ".repeat(100));
  const hash = sha256Of(bytes);
  let asked = 0;
  const url = await listing(hash, bytes.length, (response) => {
    asked += 1;
    response.writeHead(200, { "content-length": String(bytes.length) }).end(bytes);
  });
  const b = await puller({ address: () => url });
  await line(b, missingFor("not-an-archive"));
  const before = b.calls.made.length;
  await soon("more looks", () => b.calls.made.length >= before + 4);
  expect(asked).toBe(1);
});

test.each([
  [404, "no-holder"],
  [403, "refused"],
  [500, "failed"],
] as const)("a peer that answers %i for a file that it lists: %s", async (status, reason) => {
  const url = await listing(sample.sha256, sample.bytes.length, (response) => response.writeHead(status).end());
  expect((await line(await puller({ address: () => url }), missingFor(reason))).missing).toHaveLength(1);
});

test("no copy lands in a collection with wider access than the peer's", async () => {
  const a = await holder([
    { name: "default", access: "Federation", ...OPEN },
    { name: "hidden", access: "Private", ...OPEN },
    { name: "narrow", access: "Public", ...OPEN },
  ]);
  for (const name of ["default", "hidden", "narrow"]) await store(a.archive, name, sample.bytes);
  const b = await puller({
    address: () => a.url,
    collections: [
      ...PUBLIC,
      { name: "hidden", access: "Public", ...OPEN },
      { name: "narrow", access: "Private", ...OPEN },
    ],
  });
  const held = (one: PolicyLine) => one.collection === "narrow" && one.held === 1;
  await line(b, held);
  await line(b, missingFor("access-wider"));
  // What the peer does not show is no matter of a policy that takes what both have.
  expect((await b.sync.list()).map(({ collection }) => collection)).toEqual(["default", "narrow"]);
  expect(b.calls.made.filter((call) => call.startsWith("GET /blob"))).toHaveLength(1);
});

test("a peer that is away is waited for; one that made its list anew is read from the beginning", async () => {
  let address: string | undefined;
  const b = await puller({ address: () => address });
  await soon("the failure", () => b.sync.policies().policies[0]?.targets[0]?.state === "Failed");
  expect(await b.sync.list()).toMatchObject([{ wanted: null, held: null, missing: [] }]);
  const a = await holder();
  await store(a.archive, "default", sample.bytes);
  address = a.url;
  await line(b, (one) => one.held === 1);
  const other = await holder();
  const more = sampleFile({ name: "more", pages: 1 });
  for (const { bytes } of [sample, more]) await store(other.archive, "default", bytes);
  address = other.url;
  expect(await line(b, (one) => one.held === 2)).toMatchObject({ wanted: 2, missing: [] });
});

test("what was withdrawn here is not copied again, and what a peer withdrew is not waited for", async () => {
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const [here, there] = [sampleFile({ name: "here", pages: 1 }), sampleFile({ name: "there", pages: 1 })];
  const a = await holder();
  for (const { bytes } of [sample, here]) await store(a.archive, "default", bytes);
  let address: string | undefined = a.url;
  const b = await puller({ address: () => address, limits: { uploadBytes: MOST_BYTES } });
  await line(b, (one) => one.held === 2);
  expect(await b.archive.services.withdrawals.withdraw("default", here.sha256, signal)).toMatchObject({
    isTextOut: true,
  });
  // A list that is read from its beginning names it again.
  const other = await holder();
  for (const { bytes } of [here, sample, there]) await store(other.archive, "default", bytes);
  address = other.url;
  expect(await line(b, (one) => one.held === 2)).toMatchObject({ wanted: 2, missing: [] });
  expect(await b.archive.services.blobs.blob("default", here.sha256, signal)).toBeUndefined();
  expect(await readdir(join(b.dir, "transfers"))).toEqual([]);
  // A file that this archive does not take.
  const large = sampleFile({ name: "large", pages: 1, padding: randomBytes(MOST_BYTES) });
  await store(other.archive, "default", large.bytes);
  await line(b, missingFor("too-large"));
  for (const { sha256 } of [large, there]) {
    await other.archive.services.withdrawals.withdraw("default", sha256, signal);
  }
  await line(b, (one) => one.missing.length === 0);
  // Nobody removes files of others.
  expect(await b.archive.services.blobs.blob("default", there.sha256, signal)).toMatchObject({ hash: there.sha256 });
});

test("a withdrawal is a line of the list, in its place; one of a file that came again is not", async () => {
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const { archive } = await holder();
  const files = ["a", "b", "c"].map((name) => sampleFile({ name, pages: 1 }));
  for (const { bytes } of files) await store(archive, "default", bytes);
  const { withdrawals, holdings } = archive.services;
  const [first = "", second = "", third = ""] = files.map(({ sha256 }) => sha256);
  for (const hash of [third, first]) await withdrawals.withdraw("default", hash, signal);
  const told = async (after: number, limit: number) => {
    const page = await holdings.changes("default", { after, limit }, signal);
    if (page.blobs === undefined) return undefined;
    const lines = [...page.blobs, ...page.withdrawn].map(({ sequence, hash }) => [sequence, hash]);
    return [lines, page.next, page.more];
  };
  expect(await told(0, 10)).toEqual([
    [
      [2, second],
      [4, third],
      [5, first],
    ],
    5,
    false,
  ]);
  expect(await told(0, 2)).toEqual([
    [
      [2, second],
      [4, third],
    ],
    4,
    true,
  ]);
  expect(await told(4, 2)).toEqual([[[5, first]], 5, false]);
  // The place of a reader is good although the last files are gone.
  expect(await told(5, 2)).toEqual([[], 5, false]);
  expect(await told(6, 2)).toBeUndefined();
  await store(archive, "default", files[0]?.bytes ?? Buffer.alloc(0), undefined, { again: true });
  expect(await told(4, 2)).toEqual([[[6, first]], 6, false]);
});

test("a peer without lists offers hashes; they are fetched only where a policy names it", async () => {
  const url = await engineered((path, response) => {
    if (path === `/blob/${sample.sha256}`) response.writeHead(200).end(sample.bytes);
    else response.writeHead(404).end();
  });
  const b = await puller({ address: () => url });
  const signal = AbortSignal.timeout(DEADLINE_MS);
  await soon("the target", () => b.sync.policies().policies[0]?.targets[0]?.state === "Synced");
  const offer = (peer: string) => b.sync.offered(peer, { collection: "default", hashes: [sample.sha256] }, signal);
  expect(await offer("c".repeat(64))).toEqual([]);
  expect(await offer(PEER)).toEqual([sample.sha256]);
  await line(b, (one) => one.held === 1);
  expect(await offer(PEER)).toEqual([]);
});

test.each(["not a schedule", "0 0 30 2 *"])(
  "a policy that never runs says so, and takes no offer: %s",
  async (schedule) => {
    const b = await puller({ address: () => undefined, policies: [{ name: "copies", schedule }] });
    await soon("the target", () => b.sync.policies().policies[0]?.targets.length === 1);
    expect(b.sync.policies().policies[0]?.targets).toEqual([
      { peer: PEER, collection: "default", state: "Failed", reason: "bad-schedule" },
    ]);
    const offer = { collection: "default", hashes: [sample.sha256] };
    expect(await b.sync.offered(PEER, offer, AbortSignal.timeout(DEADLINE_MS))).toEqual([]);
    expect(b.calls.made).toEqual([]);
  },
);

test("without a policy there is no thread, no file and no call", async () => {
  const b = await puller({ address: () => undefined, policies: [] });
  expect([b.calls.made, await readdir(b.dir)]).toEqual([[], expect.not.arrayContaining(["sync.db", "transfers"])]);
  expect([b.sync.policies(), await b.sync.list()]).toEqual([{ policies: [] }, []]);
});
