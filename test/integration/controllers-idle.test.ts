/**
 * Steady state costs nothing: an operator whose nodes are all in order writes nothing, neither while time passes nor
 * after a restart, and then reads each kind at most twice. Its metrics say what it sees.
 */
import { readdir, readFile } from "node:fs/promises";
import type { ArchiveNode } from "@archivestream/crds";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RESOURCES } from "../../operator/src/controllers/resource-types.ts";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import { startArchiveNode } from "../testkit/archive-node-process.ts";
import { type ArchiveWorld, archiveWorld } from "../testkit/archive-world.ts";
import {
  type AuditedRequest,
  operatorRequests,
  type RunningOperator,
  startOperator,
  writesOf,
} from "../testkit/operator-under-test.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const FULL = process.env["ARCHIVE_TEST_FULL"] === "1";
const IDLE_NODES = 50;
const NODES = FULL ? 500 : 100;
/** Instead of 30 minutes, so that several pass while the test looks. */
const RESYNC_MS = 2_000;
const RESYNCS = 5;
/** A ready pod is asked once a minute. */
const IDLE_MS = 120_000;
/** Workers of a controller begin before the CA was read, and look at what they began with once more. */
const WORKERS = 8;
const WAIT = { deadlineMs: 170_000 };
const CHART_FILES = new URL("../../charts/archive-operator/", import.meta.url);
const cleanUp = new AsyncDisposableStack();
let world: ArchiveWorld;
let operator: RunningOperator;

beforeAll(async () => {
  world = cleanUp.use(await archiveWorld({ namespace: "many", deadlineMs: WAIT.deadlineMs }));
  const config = { resyncMs: RESYNC_MS, workers: WORKERS };
  operator = cleanUp.use(await startOperator({ server: world.server, admin: world.admin, config }));
});
afterAll(async () => {
  await cleanUp.disposeAsync();
});

/** Creates nodes until there are so many, and waits until all are ready. */
async function readyNodes(count: number): Promise<void> {
  const namespace = { namespace: world.namespace };
  const list = async () =>
    (await world.admin.list<ArchiveNode & KubeObject>(RESOURCES.ArchiveNode, namespace, world.signal)).items;
  for (let index = (await list()).length; index < count; index++) await world.create(`node-${index}`);
  const isReady = (node: ArchiveNode) =>
    node.status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") === true;
  await waitUntil("all nodes to be ready", async () => (await list()).filter(isReady).length === count, WAIT);
}

const metrics = async () => (await fetch(`http://127.0.0.1:${operator.healthPort()}/metrics`)).text();
const sample = async (name: string) =>
  Number(
    (await metrics())
      .split("\n")
      .find((line) => line.startsWith(`${name} `))
      ?.slice(name.length + 1),
  );

/** Complete reads of a collection: lists, and watches that begin with all of it. Looking for a kind that is not there reads nothing. */
function listsByResource(requests: readonly AuditedRequest[]): ReadonlyMap<string, number> {
  const lists = new Map<string, number>();
  for (const { verb, requestURI, objectRef, responseStatus } of requests) {
    if (responseStatus?.code === 404) continue;
    if (verb !== "list" && !(verb === "watch" && requestURI.includes("sendInitialEvents=true"))) continue;
    const resource = `${objectRef?.apiGroup ?? ""}/${objectRef?.resource}`;
    lists.set(resource, (lists.get(resource) ?? 0) + 1);
  }
  return lists;
}

/** Reconciles of ArchiveNodes by this process, by its own count. */
async function reconciles(): Promise<number> {
  const counts = (await metrics()).matchAll(
    /^controller_runtime_reconcile_total\{controller="archive-node",[^}]*\} (\d+)/gm,
  );
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

test(`no write for ${IDLE_NODES} ready nodes while ${RESYNCS} resyncs pass`, {
  timeout: 3 * WAIT.deadlineMs,
}, async () => {
  await readyNodes(IDLE_NODES);
  let writes = -1;
  let from = 0;
  const silentResyncs = async () => {
    const [now, done] = [(await world.writes()).length, await reconciles()];
    if (now !== writes) from = done;
    writes = now;
    return done - from >= RESYNCS * IDLE_NODES;
  };
  await waitUntil(`${RESYNCS} resyncs without a write`, silentResyncs, WAIT);
  // Once silent, always silent: as many resyncs again.
  const start = await reconciles();
  const again = async () => (await reconciles()) - start >= RESYNCS * IDLE_NODES;
  await waitUntil("as many resyncs again", again, WAIT);
  expect((await world.writes()).slice(writes)).toEqual([]);
});

