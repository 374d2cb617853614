/** What people change on a running archive: its children, its volumes, and whether anything is done about it at all. */
import { ADMIN_PATHS } from "@archivestream/node/contract";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RESOURCES } from "../../operator/src/controllers/resource-types.ts";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import { type ArchiveWorld, archiveWorld } from "../testkit/archive-world.ts";
import { put, type RunningOperator, startOperator } from "../testkit/operator-under-test.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const WAIT = { deadlineMs: 90_000 };
const NAMESPACE = "changes";
const cleanUp = new AsyncDisposableStack();
let world: ArchiveWorld;
let operator: RunningOperator;

beforeAll(async () => {
  world = cleanUp.use(await archiveWorld({ namespace: NAMESPACE, deadlineMs: WAIT.deadlineMs }));
  const growing = {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name: "growing" },
    provisioner: "example.test/none",
    allowVolumeExpansion: true,
  };
  await put(world.admin, growing, world.signal);
  operator = cleanUp.use(await startOperator({ server: world.server, admin: world.admin }));
});
afterAll(async () => {
  await cleanUp.disposeAsync();
});

const uidOf = async (kind: "Pod" | "StatefulSet", name: string) => (await world.get(kind, name))?.metadata.uid;
const isAnother = (kind: "Pod" | "StatefulSet", name: string, before: string | undefined) =>
  waitUntil(`another ${kind} ${name}`, async () => ![undefined, before].includes(await uidOf(kind, name)), WAIT);

interface NetworkPolicy extends KubeObject {
  readonly spec: { readonly ingress: readonly { readonly ports?: readonly object[] }[] };
}
const withFirstRule = ({ spec }: NetworkPolicy, change: (ports: readonly object[]) => object) => {
  const [open, ...rest] = spec.ingress;
  return { spec: { ingress: [{ ...open, ...change(open?.ports ?? []) }, ...rest] } };
};

test.each<[what: string, kind: "NetworkPolicy" | "ServiceAccount", edit: (now: NetworkPolicy) => object]>([
  ["a port let in", "NetworkPolicy", (now) => withFirstRule(now, (ports) => ({ ports: [...ports, { port: 22 }] }))],
  ["clients kept out", "NetworkPolicy", (now) => withFirstRule(now, () => ({ from: [{ podSelector: {} }] }))],
  ["every way out opened", "NetworkPolicy", () => ({ spec: { egress: [{}] } })],
  ["a token for the pods", "ServiceAccount", () => ({ automountServiceAccountToken: true })],
  ["a token for the pods, unsaid", "ServiceAccount", () => ({ automountServiceAccountToken: null })],
])("%s by an edit of the %s is undone", async (_what, kind, edit) => {
  await world.ready("edited");
  const before = await world.get<NetworkPolicy>(kind, "edited");
  if (before === undefined) throw new Error(`no ${kind}`);
  const content = (object: KubeObject) => JSON.stringify({ ...object, metadata: undefined });
  const target = { resource: RESOURCES[kind], key: { namespace: NAMESPACE, name: "edited" } };
  const options = { contentType: "application/merge-patch+json", fieldManager: "somebody" } as const;
  const edited = await world.admin.patch(target, edit(before), options, world.signal);
  expect(content(edited)).not.toBe(content(before));
  const isUndone = async () => content((await world.get(kind, "edited")) ?? edited) === content(before);
  await waitUntil("the edit to be undone", isUndone, WAIT);
});

test("a class that is named later is for volumes to come, says so, and stands in the way of nothing", async () => {
  await world.create("classless", { storage: { size: "1Gi" } });
  await world.until("classless", "Ready", "True");
  const [pod, set] = [await uidOf("Pod", "classless-0"), await uidOf("StatefulSet", "classless")];
  await world.edit("ArchiveNode", "classless", { spec: { storage: { className: "growing" } } });
  await isAnother("StatefulSet", "classless", set);
  await world.until("classless", "Ready", "True");
  expect(await uidOf("Pod", "classless-0")).toBe(pod);
  const accepted = await world.condition("classless", "Accepted");
  expect(accepted).toMatchObject({ status: "True", reason: "VolumesKept" });
  expect(accepted?.message).toMatch(
    /spec\.storage\.className is growing, but volume data-classless-0 .*make a new ArchiveNode/,
  );
  await world.edit("ArchiveNode", "classless", { spec: { version: "0.1.1" } });
  await isAnother("Pod", "classless-0", pod);
  await world.until("classless", "Ready", "True");
});

test("a claim that found no class comes back with the one that was named since", async () => {
  operator.standIn.held.add(`${NAMESPACE}/data-forgetful-0`);
  await world.create("forgetful", { storage: { size: "1Gi" } });
  await world.until("forgetful", "StorageReady", "False");
  const set = await waitUntil("the StatefulSet", () => uidOf("StatefulSet", "forgetful"), WAIT);
  await waitUntil("the claim", async () => world.get("PersistentVolumeClaim", "data-forgetful-0"), WAIT);
  await world.edit("ArchiveNode", "forgetful", { spec: { storage: { className: "growing" } } });
  await isAnother("StatefulSet", "forgetful", set);
  const advice = "kubectl delete pvc/data-forgetful-0 pod/forgetful-0";
  const isAdvised = async () => (await world.condition("forgetful", "StorageReady"))?.message.includes(advice);
  await waitUntil("the advice to begin with another claim", isAdvised, WAIT);
  operator.standIn.held.delete(`${NAMESPACE}/data-forgetful-0`);
  await world.remove("PersistentVolumeClaim", "data-forgetful-0");
  await world.remove("Pod", "forgetful-0");
  await world.until("forgetful", "Ready", "True");
  type Claim = KubeObject & { spec: { storageClassName?: string } };
  const claim = await world.get<Claim>("PersistentVolumeClaim", "data-forgetful-0");
  expect(claim?.spec.storageClassName).toBe("growing");
  expect(await world.condition("forgetful", "Accepted")).toMatchObject({ reason: "Accepted" });
});

