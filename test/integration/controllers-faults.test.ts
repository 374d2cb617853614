/** What goes wrong around the operator: rights taken, children vandalised, a namespace deleted. */
import type { ArchiveNode, ArchiveNodeConditionType } from "@archivestream/crds";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RESOURCES } from "../../operator/src/controllers/resource-types.ts";
import type { KubeClient } from "../../operator/src/kube/client.ts";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { administratorOf } from "../testkit/administrator.ts";
import { NAMESPACES } from "../testkit/kube-connection.ts";
import {
  grantRights,
  newNode,
  prepareCluster,
  put,
  shippedRules,
  startOperator,
} from "../testkit/operator-under-test.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const DEADLINE = { deadlineMs: 60_000 };
const NAMESPACE = "faults";
const signal = AbortSignal.timeout(600_000);
const cleanUp = new AsyncDisposableStack();
let server: ApiServer;
let admin: KubeClient;

beforeAll(async () => {
  server = await startApiServer({ controllerManager: true, auditLog: true, signal: AbortSignal.timeout(150_000) });
  cleanUp.defer(() => server.stop());
  admin = cleanUp.use(await administratorOf(server)).client;
  await prepareCluster(admin, signal);
  for (const name of [NAMESPACE, "doomed"])
    await put(admin, { apiVersion: "v1", kind: "Namespace", metadata: { name } }, signal);
  cleanUp.use(await startOperator({ server, admin }));
});
afterAll(async () => {
  await cleanUp.disposeAsync();
});

const get = <T extends KubeObject>(kind: keyof typeof RESOURCES, name: string, namespace = NAMESPACE) =>
  admin.get<T>(RESOURCES[kind], { namespace, name }, signal);
const condition = async (name: string, type: ArchiveNodeConditionType, namespace = NAMESPACE) =>
  (await get<ArchiveNode & KubeObject>("ArchiveNode", name, namespace))?.status?.conditions?.find(
    (one) => one.type === type,
  );
const isReady = (name: string, namespace = NAMESPACE) =>
  waitUntil(
    `${name} to be ready`,
    async () => (await condition(name, "Ready", namespace))?.status === "True",
    DEADLINE,
  );
async function readyNode(name: string, namespace = NAMESPACE): Promise<void> {
  await admin.create(RESOURCES.ArchiveNode, newNode(namespace, name) as ArchiveNode & KubeObject, signal);
  await isReady(name, namespace);
}
const mergePatch = (kind: keyof typeof RESOURCES, name: string, body: object) =>
  admin.patch(
    { resource: RESOURCES[kind], key: { namespace: NAMESPACE, name } },
    body,
    { contentType: "application/merge-patch+json", fieldManager: "vandal" },
    signal,
  );

const STOMPED = { labels: { "app.kubernetes.io/managed-by": "vandal" } };

test("a stomped label comes back", async () => {
  await readyNode("alpha");
  const before = (await get("Service", "alpha"))?.metadata;
  await mergePatch("Service", "alpha", { metadata: STOMPED });
  const isRepaired = async () =>
    JSON.stringify((await get("Service", "alpha"))?.metadata.labels) === JSON.stringify(before?.labels);
  await waitUntil("the label to be repaired", isRepaired, DEADLINE);
});

test("an owner reference that was taken away comes back", async () => {
  await readyNode("omega");
  await mergePatch("Service", "omega", { metadata: { ownerReferences: null } });
  const isOwnedAgain = async () => (await get("Service", "omega"))?.metadata.ownerReferences?.length === 1;
  await waitUntil("the owner reference to come back", isOwnedAgain, DEADLINE);
});

test("an object that lost its owner and was changed by another counts as theirs, and is named", async () => {
  await readyNode("theta");
  await mergePatch("Service", "theta", { metadata: { ...STOMPED, ownerReferences: null } });
  const reported = await waitUntil(
    "the node to stall",
    async () => {
      const found = await condition("theta", "Stalled");
      return found?.status === "True" ? found : undefined;
    },
    DEADLINE,
  );
  expect(reported).toMatchObject({ reason: "ChildNotOwned" });
  expect(reported.message).toContain("Service theta");
});

test("an emptied Secret with certificates is filled again, with the same identity", async () => {
  await readyNode("beta");
  const nodeID = (await get<ArchiveNode & KubeObject>("ArchiveNode", "beta"))?.status?.nodeID;
  await mergePatch("Secret", "beta-admin-tls", { data: null });
  await waitUntil(
    "the Secret to be filled",
    async () =>
      Object.keys((await get<KubeObject & { data?: object }>("Secret", "beta-admin-tls"))?.data ?? {}).length > 0,
    DEADLINE,
  );
  await isReady("beta");
  expect((await get<ArchiveNode & KubeObject>("ArchiveNode", "beta"))?.status?.nodeID).toBe(nodeID);
});

test("of edits that come faster than reconciles the last one counts", async () => {
  await readyNode("gamma");
  for (let seconds = 1; seconds <= 20; seconds++) {
    await mergePatch("ArchiveNode", "gamma", { spec: { updateStrategy: { minReadySeconds: seconds } } });
  }
  const settled = async () => {
    const node = await get<ArchiveNode & KubeObject>("ArchiveNode", "gamma");
    const stateful = await get<KubeObject & { spec: { minReadySeconds?: number } }>("StatefulSet", "gamma");
    return stateful?.spec.minReadySeconds === 20 && node?.status?.observedGeneration === node?.metadata.generation;
  };
  await waitUntil("the last edit to arrive and to be reported", settled, DEADLINE);
});

test("a right that was taken is named, and the work goes on when it is given back", async () => {
  const rules = await shippedRules();
  const reading = rules.map((rule) => ({
    ...rule,
    verbs: rule.resources.includes("services") ? ["get", "list", "watch"] : rule.verbs,
  }));
  await grantRights(admin, reading, signal);
  await admin.create(RESOURCES.ArchiveNode, newNode(NAMESPACE, "delta") as ArchiveNode & KubeObject, signal);
  const stalled = await waitUntil(
    "the node to stall",
    async () => {
      const found = await condition("delta", "Stalled");
      return found?.status === "True" ? found : undefined;
    },
    DEADLINE,
  );
  expect(stalled.reason).toBe("Forbidden");
  expect(stalled.message).toMatch(/cannot patch resource "services".*grant what it names/);
  await grantRights(admin, rules, signal);
  // Rights change without an event; an annotation asks for another look, as a person would.
  await mergePatch("ArchiveNode", "delta", { metadata: { annotations: { "archivestream.io/look": "again" } } });
  await isReady("delta");
});

test("a namespace with a ready node can be deleted", async () => {
  await readyNode("epsilon", "doomed");
  const uid = (await admin.get(NAMESPACES, { name: "doomed" }, signal))?.metadata.uid ?? "";
  await admin.delete({ resource: NAMESPACES, key: { name: "doomed" } }, { uid }, signal);
  const gone = async () => (await admin.get(NAMESPACES, { name: "doomed" }, signal)) === undefined;
  await waitUntil("the namespace to be gone", gone, DEADLINE);
});
