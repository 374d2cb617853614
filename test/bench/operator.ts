/**
 * The operator as a process against a real API server with its controllers; kubelet and node program are played.
 * From the first ArchiveNode to the last Ready, then two idle minutes, then a restart. `BENCH_OPERATOR_NODES` makes it
 * smaller. Beside it, in the same run, what the API server takes from one client that only creates small objects.
 */
import { readFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { ArchiveNode } from "@archivestream/crds";
import { RESOURCES } from "../../operator/src/controllers/resource-types.ts";
import { createKubeClient, type KubeClient } from "../../operator/src/kube/client.ts";
import { systemClock } from "../../operator/src/kube/clock.ts";
import { kubeconfigCredentials } from "../../operator/src/kube/credentials.ts";
import { NO_KUBE_METRICS } from "../../operator/src/kube/metrics.ts";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import { createTransport } from "../../operator/src/kube/transport.ts";
import { OPEN_FENCE } from "../../operator/src/kube/write-fence.ts";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { freePort } from "../testkit/free-port.ts";
import { CONFIG_MAPS } from "../testkit/kube-connection.ts";
import { type OperatorProcess, startOperatorProcess } from "../testkit/operator-process.ts";
import {
  type AuditedRequest,
  newNode,
  OPERATOR_USER,
  operatorRequests,
  prepareCluster,
  put,
  writesOf,
} from "../testkit/operator-under-test.ts";
import { PodStandIn } from "../testkit/pod-stand-in.ts";
import { waitUntil } from "../testkit/wait-until.ts";
import { percentile, table } from "./table.ts";

const NODES = Number(process.env["BENCH_OPERATOR_NODES"] ?? 1_000);
const NAMESPACE = "bench";
const RAW_NAMESPACE = "raw";
/** As many as the operator has workers. */
const WRITERS = 8;
const IDLE_MS = 120_000;
/** Nothing was written for this long: the rollout is over. */
const QUIET_MS = 10_000;
const DEADLINE_MS = 60 * 60_000;
const MEBIBYTE = 2 ** 20;

interface Bench {
  readonly server: ApiServer;
  readonly admin: KubeClient;
  readonly signal: AbortSignal;
}

export async function run(): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(DEADLINE_MS)]);
  await using cleanUp = new AsyncDisposableStack();
  const server = await startApiServer({
    controllerManager: true,
    auditLog: true,
    // The default of 20 requests a second for the StatefulSet controller would be all that is measured.
    controllerManagerFlags: ["--kube-api-qps=1000", "--kube-api-burst=2000", "--concurrent-statefulset-syncs=16"],
    signal,
  });
  cleanUp.defer(() => server.stop());
  const transport = createTransport({
    credentials: kubeconfigCredentials(server.kubeconfigPath),
    userAgent: "operator-bench",
    fence: OPEN_FENCE,
    metrics: NO_KUBE_METRICS,
    clock: systemClock,
  });
  cleanUp.defer(() => transport.close());
  const bench: Bench = { server, admin: createKubeClient(transport), signal };
  await prepareCluster(bench.admin, signal);
  for (const name of [NAMESPACE, RAW_NAMESPACE])
    await put(bench.admin, { apiVersion: "v1", kind: "Namespace", metadata: { name } }, signal);
  console.log(`${NODES} ArchiveNodes; load before: ${loadavg()[0]?.toFixed(1)}\n`);
  const raw = await rawWritesPerSecond(bench);
  const pods = await playPods(bench);
  cleanUp.defer(pods.stop);
  cleanUp.defer(() => stop.abort());
  await measure(bench, pods.adminPort, raw);
}

async function measure(bench: Bench, adminPort: number, rawWrites: number): Promise<void> {
  const { server } = bench;
  const kubeconfig = await server.userKubeconfig(OPERATOR_USER, []);
  const start = async () => startOperatorProcess({ kubeconfig, adminPort, metricsPort: await freePort() });
  {
    await using operator = await start();
    await showRollout(bench, operator, rawWrites);
    await showIdle(bench, operator);
  }
  const before = writesOf(await operatorRequests(server)).length;
  await using operator = await start();
  await quiet(bench);
  const writes = writesOf(await operatorRequests(server)).length - before;
  const cpu = await operator.metric("process_cpu_seconds_total");
  console.log(table(["restart: ready in s", "writes", "CPU s"], [[operator.readyMs / 1_000, writes, cpu]]), "\n");
  console.log(`load after: ${loadavg()[0]?.toFixed(1)}`);
}

async function rawWritesPerSecond({ admin, signal }: Bench): Promise<number> {
  const start = performance.now();
  await inParallel(NODES, async (index) => {
    const metadata = { namespace: RAW_NAMESPACE, name: `raw-${index}` };
    await admin.create(CONFIG_MAPS, { apiVersion: "v1", kind: "ConfigMap", metadata }, signal);
  });
  return NODES / secondsSince(start);
}