test("a claim without a volume grows when it has one", async () => {
  operator.standIn.held.add(`${NAMESPACE}/data-early-0`);
  await world.create("early", { storage: { size: "1Gi", className: "growing" } });
  await world.until("early", "Available", "True");
  await world.edit("ArchiveNode", "early", { spec: { storage: { size: "2Gi" } } });
  await world.quiet();
  expect(await world.condition("early", "Stalled")).toBeUndefined();
  expect((await world.condition("early", "StorageReady"))?.message).toContain("not bound yet: data-early-0");
  operator.standIn.held.delete(`${NAMESPACE}/data-early-0`);
  await world.until("early", "Ready", "True");
  const isGrown = async () => (await world.node("early"))?.status?.storage?.capacity === "2Gi";
  await waitUntil("the volume to have grown", isGrown, WAIT);
  await world.until("early", "Ready", "True");
});

test("what the API server refuses is named and counted, and asked for again when the spec changes", async () => {
  const terminalErrors = async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${operator.healthPort()}/metrics`)).text();
    return Number(
      /^controller_runtime_terminal_reconcile_errors_total\{controller="archive-node"\} (\d+)/m.exec(metrics)?.[1],
    );
  };
  const before = await terminalErrors();
  await world.create("greedy", { resources: { requests: { memory: "2Gi" }, limits: { memory: "1Gi" } } });
  const stalled = await world.until("greedy", "Stalled", "True");
  expect(stalled.reason).toBe("InvalidSpec");
  expect(stalled.message).toMatch(/resources\.requests: .*change that field/);
  await waitUntil("the error to be counted", async () => (await terminalErrors()) > before, WAIT);
  await world.quiet();
  await world.edit("ArchiveNode", "greedy", { spec: { resources: { limits: { memory: "2Gi" } } } });
  await world.until("greedy", "Ready", "True");
});

test("exclusions are taken as people write them; one that would exclude nothing is refused, and the node goes on", async () => {
  const excluding = (...exclude: readonly string[]) => ({ collections: [{ name: "news", access: "Public", exclude }] });
  const edit = (spec: object) => world.edit("ArchiveNode", "excluding", { spec });
  await world.ready("excluding");
  const pod = await uidOf("Pod", "excluding-0");
  await edit(excluding("https://example.org/private", "private"));
  const stalled = await world.until("excluding", "Stalled", "True");
  expect(stalled.message).toMatch(/spec\.collections\[0\]\.exclude\[1\]: "private" would exclude nothing: write a URL/);
  expect(await world.condition("excluding", "Accepted")).toMatchObject({ status: "False", reason: "InvalidSpec" });
  expect(await uidOf("Pod", "excluding-0")).toBe(pod);
  await edit(excluding("https://example.org/private", "*.example.net", "org,example,a)/"));
  await isAnother("Pod", "excluding-0", pod);
  await world.until("excluding", "Ready", "True");
});

interface SecretObject extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}
const pushes = () => operator.standIn.calls.get(`PUT ${ADMIN_PATHS.trust}`) ?? 0;

test("keys, documents and Secrets of a suspended node are left as they are, and reported", async () => {
  await world.ready("resting");
  const node = await world.node("resting");
  const trust = async () => (await world.get<SecretObject>("Secret", "resting-trust"))?.data;
  const [document, pushed] = [await trust(), pushes()];
  await world.edit("ArchiveNode", "resting", { spec: { suspend: true } });
  await world.until("resting", "Suspended", "True");
  await world.edit("ArchiveNode", "resting", { spec: { trust: { mode: "Public" } } });
  for (const name of ["keys", "access", "admin-tls"]) await world.remove("Secret", `resting-${name}`);
  await world.quiet();
  await operator.restart();
  await world.quiet();
  for (const name of ["keys", "access", "admin-tls"])
    expect(await world.get("Secret", `resting-${name}`), name).toBeUndefined();
  expect(await trust()).toEqual(document);
  expect(pushes()).toBe(pushed);
  const { status } = (await world.node("resting")) ?? {};
  expect(status).toMatchObject({ nodeID: node?.status?.nodeID, trust: node?.status?.trust ?? {} });

  await world.remove("Secret", "resting-identity");
  expect((await world.until("resting", "Stalled", "True")).reason).toBe("IdentityLost");
  await world.edit("ArchiveNode", "resting", { spec: { suspend: null } });
  await waitUntil("the node to be awake", async () => !(await world.condition("resting", "Suspended")), WAIT);
  expect(await world.get("Secret", "resting-identity")).toBeUndefined();
});

test("a node that is made suspended gets nothing before it is woken", async () => {
  await world.create("unborn", { suspend: true });
  await world.until("unborn", "Suspended", "True");
  await world.quiet();
  for (const name of ["identity", "recovery", "keys", "access", "admin-tls", "trust"])
    expect(await world.get("Secret", `unborn-${name}`), name).toBeUndefined();
  expect((await world.condition("unborn", "Ready"))?.message).toMatch(/while spec\.suspend is true/);
  await world.edit("ArchiveNode", "unborn", { spec: { suspend: false } });
  await world.until("unborn", "Ready", "True");
  expect((await world.node("unborn"))?.status?.trust?.sequence).toBe(1);
});
