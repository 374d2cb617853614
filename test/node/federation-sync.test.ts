/** Copying between real nodes over real connections, whichever of them is killed in the middle. */
import { randomBytes, randomInt } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { copied, endNodes, pair, partSize, under, upload } from "../testkit/copying-nodes.ts";
import { NodeArchive, sampleFile } from "../testkit/uploads.ts";

/** A transfer of this takes long enough to be cut in its middle. */
const LARGE_PAGES = 24;
const LARGE_PADDING_BYTES = 4 * 1024 ** 2;

afterEach(endNodes);

const large = (name: string) => sampleFile({ name, pages: LARGE_PAGES, padding: randomBytes(LARGE_PADDING_BYTES) });

test("two private nodes that added each other: files of one come to the other, with their names, and are found there", async () => {
  const { a, b } = await pair();
  const files = ["one", "two"].map((name) => sampleFile({ name, pages: 3 }));
  for (const [at, file] of files.entries()) await upload(a, file, `${at}.warc.gz`);
  await b.command("policy", "add", "copies", "--peer", a.node.nodeId, "--collection", "default", "--interval", "1s");
  expect(await copied(b, 2)).toEqual({
    ...{ name: "copies", peer: a.node.nodeId, collection: "default", wanted: 2, held: 2, missing: [] },
  });
  const bytes = files.reduce((sum, file) => sum + file.bytes.length, 0);
  for (const [node, direction, other] of [
    [a, "sent", "received"],
    [b, "received", "sent"],
  ] as const) {
    const of = (what: "blobs" | "bytes", which: string) =>
      node.metric(`archivestream_sync_${what}_total{direction="${which}"}`);
    expect([await of("blobs", direction), await of("bytes", direction)]).toEqual([2, bytes]);
    expect([await of("blobs", other), await of("bytes", other)]).toEqual([0, 0]);
  }
  await using archive = new NodeArchive(b.node);
  for (const [at, { sha256, urls, word, bytes }] of files.entries()) {
    const info = await archive.get(`/api/v1/collections/default/warcs/${sha256}`);
    expect(info.json).toMatchObject({ filename: `${at}.warc.gz`, size: bytes.length });
    expect(await archive.cdx(urls[0] ?? "")).toHaveLength(1);
    await archive.searchable(sha256);
    expect(await archive.search(word)).toContain(urls[0]);
  }
});

test("whichever node is killed in the middle of a transfer, it goes on where it was, and nothing is lost", async () => {
  const { a, b } = await pair();
  const file = large("killed");
  await upload(a, file, "large.warc.gz");
  await b.command("policy", "add", "copies", "--peer", a.node.nodeId, "--interval", "1s");
  // The receiver, then the sender, each at a moment nobody chose.
  const first = await under(b, file.sha256, randomInt(1, file.bytes.length >> 2));
  await b.kill();
  const kept = await partSize(b, file.sha256);
  await b.start();
  const second = await under(b, file.sha256, kept + randomInt(1, file.bytes.length >> 2));
  await a.kill();
  await a.start();
  await copied(b, 1);
  // Less than all of it since the restart: the rest was there before.
  expect([first > 1, second > 1, kept > 0]).toEqual([true, true, true]);
  expect(await b.receivedBytes()).toBe(file.bytes.length - kept);
  await using archive = new NodeArchive(b.node);
  expect((await archive.cdx(file.urls.at(-1) ?? "")).length).toBe(1);
  expect(await readdir(join(b.dataDir, "transfers"))).toEqual([]);
});
