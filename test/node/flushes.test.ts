/** What must be on the disk before an upload is answered, seen in the calls that a node makes: a kill alone keeps the cache. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { startArchiveNode } from "../testkit/archive-node-process.ts";
import { possible } from "../testkit/no-hard-links.ts";
import { type SystemCalls, systemCalls } from "../testkit/system-calls.ts";
import { tempDir } from "../testkit/temp-dir.ts";
import { NodeArchive, sampleFile, sha256Of } from "../testkit/uploads.ts";
import { pageRecord } from "../testkit/warc-builder.ts";

await using probe = await tempDir("compiler");
const compiled = test.skipIf(!possible(() => systemCalls(probe.path)));

/** Two files whose places are in the same folder. */
function neighbours(): readonly [Buffer, Buffer] {
  const seen = new Map<string, Buffer>();
  for (let n = 0; ; n += 1) {
    const bytes = pageRecord(`http://neighbours.example.org/${n}`);
    const folder = sha256Of(bytes).slice(0, 4);
    const other = seen.get(folder);
    if (other !== undefined) return [other, bytes];
    seen.set(folder, bytes);
  }
}

/** SQLite flushes a new log twice, and the folder between; the node writes its peer record when its listener is up. */
function isOther(call: string): boolean {
  return call.includes("fulltext.db") || call.includes("peer-record.json");
}

/** Calls made while a file is stored, or something else is done; paths below the data folder. */
async function callsOf(
  dataDir: string,
  calls: SystemCalls,
  bytes: Buffer,
  act = async (archive: NodeArchive) => (await archive.upload(bytes)).status,
  status = 201,
): Promise<readonly string[]> {
  await using node = await startArchiveNode({ dataDir, env: calls.env });
  await using archive = new NodeArchive(node);
  const before = (await calls.done()).length;
  expect(await act(archive)).toBe(status);
  const made = (await calls.done()).slice(before).map((call) => call.replace(`${dataDir}/`, ""));
  const ours = made.filter((call) => !isOther(call) && call !== `flush ${dataDir}`);
  return ours.filter((call, index) => call !== ours[index - 1]);
}

function expectedCalls(bytes: Buffer) {
  const hash = sha256Of(bytes);
  const [first, second] = [`blobs/sha256/${hash.slice(0, 2)}`, hash.slice(2, 4)];
  return [
    expect.stringMatching(/^flush incoming\/[0-9a-f-]+\.part$/) as string,
    expect.stringContaining(`rename incoming/${hash}.`) as string,
    ...[`rename ${first}/${second}/${hash}`, `flush ${first}/${second}`, `flush ${first}`, "flush blobs/sha256"],
    ...["flush journal.ndjson", "flush catalog.db-wal"],
  ];
}

compiled(
  "bytes, their name, every folder above, journal and catalog are flushed in this order before the answer",
  async () => {
    await using dir = await tempDir("flushes");
    const dataDir = join(dir.path, "data");
    const calls = systemCalls(dir.path);
    const [first, second] = neighbours();
    expect(await callsOf(dataDir, calls, first)).toEqual(expectedCalls(first));
    const start = (await calls.done()).map((call) => call.replace(dataDir, "DATA"));
    expect(start).toEqual(expect.arrayContaining(["flush DATA", "flush DATA/blobs"]));
    // The folder is there; whether whoever made it lived to flush its name, nobody knows.
    const again = await callsOf(dataDir, calls, second);
    expect(again.filter((call) => call !== "flush catalog.db")).toEqual(expectedCalls(second));
    const hash = sha256Of(first);
    const withdraw = async (archive: NodeArchive) => (await archive.withdraw(hash)).status;
    const gone = await callsOf(dataDir, calls, first, withdraw, 204);
    // The note by which a start finds bytes that have to go, what says so, and the name that is no more.
    expect(gone.filter((call) => call !== "flush catalog.db")).toEqual([
      ...["flush incoming", "flush journal.ndjson", "flush catalog.db-wal"],
      `flush blobs/sha256/${hash.slice(0, 2)}/${hash.slice(2, 4)}`,
    ]);
  },
);

compiled("a volume whose folders cannot be flushed is used all the same", async () => {
  await using dir = await tempDir("unflushed");
  const calls = systemCalls(dir.path, { refuseFolders: true });
  await using node = await startArchiveNode({ dataDir: join(dir.path, "data"), env: calls.env });
  await using archive = new NodeArchive(node);
  expect((await archive.upload(sampleFile({ name: "kept", pages: 1 }).bytes)).status).toBe(201);
});

compiled("a stored file that the volume cannot read is named, and reads of others go on", async () => {
  await using dir = await tempDir("failing");
  const calls = systemCalls(dir.path);
  await using node = await startArchiveNode({ dataDir: join(dir.path, "data"), env: calls.env });
  await using archive = new NodeArchive(node);
  const file = sampleFile({ name: "unread", pages: 1 });
  expect((await archive.upload(file.bytes)).status).toBe(201);
  await archive.searchable(file.sha256);
  const capture = `/default/2026id_/${file.urls[0] ?? ""}`;
  const paths = [capture, `/api/v1/collections/default/warcs/${file.sha256}/content`];
  await calls.failReads(true);
  for (const path of paths) {
    const answer = await archive.get(path);
    expect(answer).toMatchObject({ status: 503, json: { code: "storage-unavailable" } });
    expect(answer.text).toMatch(new RegExp(`${file.sha256} at byte \\d+`));
  }
  expect(await archive.cdx(file.urls[0] ?? "")).toHaveLength(1);
  await calls.failReads(false);
  for (const path of paths) expect((await archive.get(path)).status).toBe(200);
});