async function showRollout(bench: Bench, operator: OperatorProcess, rawWrites: number): Promise<void> {
  const { server, admin, signal } = bench;
  const seen = await watchReady(bench);
  const created = new Map<string, number>();
  const start = performance.now();
  await inParallel(NODES, async (index) => {
    const name = `node-${index}`;
    created.set(name, performance.now());
    await admin.create(RESOURCES.ArchiveNode, newNode(NAMESPACE, name) as ArchiveNode & KubeObject, signal);
  });
  const createSeconds = secondsSince(start);
  await waitUntil("all nodes to be ready", async () => seen.size >= NODES, { deadlineMs: DEADLINE_MS, signal });
  const seconds = secondsSince(start);
  const waits = [...created].map(([name, at]) => ((seen.get(name) ?? Number.NaN) - at) / 1_000);
  const requests = await operatorRequests(server);
  const writes = writesOf(requests).length;
  const reconciles = await operator.metric("controller_runtime_reconcile_total");
  console.log(
    table(
      ["created in s", "all Ready in s", "Ready p50 s", "p95 s", "p99 s", "reconciles", "reconciles/s"],
      [
        [
          createSeconds,
          seconds,
          ...[0.5, 0.95, 0.99].map((p) => percentile(waits, p)),
          reconciles,
          reconciles / seconds,
        ],
      ],
    ),
    "\n",
  );
  console.log(
    table(
      ["operator's writes/s", "all clients' writes/s", "raw creates/s, nothing else running", "writes per node"],
      [[writes / seconds, (await allWrites(server)) / seconds, rawWrites, writes / NODES]],
    ),
    "\n",
  );
  console.log(table(["verb", "requests"], [...byVerb(requests)]), "\n");
  console.log(table(USE_HEAD, [await use(operator)]), "\n");
}

async function showIdle(bench: Bench, operator: OperatorProcess): Promise<void> {
  await quiet(bench);
  const writes = async () => writesOf(await operatorRequests(bench.server)).length;
  const [writesBefore, cpuBefore] = [await writes(), await operator.metric("process_cpu_seconds_total")];
  await sleep(IDLE_MS, undefined, { signal: bench.signal });
  const cpu = (await operator.metric("process_cpu_seconds_total")) - cpuBefore;
  console.log(table(["idle s", "writes", "CPU s"], [[IDLE_MS / 1_000, (await writes()) - writesBefore, cpu]]), "\n");
  console.log(table(USE_HEAD, [await use(operator)]), "\n");
}

const USE_HEAD = ["CPU s since start", "RSS MB", "heap MB", "event loop p50 ms", "p99 ms", "max ms"];

async function use(operator: OperatorProcess): Promise<number[]> {
  // One scrape resets the delays: all of them are read from the first.
  const delays = await operator.quantiles("nodejs_eventloop_delay_seconds", ["0.5", "0.99", "1"]);
  return [
    await operator.metric("process_cpu_seconds_total"),
    (await operator.metric("process_resident_memory_bytes")) / MEBIBYTE,
    (await operator.metric("nodejs_heap_size_used_bytes")) / MEBIBYTE,
    ...delays.map((seconds) => seconds * 1_000),
  ];
}

/** Waits until the operator has written nothing for a while. */
async function quiet({ server, signal }: Bench): Promise<void> {
  let [last, since] = [-1, performance.now()];
  const isQuiet = async () => {
    const now = writesOf(await operatorRequests(server)).length;
    if (now !== last) since = performance.now();
    last = now;
    return performance.now() - since > QUIET_MS;
  };
  await waitUntil("the operator to fall silent", isQuiet, { deadlineMs: DEADLINE_MS, signal, everyMs: 4_000 });
}

/** By name: when a watch showed the node Ready. */
async function watchReady({ admin, signal }: Bench): Promise<ReadonlyMap<string, number>> {
  const seen = new Map<string, number>();
  const { resourceVersion } = await admin.list(RESOURCES.ArchiveNode, { namespace: NAMESPACE }, signal);
  const options = { namespace: NAMESPACE, query: { resourceVersion, timeoutSeconds: String(DEADLINE_MS / 1_000) } };
  const events = await admin.watch<ArchiveNode & KubeObject>(RESOURCES.ArchiveNode, options, signal);
  const follow = async () => {
    for await (const event of events) {
      if (event.type !== "MODIFIED" || seen.has(event.object.metadata.name)) continue;
      const ready = event.object.status?.conditions?.find(({ type }) => type === "Ready");
      if (ready?.status === "True") seen.set(event.object.metadata.name, performance.now());
    }
  };
  follow().catch((error: unknown) => {
    if (!signal.aborted) console.error("the watch ended", error);
  });
  return seen;
}

async function playPods({ admin, signal }: Bench) {
  const pods = new PodStandIn({ client: admin, signal, concurrency: WRITERS, remount: false });
  const adminPort = await pods.listen();
  const playing = (async () => {
    while (!signal.aborted) {
      await pods.step(NAMESPACE).catch(() => undefined); // objects change while it looks; the next look is soon
      await sleep(500, undefined, { signal }).catch(() => undefined);
    }
  })();
  return {
    adminPort,
    stop: async () => {
      await playing;
      await pods.close();
    },
  };
}

async function allWrites({ auditLogPath = "" }: ApiServer): Promise<number> {
  const lines = (await readFile(auditLogPath, "utf8")).split("\n").filter((line) => line !== "");
  return writesOf(lines.map((line) => JSON.parse(line) as AuditedRequest)).length - NODES; // but the raw ones
}

function byVerb(requests: readonly AuditedRequest[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { verb } of requests) counts.set(verb, (counts.get(verb) ?? 0) + 1);
  return counts;
}

async function inParallel(count: number, work: (index: number) => Promise<void>): Promise<void> {
  const queue = Array.from({ length: count }, (_, index) => index).values();
  const worker = async () => {
    for (const index of queue) await work(index);
  };
  await Promise.all(Array.from({ length: WRITERS }, worker));
}

const secondsSince = (start: number): number => (performance.now() - start) / 1_000;