test(`no write for ${IDLE_NODES} ready nodes in ${IDLE_MS / 1_000} s, in which every pod is asked`, async () => {
  const writes = (await world.writes()).length;
  const before = new Map(operator.standIn.statusCalls);
  const startMs = performance.now();
  await waitUntil("two minutes to pass", () => performance.now() - startMs >= IDLE_MS, WAIT);
  const asked = [...operator.standIn.statusCalls].filter(([pod, calls]) => calls > (before.get(pod) ?? 0));
  expect(asked).toHaveLength(IDLE_NODES); // it is idle, not dead
  expect((await world.writes()).slice(writes)).toEqual([]);
});

test(`${NODES} nodes become ready`, { timeout: 2 * WAIT.deadlineMs }, async () => {
  await readyNodes(NODES);
});

test("a restart among them, all in order: no write, at most two lists of a kind, each Secret read once", async () => {
  await world.quiet();
  const before = (await operatorRequests(world.server)).length;
  await operator.restart();
  const allReady = async () =>
    (await reconciles()) >= NODES &&
    (await sample('archivestream_condition{kind="ArchiveNode",type="Ready",status="True"}')) === NODES;
  await waitUntil("every node to be looked at again, and to be ready", allReady, WAIT);
  await world.quiet();
  const requests = (await operatorRequests(world.server)).slice(before);
  expect(writesOf(requests).map(({ verb, requestURI }) => `${verb} ${requestURI}`)).toEqual([]);
  const lists = listsByResource(requests);
  expect(lists.size).toBeGreaterThanOrEqual(12);
  expect([...lists].filter(([, count]) => count > 2)).toEqual([]);
  const reads = requests.filter(({ verb }) => verb === "get");
  const perChild = new Map<string, number>();
  for (const { requestURI } of reads) {
    const child = requestURI.replace(/node-\d+/, "node-N");
    perChild.set(child, (perChild.get(child) ?? 0) + 1);
  }
  expect([...perChild].filter(([, count]) => count > NODES + WORKERS)).toEqual([]);
});

test("its metrics count what the cluster holds", async () => {
  const text = await metrics();
  for (const line of [
    `archivestream_condition{kind="ArchiveNode",type="Ready",status="True"} ${NODES}`,
    'archivestream_condition{kind="ArchiveNode",type="Stalled",status="True"} 0',
    `archivestream_cache_objects{kind="ArchiveNode"} ${NODES}`,
    'archivestream_trust_sequence{node="many/node-0"} 1',
    'archivestream_trust_observed_sequence{node="many/node-0"} 1',
    'archivestream_hotloop_total{controller="archive-node"} 0',
  ])
    expect(text.split("\n")).toContain(line);
});

/** Every metric that dashboards and alerts of the chart name, by file. */
async function namedMetrics(): Promise<ReadonlyMap<string, readonly string[]>> {
  const named = new Map<string, readonly string[]>();
  for (const entry of await readdir(CHART_FILES, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = `${entry.parentPath}/${entry.name}`;
    const text = await readFile(path, "utf8");
    const pattern =
      /\b(?:archivestream|controller_runtime|workqueue|rest_client|leader_election|nodejs|process)_[a-z0-9_]+\b/g;
    const names = [...new Set(text.match(pattern) ?? [])];
    if (names.length > 0) named.set(path, names);
  }
  return named;
}

test("every metric that the chart's files name exists in a running operator or node", async () => {
  // One that looks for the lease, as the installed ones do; it acts on nobody's nodes.
  const config = { leaderElection: true, className: "nobody" };
  await using idle = await startOperator({ server: world.server, admin: world.admin, config });
  const answer = (path: string) => fetch(`http://127.0.0.1:${idle.healthPort()}${path}`);
  await waitUntil("it to be ready", async () => (await answer("/readyz")).ok, WAIT);
  await using node = await startArchiveNode({ metrics: true });
  const ofNode = await (await fetch(`${node.metricsUrl}/metrics`)).text();
  const text = `${await metrics()}${await (await answer("/metrics")).text()}${ofNode}`;
  const shown = new Set(text.split("\n").map((line) => /^([a-z0-9_]+)[{ ]/.exec(line)?.[1]));
  const named = await namedMetrics();
  expect(named.size).toBeGreaterThanOrEqual(2);
  const missing = [...named].flatMap(([path, names]) =>
    names.filter((name) => !shown.has(name)).map((name) => `${path}: ${name}`),
  );
  expect(missing).toEqual([]);
});
