/** Bench `federation-blobs`: one large file from node to node over TLS on this machine, beside `curl` of the same. */
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { promisify } from "node:util";
import { Agent, request } from "undici";
import type { PeerCalls } from "../../node/src/peers/peer-calls.ts";
import { fetchFile } from "../../node/src/sync/transfer.ts";
import { type ArchiveNodeProcess, startArchiveNode } from "../testkit/archive-node-process.ts";
import { tempDir } from "../testkit/temp-dir.ts";
import { NodeArchive } from "../testkit/uploads.ts";
import { httpResponse, warcinfo, warcRecord } from "../testkit/warc-builder.ts";
import { table } from "./table.ts";

const FILE_BYTES = Number(process.env["BENCH_BLOB_BYTES"] ?? 1024 ** 3);
const RECORD_BYTES = 4 * 1024 ** 2;
const ROUNDS = Number(process.env["BENCH_BLOB_ROUNDS"] ?? 3);
const RUN_MS = 600_000;

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
  await using node = await startArchiveNode();
  await using archive = new NodeArchive(node);
  const hash = createHash("sha256");
  const upload = async function* (): AsyncGenerator<Buffer, void> {
    for (const piece of pieces()) {
      hash.update(piece);
      yield piece;
    }
  };
  const { status, json } = await archive.upload(upload());
  if (status !== 201) throw new Error(`upload answered ${status}`);
  const blob = { hash: hash.digest("hex"), size: (json as { size: number }).size };
  const rows: (string | number)[][] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const seconds = [await curl(node, blob.hash), await fetched(node, blob)];
    rows.push([round, ...seconds.map((each) => blob.size / 2 ** 20 / each)]);
  }
  console.log(table(["round", "curl MiB/s", "fetched, hashed, on disk MiB/s"], rows));
}

async function curl(node: ArchiveNodeProcess, hash: string): Promise<number> {
  const url = `${node.url}/api/v1/federation/blob/${hash}`;
  const begun = performance.now();
  await promisify(execFile)("curl", ["-sSf", "--cacert", node.caFile, "-o", "/dev/null", url], { timeout: RUN_MS });
  return (performance.now() - begun) / 1_000;
}

async function fetched(
  node: ArchiveNodeProcess,
  { hash, size }: { readonly hash: string; readonly size: number },
): Promise<number> {
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
