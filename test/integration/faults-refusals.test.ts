/** The API server says no, or things are broken under our hands: quota, rights to read, finalizers, garbage, volumes, 429. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { KubeObject, ResourceType } from "../../operator/src/kube/objects.ts";
import { type LoggedRequest, startApiServerProxy } from "../testkit/api-server-proxy.ts";
import { type ArchiveWorld, archiveWorld } from "../testkit/archive-world.ts";
import { grantRights, type RunningOperator, shippedRules, startOperator } from "../testkit/operator-under-test.ts";
import { proxiedKubeconfig } from "../testkit/proxied-kubeconfig.ts";
import { untilAdmitted } from "../testkit/quota.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const WAIT = { deadlineMs: 120_000 };
const NAMESPACE = "refusals";
const cleanUp = new AsyncDisposableStack();
let world: ArchiveWorld;
let operator: RunningOperator;

beforeAll(async () => {
  world = cleanUp.use(await archiveWorld({ namespace: NAMESPACE, deadlineMs: WAIT.deadlineMs }));
  operator = cleanUp.use(await startOperator({ server: world.server, admin: world.admin }));
});
afterAll(async () => {
  await cleanUp.disposeAsync();
});

const resource = (kind: string, plural: string, namespaced = true): ResourceType => ({
  group: "",
  version: "v1",
  kind,
  plural,
  namespaced,
});
const QUOTAS = resource("ResourceQuota", "resourcequotas");
const VOLUMES = resource("PersistentVolume", "persistentvolumes", false);
interface Quota extends KubeObject {
  readonly status?: Readonly<Record<"hard" | "used", Readonly<Record<string, string>> | undefined>>;
}
const APPLY = { contentType: "application/apply-patch+yaml", fieldManager: "somebody", force: true } as const;

/** Sets the quota, and waits until the API server counts with it, and goes by it. */
async function allow(hard: Readonly<Record<string, string>>): Promise<void> {
  const key = { namespace: NAMESPACE, name: "tight" };
  const quota = { apiVersion: "v1", kind: "ResourceQuota", metadata: key, spec: { hard } };
  await world.admin.patch({ resource: QUOTAS, key }, quota, APPLY, world.signal);
  const counts = async () => {
    const { status } = (await world.admin.get<Quota>(QUOTAS, key, world.signal)) ?? {};
    const isCounted = Object.entries(hard).every(([name, value]) => status?.hard?.[name] === value);
    return isCounted ? (status?.used ?? {}) : undefined;
  };
  const used = await waitUntil("the quota to be counted with", counts, WAIT);
  const roomFor = (name: string) => Number(used[name] ?? 0) < Number(hard[name] ?? Infinity);
  for (const [kind, name] of [
    ["Service", "count/services"],
    ["Secret", "count/secrets"],
  ] as const)
    await untilAdmitted(world.admin, { kind, namespace: NAMESPACE, admitted: roomFor(name) }, world.signal);
}

test.each([
  ["children", { "count/services": "1" }, "count/services=1"],
  ["keys", { "count/secrets": "1", "count/services": "100" }, "count/secrets=1"],
])("a quota that refuses %s is named, and the node goes on when it is raised", async (name, hard, named) => {
  await allow(hard);
  await world.create(name);
  const stalled = await world.until(name, "Stalled", "True");
  expect(stalled.reason).toBe("Forbidden");
  expect(stalled.message).toMatch(/exceeded quota: tight/);
  expect(stalled.message).toContain(named);
  expect(stalled.message).toMatch(/quota/i);
  await allow({ "count/services": "100", "count/secrets": "100" });
  await world.nudge(name); // a quota makes no event; without the nudge the next look is a few minutes later
  await world.ready(name);
});

test("a refused node is asked for a few times while it is new, and then left in peace while the quota stays", async () => {
  await allow({ "count/services": "0", "count/secrets": "100" });
  try {
    await world.create("patient");
    await world.until("patient", "Stalled", "True");
    await world.quiet(); // whoever asks again and again never falls silent
    const refused = (await world.writes()).filter(
      ({ responseStatus, objectRef }) =>
        responseStatus?.code === 403 && objectRef?.name?.startsWith("patient") === true,
    );
    // Both Services, at each of the first events of its other children.
    expect(refused.length).toBeLessThanOrEqual(20);
  } finally {
    await allow({ "count/services": "100", "count/secrets": "100" });
  }
  await world.remove("ArchiveNode", "patient");
});

