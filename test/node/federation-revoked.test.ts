/** A peer that is blocked while a large file goes over: by whoever has the file, then by whoever wants it. */
import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import {
  COPYING_MS,
  copied,
  endNodes,
  type Place,
  pair,
  partSize,
  policyRow,
  under,
  upload,
} from "../testkit/copying-nodes.ts";
import { type PacedProxy, pacedProxy } from "../testkit/paced-proxy.ts";
import { DEFAULT_COLLECTION, NodeArchive, type SampleFile, sampleFile } from "../testkit/uploads.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const MIB = 1024 ** 2;
const PAGES = 12;
const PADDING_BYTES = 4 * MIB;
const SLOWLY = MIB;
const STEP_BYTES = 2 * MIB;

afterEach(endNodes);

interface Parties {
  readonly b: Place;
  readonly proxy: PacedProxy;
  readonly file: SampleFile;
}

/** Blocks in the middle of the transfer, and gives how many bytes of the file are there afterwards. */
async function blocked({ b, proxy, file }: Parties, by: Place, other: string): Promise<number> {
  const hash = file.sha256;
  await by.ask("peer-block", { nodeId: other });
  await waitUntil("the end of the connection", () => proxy.carrying(MIB) === 0, { deadlineMs: COPYING_MS });
  const row = await policyRow(b, "the refusal", ({ missing }) => missing[0]?.reason === "refused");
  expect(row).toMatchObject({ wanted: 1, held: 0, missing: [{ hash, reason: "refused" }] });
  expect(await b.metric('archivestream_sync_missing_files{reason="refused"}')).toBe(1);
  const kept = await partSize(b, hash);
  expect(kept).toBeLessThan(file.bytes.length);
  await using archive = new NodeArchive(b.node);
  expect((await archive.get(`/api/v1/collections/${DEFAULT_COLLECTION}/warcs/${hash}`)).status).toBe(404);
  expect(await archive.cdx(file.urls[0] ?? "")).toEqual([]);
  expect(await readdir(join(b.dataDir, "transfers"))).toEqual([`${hash}.part`]);
  return kept;
}

test("a peer that is blocked in the middle of a transfer gets and gives no more; once approved, it goes on where it was", async () => {
  let port = 0;
  await using proxy = await pacedProxy(() => port, SLOWLY);
  const { a, b } = await pair(({ node }) => {
    port = Number(new URL(node.url).port);
    return `https://127.0.0.1:${proxy.port}`;
  });
  const file = sampleFile({ name: "revoked", pages: PAGES, padding: randomBytes(PADDING_BYTES) });
  await upload(a, file, "large.warc.gz");
  await b.command("policy", "add", "copies", "--peer", a.node.nodeId, "--interval", "1s");
  await under(b, file.sha256, STEP_BYTES);
  const first = await blocked({ b, proxy, file }, a, b.node.nodeId);
  await a.ask("peer-approve", { nodeId: b.node.nodeId });
  await under(b, file.sha256, first + STEP_BYTES);
  const second = await blocked({ b, proxy, file }, b, a.node.nodeId);
  expect(second).toBeGreaterThan(first);
  proxy.pace(Number.POSITIVE_INFINITY);
  await b.ask("peer-approve", { nodeId: a.node.nodeId });
  await copied(b, 1);
  // No byte of it came twice.
  expect(await b.receivedBytes()).toBe(file.bytes.length);
  expect(await b.metric('archivestream_sync_missing_files{reason="refused"}')).toBe(0);
  await using archive = new NodeArchive(b.node);
  expect(await archive.cdx(file.urls.at(-1) ?? "")).toHaveLength(1);
  expect(await readdir(join(b.dataDir, "transfers"))).toEqual([]);
});
