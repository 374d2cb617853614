/**
 * Large files from node to node over TLS on this machine: `curl` of a file, the fetching that nodes do of the same file by
 * itself, and then a second node that a policy tells to copy all of them.
 */
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { promisify } from "node:util";
import { Agent, request } from "undici";
import type { PeerCalls } from "../../../node/src/peers/peer-calls.ts";
import { fetchFile } from "../../../node/src/sync/transfer.ts";
import { type ArchiveNodeProcess, startArchiveNode } from "../../testkit/archive-node-process.ts";
import { runNodeCommand } from "../../testkit/node-command.ts";
import { tempDir } from "../../testkit/temp-dir.ts";
import { DEFAULT_COLLECTION, NodeArchive } from "../../testkit/uploads.ts";
import { waitUntil } from "../../testkit/wait-until.ts";
import { httpResponse, warcinfo, warcRecord } from "../../testkit/warc-builder.ts";
import { table } from "../table.ts";

const FILE_BYTES = Number(process.env["BENCH_BLOB_BYTES"] ?? 128 * 1024 ** 2);
const RECORD_BYTES = 4 * 1024 ** 2;
const ROUNDS = Number(process.env["BENCH_BLOB_ROUNDS"] ?? 3);
const RUN_MS = 600_000;
const MEBIBYTE = 1_024 ** 2;

interface Blob {
  readonly hash: string;
  readonly size: number;
}

/** A WARC file of large records that nothing can compress, piece by piece. */
function* pieces(): Generator<Buffer, void> {
  yield warcinfo();
  const body = randomBytes(RECORD_BYTES);
  const fields = { headers: { "Content-Type": "application/octet-stream" }, body };
  for (let at = 0, bytes = 0; bytes < FILE_BYTES; at += 1, bytes += RECORD_BYTES) {
    yield warcRecord({ uri: `https://large.example.org/${at}`, block: httpResponse(fields), digest: false });
  }
}

export async function run(): Promise<void> {
  await using node = await startArchiveNode({ args: ["--trust", "Public"] });
  const rows: (string | number)[][] = [];
  let bytes = 0;
  for (let round = 1; round <= ROUNDS; round += 1) {
    const blob = await upload(node);
    bytes += blob.size;
    const seconds = [await curl(node, blob.hash), await fetched(node, blob)];
    rows.push([round, ...seconds.map((each) => blob.size / MEBIBYTE / each)]);
  }
  console.log(table([`${FILE_BYTES / MEBIBYTE} MiB`, "curl MiB/s", "fetched, hashed, on disk MiB/s"], rows));
  const { received, held } = await copied(node, bytes);
  console.log(
    `\nA second node copied the ${ROUNDS} files by a policy at ${received} MiB/s until the last byte was there, ${held} MiB/s until all were ingested.`,
  );
}

async function upload(node: ArchiveNodeProcess): Promise<Blob> {
  await using archive = new NodeArchive(node);
  const hash = createHash("sha256");
  const hashed = async function* (): AsyncGenerator<Buffer, void> {
    for (const piece of pieces()) {
      hash.update(piece);
      yield piece;
    }
  };
  const { status, json } = await archive.upload(hashed());
  if (status !== 201) throw new Error(`upload answered ${status}`);
  return { hash: hash.digest("hex"), size: (json as { size: number }).size };
}

/** MiB/s from the first bytes seen at a second node to the last byte, and to the last file that is held. */
async function copied(from: ArchiveNodeProcess, size: number) {
  await using to = await startArchiveNode({ metrics: true });
  const tell = async (...args: readonly string[]) => {
    const { exitCode, stderr } = await runNodeCommand(...args, "--data", to.dataDir);
    if (exitCode !== 0) throw new Error(stderr);
  };
  await tell("peer", "add", from.url, "--node-id", from.nodeId);
  await tell("policy", "add", "copies", "--peer", from.nodeId, "--collection", DEFAULT_COLLECTION, "--interval", "10s");
  const count = async (what: "bytes" | "blobs") => {
    const text = await (await fetch(`${to.metricsUrl}/metrics`)).text();
    const found = new RegExp(`^archivestream_sync_${what}_total\\{direction="received"\\} (\\S+)$`, "m").exec(text);
    return { at: performance.now(), value: Number(found?.[1] ?? 0) };
  };
  const reached = async (what: "bytes" | "blobs", least: number) =>
    waitUntil(
      `${least} ${what} to be received`,
      async () => {
        const seen = await count(what);
        return seen.value >= least && seen;
      },
      { deadlineMs: RUN_MS, everyMs: 20 },
    );
  const first = await reached("bytes", 1);
  const last = await reached("bytes", size);
  const held = await reached("blobs", ROUNDS);
  const rate = (end: number) => Math.round((size - first.value) / MEBIBYTE / ((end - first.at) / 1_000));
  return { received: rate(last.at), held: rate(held.at) };
}

async function curl(node: ArchiveNodeProcess, hash: string): Promise<number> {
  const url = `${node.url}/api/v1/federation/blob/${hash}`;
  const begun = performance.now();
  await promisify(execFile)("curl", ["-sSf", "--cacert", node.caFile, "-o", "/dev/null", url], { timeout: RUN_MS });
  return (performance.now() - begun) / 1_000;
}

async function fetched(node: ArchiveNodeProcess, { hash, size }: Blob): Promise<number> {
  await using dir = await tempDir("bench-blob");
  const agent = new Agent({ connect: { ca: node.caPem } });
  const calls: Pick<PeerCalls, "stream"> = {
    stream: async (_peer, { path, headers }, signal) => {
      const url = `${node.url}/api/v1/federation${path}`;
      const answer = await request(url, { dispatcher: agent, signal, headers: { ...headers } });
      const named = Object.entries(answer.headers).map(([name, value]) => [name, String(value)]);
      return {
        status: answer.statusCode,
        headers: Object.fromEntries(named) as Record<string, string>,
        body: answer.body,
      };
    },
  };
  const deps = {
    ...{ calls, folder: dir.path, checkRoom: async () => {}, received: () => {} },
    ...{ pace: { windowMs: 20_000, windowBytes: 1 }, monotonicMs: () => performance.now() },
  };
  const begun = performance.now();
  const file = await fetchFile(deps, { peer: "", hash, size, maxBytes: size }, AbortSignal.timeout(RUN_MS));
  const seconds = (performance.now() - begun) / 1_000;
  await rm(file.path);
  await agent.destroy();
  return seconds;
}