test("a child that a stranger's finalizer holds is waited for without a write, and made anew when it is gone", async () => {
  await world.ready("held");
  await world.edit("Service", "held", { metadata: { finalizers: ["example.test/hold"] } });
  const { uid } = (await world.get("Service", "held"))?.metadata ?? {};
  await world.remove("Service", "held");
  const before = await world.quiet();
  await world.nudge("held");
  expect(await world.quiet()).toBe(before);
  expect((await world.get("Service", "held"))?.metadata.uid).toBe(uid);
  await world.edit("Service", "held", { metadata: { finalizers: null } });
  const isAnother = async () => ![undefined, uid].includes((await world.get("Service", "held"))?.metadata.uid);
  await waitUntil("another Service", isAnother, WAIT);
  await world.ready("held");
});

test("service keys that were replaced by garbage are made again, for the same identity", async () => {
  await world.ready("garbled");
  const nodeID = (await world.node("garbled"))?.status?.nodeID;
  const garbage = Buffer.from("not a key").toString("base64");
  const data = { "service.key": garbage, "tls.key": garbage, "tls.crt": garbage, "delegation.json": garbage };
  const read = async () =>
    (await world.get<KubeObject & { data?: Record<string, string> }>("Secret", "garbled-keys"))?.data ?? {};
  const files = Object.keys(await read()).sort();
  await world.edit("Secret", "garbled-keys", { data });
  const isMended = async () => !Object.values(await read()).includes(garbage);
  await waitUntil("the keys to be made again", isMended, WAIT);
  expect(Object.keys(await read()).sort()).toEqual(expect.arrayContaining(files));
  await world.ready("garbled");
  expect((await world.node("garbled"))?.status?.nodeID).toBe(nodeID);
});

test("a claim that is being deleted is named while the pod holds it; after the pod, node and identity go on with an empty volume", async () => {
  await world.ready("emptied");
  const nodeID = (await world.node("emptied"))?.status?.nodeID;
  const claim = async () => (await world.get("PersistentVolumeClaim", "data-emptied-0"))?.metadata;
  const { uid } = (await claim()) ?? {};
  // As a scheduled pod would have it: the stand-in's pods have no machine, so their claims are not protected.
  await world.edit("PersistentVolumeClaim", "data-emptied-0", { metadata: { finalizers: ["example.test/in-use"] } });
  await world.remove("PersistentVolumeClaim", "data-emptied-0");
  expect((await world.until("emptied", "StorageReady", "False")).message).toContain("data-emptied-0");
  expect((await claim())?.uid).toBe(uid);
  await world.edit("PersistentVolumeClaim", "data-emptied-0", { metadata: { finalizers: null } });
  await world.remove("Pod", "emptied-0");
  await waitUntil("another claim", async () => ![undefined, uid].includes((await claim())?.uid), WAIT);
  await world.ready("emptied");
  expect((await world.node("emptied"))?.status?.nodeID).toBe(nodeID);
});

test("a claim whose volume is lost is reported as lost, with what to do", async () => {
  await world.ready("bereft");
  const claim = await world.get<KubeObject & { spec: { volumeName?: string } }>(
    "PersistentVolumeClaim",
    "data-bereft-0",
  );
  const key = { name: claim?.spec.volumeName ?? "" };
  const uid = (await world.admin.get(VOLUMES, key, world.signal))?.metadata.uid ?? "";
  operator.standIn.held.add(`${NAMESPACE}/data-bereft-0`); // or the stand-in would make it a new volume
  await world.admin.delete({ resource: VOLUMES, key }, { uid }, world.signal);
  const merge = { contentType: "application/merge-patch+json", fieldManager: "somebody" } as const;
  await world.admin.patch({ resource: VOLUMES, key }, { metadata: { finalizers: null } }, merge, world.signal);
  const storage = await world.until("bereft", "StorageReady", "False");
  expect(storage.reason).toBe("VolumeLost");
  expect(storage.message).toMatch(/data-bereft-0 lost its volume.*restore/);
});

