/**
 * Handshakes with one node: both rounds, each over a new TLS connection, by a peer that the node trusts. First at a pace that
 * the node's own limit allows, then by callers that begin again as soon as they may.
 */
import { setTimeout as pause } from "node:timers/promises";
import { startArchiveNode } from "../../testkit/archive-node-process.ts";
import { type EngineeredPeer, engineeredPeer } from "../../testkit/engineered-peer.ts";
import { runNodeCommand } from "../../testkit/node-command.ts";
import { waitUntil } from "../../testkit/wait-until.ts";
import { processorMs } from "../processes.ts";
import { percentile, table } from "../table.ts";

const PACE_PER_SECOND = 10;
const CALLERS = 4;
const PHASE_MS = Number(process.env["BENCH_HANDSHAKE_MS"] ?? 15_000);
const TRUST_MS = 30_000;
const WARM_UP = 20;

interface Target {
  readonly url: string;
  readonly nodeId: string;
  readonly pid: number;
}

interface Counts {
  readonly acceptedMs: number[];
  refused: number;
}

export async function run(): Promise<void> {
  await using node = await startArchiveNode();
  await using caller = await engineeredPeer();
  await runNodeCommand("peer", "add", caller.endpoint, "--node-id", caller.nodeId, "--data", node.dataDir);
  const isAccepted = async () => (await once(caller, node)) === 0;
  await waitUntil("the caller to be trusted", isAccepted, { deadlineMs: TRUST_MS, everyMs: 500 });
  for (let at = 0; at < WARM_UP; at += 1) await once(caller, node);
  await pause(2_000);
  const rows = [
    [
      `${PACE_PER_SECOND} begun a second`,
      ...(await phase(node, (counts, untilMs) => paced(caller, node, counts, untilMs))),
    ],
    [
      `${CALLERS} callers without pause`,
      ...(await phase(node, (counts, untilMs) => eager(caller, node, counts, untilMs))),
    ],
  ];
  console.log(table(["handshakes", "accepted/s", "refused/s", "p50 ms", "p95 ms", "node's CPU ms per accepted"], rows));
}

/** How long to wait before the next try; 0 when it was accepted. */
async function once(caller: EngineeredPeer, { url, nodeId }: Target): Promise<number> {
  const { status, body, connection } = await caller.handshake(url, nodeId);
  await connection[Symbol.asyncDispose]();
  if (status === 200) return 0;
  if (status === 429) return Number(body["retry_after_ms"] ?? 100);
  if (status === 202) return 1;
  throw new Error(`handshake answered ${status}: ${JSON.stringify(body)}`);
}

async function phase(
  node: Target,
  work: (counts: Counts, untilMs: number) => Promise<void>,
): Promise<readonly number[]> {
  const counts: Counts = { acceptedMs: [], refused: 0 };
  const [beganMs, usedMs] = [performance.now(), await processorMs(node.pid)];
  await work(counts, beganMs + PHASE_MS);
  const seconds = (performance.now() - beganMs) / 1_000;
  const cpuMs = (await processorMs(node.pid)) - usedMs;
  const { acceptedMs, refused } = counts;
  return [
    ...[acceptedMs.length / seconds, refused / seconds],
    ...[percentile(acceptedMs, 0.5), percentile(acceptedMs, 0.95), cpuMs / acceptedMs.length],
  ];
}

async function counted(caller: EngineeredPeer, node: Target, counts: Counts): Promise<number> {
  const beganMs = performance.now();
  const waitMs = await once(caller, node);
  if (waitMs === 0) counts.acceptedMs.push(performance.now() - beganMs);
  else counts.refused += 1;
  return waitMs;
}

async function paced(caller: EngineeredPeer, node: Target, counts: Counts, untilMs: number): Promise<void> {
  const running: Promise<number>[] = [];
  for (let dueMs = performance.now(); dueMs < untilMs; dueMs += 1_000 / PACE_PER_SECOND) {
    await pause(Math.max(0, dueMs - performance.now()));
    running.push(counted(caller, node, counts));
  }
  await Promise.all(running);
}

async function eager(caller: EngineeredPeer, node: Target, counts: Counts, untilMs: number): Promise<void> {
  const one = async () => {
    while (performance.now() < untilMs) await pause(await counted(caller, node, counts));
  };
  await Promise.all(Array.from({ length: CALLERS }, one));
}
