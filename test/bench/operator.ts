/**
 * The operator as a process against a real API server with its controllers; kubelet and node program are played.
 * From the first ArchiveNode to the last Ready; as many FederationPeers and SyncPolicies; two idle minutes; a restart;
 * a user's change right after another one. `BENCH_OPERATOR_NODES` is how many objects of each kind. Beside it, in the
 * same run, what this API server takes: from one client that only creates small objects, and from one that writes the
 * same children without thinking, until as many pods are ready.
 */
import { loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { ArchiveNode } from "@archivestream/crds";
import { RESOURCES } from "../../operator/src/controllers/resource-types.ts";
import { systemClock } from "../../operator/src/kube/clock.ts";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import { SILENT } from "../../operator/src/runtime/log.ts";
import { createReflector } from "../../operator/src/runtime/reflector.ts";
import { freePort } from "../testkit/free-port.ts";
import { type OperatorProcess, startOperatorProcess } from "../testkit/operator-process.ts";
import { OPERATOR_USER } from "../testkit/operator-under-test.ts";
import { waitUntil } from "../testkit/wait-until.ts";
import { grouped, isWrite, type RequestCount, total } from "./operator/audit.ts";
import {
  type Bench,
  inParallel,
  NAMESPACE,
  playPods,
  RAW_NAMESPACE,
  rawWritesPerSecond,
  secondsSince,
  startBench,
} from "./operator/cluster.ts";
import { floorSeconds } from "./operator/floor.ts";
import { archiveNode, federationPeer, nodeName, syncPolicy } from "./operator/objects.ts";
import { processorSeconds } from "./operator/processes.ts";
import { percentile, table } from "./table.ts";

const NODES = Number(process.env["BENCH_OPERATOR_NODES"] ?? 1_000);
/** Flags of Node for the operator, such as `--cpu-prof`. */
const FLAGS = (process.env["BENCH_OPERATOR_FLAGS"] ?? "").split(" ").filter((flag) => flag !== "");
const IDLE_MS = Number(process.env["BENCH_OPERATOR_IDLE_SECONDS"] ?? 120) * 1_000;
/** Nothing was asked for this long: the operator has looked at everything. */
const QUIET_MS = 10_000;
const DEADLINE_MS = 60 * 60_000;
const MEBIBYTE = 2 ** 20;

export async function run(): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(DEADLINE_MS)]);
  await using cleanUp = new AsyncDisposableStack();
  const bench = await startBench(signal, cleanUp);
  console.log(`${NODES} of each kind; load before: ${loadavg()[0]?.toFixed(1)}\n`);
  const raw = await rawWritesPerSecond(bench, NODES);
  const pods = await playPods(bench, NAMESPACE);
  cleanUp.defer(pods.stop);
  cleanUp.defer(() => stop.abort());
  const { adminPort } = pods;
  const start = async () =>
    startOperatorProcess({
      server: bench.server.url,
      serviceAccountFolder: bench.serviceAccountFolder,
      adminPort,
      metricsPort: await freePort(),
      nodeFlags: FLAGS,
    });
  {
    await using operator = await start();
    await showRollout(bench, operator, raw);
    await showFederation(bench);
    await showIdle(bench, operator);
  }
  await showRestart(bench, start);
  await showUserChange(bench, start);
  show(["the same objects without an operator: all pods ready in s"], [await floorSeconds(bench, NODES)]);
  console.log(`load after: ${loadavg()[0]?.toFixed(1)}`);
}

