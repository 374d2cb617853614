/** Kinds that are not there yet, for a while, or not any more: ours, and the optional one. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { RESOURCES } from "../../operator/src/controllers/resource-types.ts";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import { type ArchiveWorld, archiveWorld } from "../testkit/archive-world.ts";
import { clusterResource, put, putKinds, type RunningOperator, startOperator } from "../testkit/operator-under-test.ts";
import { SERVICE_MONITOR_KIND } from "../testkit/service-monitor-kind.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const WAIT = { deadlineMs: 120_000 };
const OURS = "archivenodes.archivestream.io";
const MONITORS = "servicemonitors.monitoring.coreos.com";
const CRDS = clusterResource("CustomResourceDefinition");
const cleanUp = new AsyncDisposableStack();
let world: ArchiveWorld;
let operator: RunningOperator;

beforeAll(async () => {
  world = cleanUp.use(await archiveWorld({ namespace: "kinds", kinds: false, deadlineMs: WAIT.deadlineMs }));
  await put(world.admin, SERVICE_MONITOR_KIND, world.signal);
  operator = cleanUp.use(await startOperator({ server: world.server, admin: world.admin }));
});
afterAll(async () => {
  await cleanUp.disposeAsync();
});

async function readyz(): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await fetch(`http://127.0.0.1:${operator.healthPort()}/readyz`);
  return { status: answer.status, text: await answer.text() };
}
const removeKind = async (name: string) => {
  const uid = (await world.admin.get(CRDS, { name }, world.signal))?.metadata.uid ?? "";
  await world.admin.delete({ resource: CRDS, key: { name } }, { uid }, world.signal);
  await waitUntil(
    `${name} to be gone`,
    async () => (await world.admin.get(CRDS, { name }, world.signal)) === undefined,
    WAIT,
  );
};
const serve = (served: boolean) =>
  world.admin.patch(
    { resource: CRDS, key: { name: OURS } },
    [{ op: "replace", path: "/spec/versions/0/served", value: served }],
    { contentType: "application/json-patch+json", fieldManager: "somebody" },
    world.signal,
  );
const isServed = async () => {
  const answer = world.admin.list(RESOURCES.ArchiveNode, { namespace: world.namespace }, world.signal);
  return answer.then(
    () => true,
    () => false,
  );
};
/**
 * The garbage collector looks for kinds every 30 s. One that is not served at that moment is no longer watched, and if
 * it is deleted before the next look, the children of its objects stay. A collector that has just started watches what
 * there is before it begins to work; it works when it collects a child whose owner never was.
 */
async function newCollector(): Promise<void> {
  await world.server.kill("kube-controller-manager");
  await world.server.startAgain("kube-controller-manager", world.signal);
  const owner = {
    apiVersion: "archivestream.io/v1alpha1",
    kind: "ArchiveNode",
    name: "nobody",
    uid: crypto.randomUUID(),
  };
  const orphan = { namespace: world.namespace, name: "orphan", ownerReferences: [owner] };
  await put(world.admin, { apiVersion: "v1", kind: "ConfigMap", metadata: orphan }, world.signal);
  const isCollected = async () => (await world.get("ConfigMap", orphan.name)) === undefined;
  await waitUntil("the garbage collector to work", isCollected, WAIT);
}
/** The spec's change arrives in the pod's template: the kind is watched, and work goes on. */
async function follows(name: string, minReadySeconds: number): Promise<void> {
  await world.edit("ArchiveNode", name, { spec: { updateStrategy: { minReadySeconds } } });
  const arrived = async () =>
    (await world.get<KubeObject & { spec: { minReadySeconds?: number } }>("StatefulSet", name))?.spec
      .minReadySeconds === minReadySeconds;
  await waitUntil("the change to arrive", arrived, WAIT);
}
const uids = (name: string) =>
  Promise.all(
    (
      [
        ["Service", name],
        ["StatefulSet", name],
        ["Pod", `${name}-0`],
        ["PersistentVolumeClaim", `data-${name}-0`],
        ["Secret", `${name}-identity`],
      ] as const
    ).map(async ([kind, child]) => (await world.get(kind, child))?.metadata.uid),
  );

test("an operator that starts before its kinds says which are missing, and begins when they come", async () => {
  await waitUntil(
    "it to say what is missing",
    async () => (await readyz()).text.includes("archivenodes: not listed yet (absent)"),
    WAIT,
  );
  expect((await readyz()).status).toBe(503);
  expect(await world.writes()).toEqual([]);
  await putKinds(world.admin, world.signal);
  await waitUntil("it to be ready", async () => (await readyz()).status === 200, WAIT);
  await world.ready("alpha");
});

test("while our kind is not served for a moment, children are kept as they were; nothing is lost when it is back", async () => {
  const before = await uids("alpha");
  await world.quiet();
  await serve(false);
  await waitUntil("the kind to be absent", async () => !(await isServed()), WAIT);
  await world.edit("Service", "alpha", { metadata: { labels: { "app.kubernetes.io/managed-by": "vandal" } } });
  const isRepaired = async () =>
    (await world.get("Service", "alpha"))?.metadata.labels?.["app.kubernetes.io/managed-by"] !== "vandal";
  await waitUntil("the label to be repaired", isRepaired, WAIT);
  await serve(true);
  await waitUntil("the kind to be served", isServed, WAIT);
  await follows("alpha", 3);
  await world.ready("alpha");
  expect(await uids("alpha")).toEqual(before);
});

test("when our kind is deleted its objects go with all but volume and identity, and nobody makes them again; put back, the node is who it was", async () => {
  const nodeID = (await world.node("alpha"))?.status?.nodeID;
  const [, , , claim, identity] = await uids("alpha");
  await newCollector();
  await removeKind(OURS);
  const left = async () => (await uids("alpha")).slice(0, 3).filter((uid) => uid !== undefined);
  await waitUntil("the children to be collected", async () => (await left()).length === 0, WAIT);
  await world.quiet();
  expect(await uids("alpha")).toEqual([undefined, undefined, undefined, claim, identity]);
  await putKinds(world.admin, world.signal);
  await world.ready("alpha");
  expect((await world.node("alpha"))?.status?.nodeID).toBe(nodeID);
  expect((await uids("alpha")).slice(3)).toEqual([claim, identity]);
});

test("an optional kind that is deleted takes its children with it and nothing else; back again, they are made again", async () => {
  const hasMonitor = async () => (await world.get("ServiceMonitor", "alpha")) !== undefined;
  await waitUntil("the ServiceMonitor", hasMonitor, WAIT);
  await removeKind(MONITORS);
  await follows("alpha", 5);
  await world.ready("alpha", "beta");
  expect((await readyz()).status).toBe(200);
  await put(world.admin, SERVICE_MONITOR_KIND, world.signal);
  await waitUntil("the ServiceMonitor to come back", hasMonitor, WAIT);
  expect((await world.condition("alpha", "Ready"))?.status).toBe("True");
});