test("a kind that may not be read any more keeps a restarted operator from acting, and says so; given back, it goes on", async () => {
  const rules = await shippedRules();
  const blind = rules.map((rule) => ({
    ...rule,
    verbs: rule.resources.includes("services")
      ? rule.verbs.filter((verb) => !["get", "list", "watch"].includes(verb))
      : rule.verbs,
  }));
  await grantRights(world.admin, blind, world.signal);
  await operator.restart();
  const readyz = async () => {
    const answer = await fetch(`http://127.0.0.1:${operator.healthPort()}/readyz`);
    return { status: answer.status, text: await answer.text() };
  };
  const said = async () => (await readyz()).text.includes("services: not listed yet (forbidden)");
  await waitUntil("it to say what it may not read", said, WAIT);
  const before = (await world.writes()).length;
  await world.create("later");
  await grantRights(world.admin, rules, world.signal);
  await waitUntil("it to be ready", async () => (await readyz()).status === 200, WAIT);
  // A Service that could not be seen was not taken for missing.
  const services = (await world.writes()).slice(before).filter(({ objectRef }) => objectRef?.resource === "services");
  expect(services.filter(({ objectRef }) => objectRef?.name?.startsWith("later") !== true)).toEqual([]);
  await world.ready("later");
});

test("no object of an ArchiveNode, nor itself, carries a finalizer of ours: nothing of ours blocks a deletion", async () => {
  await world.ready("free");
  const children = await Promise.all(
    (["Service", "StatefulSet", "ServiceAccount", "NetworkPolicy", "ArchiveNode"] as const).map((kind) =>
      world.get(kind, "free"),
    ),
  );
  const secrets = await Promise.all(
    ["identity", "keys", "admin-tls", "access", "trust"].map((one) => world.get("Secret", `free-${one}`)),
  );
  const finalizers = [...children, ...secrets].map((object) => object?.metadata.finalizers ?? "none");
  expect(finalizers).toEqual(finalizers.map(() => "none"));
});

test("a storm of 429 delays: nobody asks again before the second is over, and each child is made once", async () => {
  const LEAST_STORM_MS = 5_000;
  await using proxy = await startApiServerProxy(world.server);
  const kubeconfigPath = await proxiedKubeconfig(world.server, proxy.url);
  const config = { kubeconfigPath, className: "stormy" };
  await using stormy = await startOperator({ server: world.server, admin: world.admin, config });
  const isReady = async () => (await fetch(`http://127.0.0.1:${stormy.healthPort()}/readyz`)).ok;
  await waitUntil("it to be ready", isReady, WAIT);
  const refused: string[] = [];
  let storming = true;
  const matches = ({ isWatch, method, path }: LoggedRequest) => {
    if (isWatch || !storming) return false;
    refused.push(`${method} ${path}`);
    return true;
  };
  const startMs = performance.now();
  proxy.addFault({ matches, fault: { kind: "answer", status: 429, retryAfterSeconds: 1 }, times: 10_000 });
  const names = ["storm-0", "storm-1", "storm-2"];
  const count = (all: readonly string[], wanted: string) => all.filter((one) => one === wanted).length;
  for (const name of names) await world.create(name, { className: "stormy" });
  await waitUntil("the storm to be over", () => performance.now() - startMs >= LEAST_STORM_MS, WAIT);
  storming = false;
  const stormMs = performance.now() - startMs;
  // Each request is sent again once a second; whoever ignores that sends it ten times at once.
  expect(refused.length).toBeGreaterThanOrEqual(names.length);
  const perRequest = [...new Set(refused)].map((one) => count(refused, one));
  expect(Math.max(...perRequest)).toBeLessThanOrEqual(2 + stormMs / 1_000);
  await world.ready(...names);
  const asked = proxy.writes.map(({ method, path }) => `${method} ${path}`);
  const services = [...new Set(asked.filter((one) => one.includes("/services/storm-")))];
  expect(services).toHaveLength(2 * names.length);
  expect(services.filter((one) => count(asked, one) - count(refused, one) !== 1)).toEqual([]);
});