async function showRollout(bench: Bench, operator: OperatorProcess, raw: number): Promise<void> {
  const ready = watchNodes(bench, (node) =>
    node.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True"),
  );
  const busyBefore = await processorSeconds();
  const created = new Map<string, number>();
  const start = performance.now();
  await inParallel(NODES, async (index) => {
    created.set(nodeName(index), performance.now());
    await bench.admin.create(RESOURCES.ArchiveNode, archiveNode(index), bench.signal);
  });
  const createSeconds = secondsSince(start);
  await waitUntil("all nodes to be ready", () => ready.size >= NODES, {
    deadlineMs: DEADLINE_MS,
    signal: bench.signal,
  });
  const seconds = secondsSince(start);
  const busy = await processorSeconds();
  const waits = [...created].map(([name, at]) => ((ready.get(name) ?? Number.NaN) - at) / 1_000);
  const counts = await bench.audit.counts();
  const everyone = total(counts, (one) => isWrite(one) && one.namespace !== RAW_NAMESPACE);
  show(
    ["all Ready in s", "all clients' writes", "raw writes/s", "s at the raw rate", "s beyond it", "created in s"],
    [seconds, everyone, raw, everyone / raw, seconds - everyone / raw, createSeconds],
  );
  const reconciles = await operator.metric("controller_runtime_reconcile_total");
  show(
    ["Ready p5 s", "p50 s", "p95 s", "p99 s", "reconciles", "operator's writes per node", "reads per node"],
    [
      ...[0.05, 0.5, 0.95, 0.99].map((p) => percentile(waits, p)),
      reconciles,
      total(counts, (one) => ours(one) && isWrite(one)) / NODES,
      total(counts, (one) => ours(one) && one.verb === "get") / NODES,
    ],
  );
  const names = [...busy.keys()].filter((name) => (busy.get(name) ?? 0) >= 0.1);
  show(
    names.map((name) => `${name} CPU s`),
    names.map((name) => (busy.get(name) ?? 0) - (busyBefore.get(name) ?? 0)),
  );
  showRequests(counts);
  show(USE_HEAD, await use(operator));
}

/** As many peers and policies, each of one node; until each has a status. */
async function showFederation(bench: Bench): Promise<void> {
  await quiet(bench);
  const { admin, audit, signal } = bench;
  const before = await audit.counts();
  const start = performance.now();
  await inParallel(NODES, async (index) => {
    await admin.create(RESOURCES.FederationPeer, federationPeer(index), signal);
    await admin.create(RESOURCES.SyncPolicy, syncPolicy(index), signal);
  });
  await quiet(bench);
  const seconds = secondsSince(start) - QUIET_MS / 1_000;
  const writes = (counts: readonly RequestCount[]) => total(counts, (one) => ours(one) && isWrite(one));
  show(
    ["peers and policies", "until quiet in s", "operator's writes"],
    [2 * NODES, seconds, writes(await audit.counts()) - writes(before)],
  );
}

async function showIdle(bench: Bench, operator: OperatorProcess): Promise<void> {
  const before = await bench.audit.counts();
  const cpuBefore = await operator.metric("process_cpu_seconds_total");
  await sleep(IDLE_MS, undefined, { signal: bench.signal });
  const cpu = (await operator.metric("process_cpu_seconds_total")) - cpuBefore;
  const counts = await bench.audit.counts();
  const asked = (wanted: (one: RequestCount) => boolean) =>
    total(counts, (one) => ours(one) && wanted(one)) - total(before, (one) => ours(one) && wanted(one));
  show(
    ["idle s", "writes", "reads", "CPU s", "% of a core"],
    [IDLE_MS / 1_000, asked(isWrite), asked(({ verb }) => verb === "get"), cpu, (cpu / IDLE_MS) * 100_000],
  );
  show(USE_HEAD, await use(operator));
}

type Start = () => Promise<OperatorProcess>;

