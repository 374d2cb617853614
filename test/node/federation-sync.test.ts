/** Copying between real nodes over real connections, whichever of them is killed in the middle. */
import { randomBytes, randomInt } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { PolicyRow } from "../../node/src/control/reports.ts";
import { type ArchiveNodeProcess, startArchiveNode } from "../testkit/archive-node-process.ts";
import { freePort } from "../testkit/free-port.ts";
import { nodeCommandJson, runNodeCommand } from "../testkit/node-command.ts";
import { tempDir } from "../testkit/temp-dir.ts";
import { DEFAULT_COLLECTION, NodeArchive, type SampleFile, sampleFile } from "../testkit/uploads.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const DEADLINE_MS = 120_000;
/** A transfer of this takes long enough to be cut in its middle. */
const LARGE_PAGES = 24;
const LARGE_PADDING_BYTES = 4 * 1024 ** 2;

const ended: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

/** A node on a folder and a port that outlive it. */
class Place {
  readonly dataDir: string;
  readonly #port: number;
  #node: ArchiveNodeProcess | undefined;

  constructor(dataDir: string, port: number) {
    this.dataDir = dataDir;
    this.#port = port;
  }

  get node(): ArchiveNodeProcess {
    if (this.#node === undefined) throw new Error("the node does not run");
    return this.#node;
  }

  async start(): Promise<ArchiveNodeProcess> {
    this.#node = await startArchiveNode({ dataDir: this.dataDir, port: this.#port, metrics: true });
    return this.#node;
  }

  async kill(): Promise<void> {
    await this.node.kill();
    this.#node = undefined;
  }

  async end(): Promise<void> {
    await this.#node?.stop();
  }

  /** Bytes that came from peers since it started. */
  async receivedBytes(): Promise<number> {
    const text = await (await fetch(`${this.node.metricsUrl}/metrics`)).text();
    return Number(/^archivestream_sync_bytes_total\{direction="received"\} (\S+)$/m.exec(text)?.[1] ?? 0);
  }

  async command(...args: readonly string[]): Promise<void> {
    const { exitCode, stderr } = await runNodeCommand(...args, "--data", this.dataDir);
    if (exitCode !== 0) throw new Error(`${args.join(" ")}: ${stderr}`);
  }
}

async function place(): Promise<Place> {
  const dir = await tempDir("federation-sync");
  const made = new Place(dir.path, await freePort());
  ended.push(() => dir.remove());
  await made.start();
  ended.push(() => made.end());
  return made;
}

/** Two private nodes that added each other. */
async function pair() {
  const [a, b] = [await place(), await place()];
  for (const [here, there] of [
    [a, b],
    [b, a],
  ] as const) {
    await here.command("peer", "add", there.node.url, "--node-id", there.node.nodeId);
  }
  return { a, b };
}

async function upload(at: Place, file: SampleFile, name: string): Promise<void> {
  await using archive = new NodeArchive(at.node);
  expect((await archive.upload(file.bytes, DEFAULT_COLLECTION, `?filename=${name}`)).status).toBe(201);
}

const large = (name: string) => sampleFile({ name, pages: LARGE_PAGES, padding: randomBytes(LARGE_PADDING_BYTES) });

async function copied(b: Place, count: number): Promise<PolicyRow> {
  let seen: readonly PolicyRow[] = [];
  const look = async () => {
    seen = await nodeCommandJson<readonly PolicyRow[]>("policy", "list", "--data", b.dataDir);
    return seen.find((row) => row.held === count);
  };
  const options = { deadlineMs: DEADLINE_MS, everyMs: 200 };
  return waitUntil(`${count} files to be held`, look, options).catch((error: unknown) => {
    throw new Error(`${JSON.stringify(seen)}\n${b.node.log().slice(-3_000)}`, { cause: error });
  });
}

function partSize(b: Place, hash: string): Promise<number> {
  return stat(join(b.dataDir, "transfers", `${hash}.part`)).then(
    ({ size }) => size,
    () => 0,
  );
}

/** Waits until more than so many bytes of a file came, or all of it did. */
async function under(b: Place, hash: string, bytes: number): Promise<number> {
  return waitUntil("the transfer", async () => (await partSize(b, hash)) || undefined, {
    ...{ deadlineMs: DEADLINE_MS, everyMs: 2 },
  }).then(() =>
    waitUntil(
      "its middle",
      async () => {
        const size = await partSize(b, hash);
        return size >= bytes || size === 0 ? Math.max(size, 1) : undefined;
      },
      { deadlineMs: DEADLINE_MS, everyMs: 2 },
    ),
  );
}

test("two private nodes that added each other: files of one come to the other, with their names, and are found there", async () => {
  const { a, b } = await pair();
  const files = ["one", "two"].map((name) => sampleFile({ name, pages: 3 }));
  for (const [at, file] of files.entries()) await upload(a, file, `${at}.warc.gz`);
  await b.command("policy", "add", "copies", "--peer", a.node.nodeId, "--collection", "default", "--interval", "1s");
  expect(await copied(b, 2)).toEqual({
    ...{ name: "copies", peer: a.node.nodeId, collection: "default", wanted: 2, held: 2, missing: [] },
  });
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