async function showRestart(bench: Bench, start: Start): Promise<void> {
  const before = await bench.audit.counts();
  const startedAt = performance.now();
  await using operator = await start();
  await quiet(bench);
  const seconds = secondsSince(startedAt) - QUIET_MS / 1_000;
  const counts = await bench.audit.counts();
  const since = (wanted: (one: RequestCount) => boolean) =>
    total(counts, (one) => ours(one) && wanted(one)) - total(before, (one) => ours(one) && wanted(one));
  const lists = (all: readonly RequestCount[]) =>
    new Map(grouped(all, (one) => (ours(one) && one.verb === "list" ? one.resource : undefined)));
  const [listsBefore, listsNow] = [lists(before), lists(counts)];
  const perKind = [...listsNow].map(([kind, count]) => count - (listsBefore.get(kind) ?? 0));
  show(
    ["restart: ready in s", "all looked at in s", "writes", "most lists of a kind", "reads", "CPU s"],
    [
      operator.readyMs / 1_000,
      seconds,
      since(isWrite),
      Math.max(...perKind),
      since(({ verb }) => verb === "get"),
      await operator.metric("process_cpu_seconds_total"),
    ],
  );
  show(USE_HEAD, await use(operator));
}

/** A user edits one node while everything of a restart still waits. */
async function showUserChange(bench: Bench, start: Start): Promise<void> {
  const { admin, signal } = bench;
  const name = nodeName(NODES - 1);
  await using operator = await start();
  const waiting = await operator.metric("workqueue_depth");
  const from = performance.now();
  const changed = await admin.patch<ArchiveNode & KubeObject>(
    { resource: RESOURCES.ArchiveNode, key: { namespace: NAMESPACE, name } },
    { spec: { endpoint: { service: { annotations: { "bench.test/changed": "yes" } } } } },
    { contentType: "application/merge-patch+json", fieldManager: "bench" },
    signal,
  );
  const seen = watchNodes(bench, (node) => node.status?.observedGeneration === changed.metadata.generation);
  await waitUntil("the change to be acted on", () => seen.has(name), { deadlineMs: DEADLINE_MS, signal, everyMs: 5 });
  const seconds = ((seen.get(name) ?? Number.NaN) - from) / 1_000;
  const left = await operator.metric("workqueue_depth");
  show(["keys waiting at a user's change", "acted on in s", "keys waiting then"], [waiting, seconds, left]);
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

/** Waits until the operator has asked for nothing for a while. */
async function quiet({ audit, signal }: Bench): Promise<void> {
  let [last, since] = [-1, performance.now()];
  const isQuiet = async () => {
    const now = total(await audit.counts(), (one) => ours(one) && (isWrite(one) || one.verb === "get"));
    if (now !== last) since = performance.now();
    last = now;
    return performance.now() - since > QUIET_MS;
  };
  await waitUntil("the operator to fall silent", isQuiet, { deadlineMs: DEADLINE_MS, signal, everyMs: 1_000 });
}

/** By name: when a watch first showed a node of which `wanted` is true. */
function watchNodes({ admin, signal }: Bench, wanted: (node: ArchiveNode) => boolean | undefined) {
  const seen = new Map<string, number>();
  const reflector = createReflector<ArchiveNode & KubeObject>({
    client: admin,
    resource: RESOURCES.ArchiveNode,
    clock: systemClock,
    log: SILENT,
    namespace: NAMESPACE,
  });
  reflector.cache.onChange(({ object }) => {
    const { name } = object.metadata;
    if (!seen.has(name) && wanted(object)) seen.set(name, performance.now());
  });
  void reflector.run(signal); // never rejects
  return seen;
}

function showRequests(counts: readonly RequestCount[]): void {
  const own = grouped(counts, (one) =>
    ours(one) && (isWrite(one) || one.verb === "get") ? `${one.verb} ${one.resource}` : undefined,
  );
  console.log(
    table(
      ["the operator's requests", "per node"],
      own.map(([name, count]) => [name, count / NODES]),
    ),
    "\n",
  );
  const users = grouped(counts, (one) => (isWrite(one) && one.namespace !== RAW_NAMESPACE ? one.user : undefined));
  console.log(
    table(
      ["writes of", "per node"],
      users.map(([name, count]) => [name, count / NODES]),
    ),
    "\n",
  );
}

function ours({ user }: RequestCount): boolean {
  return user === OPERATOR_USER;
}

function show(head: readonly string[], row: readonly number[]): void {
  console.log(table(head, [row]), "\n");
}
