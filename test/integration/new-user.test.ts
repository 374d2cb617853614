/** What somebody new gets wrong, on a real API server: every refusal and every condition names the next step. */
import {
  type ArchiveNode,
  ArchiveNodeDefinition,
  type ArchiveNodeSpec,
  customResourceDefinition,
} from "@archivestream/crds";
import { afterAll, beforeAll, expect, it } from "vitest";
import { RESOURCES } from "../../operator/src/controllers/resource-types.ts";
import type { KubeClient } from "../../operator/src/kube/client.ts";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import { startApiServer } from "../cluster/api-server.ts";
import { administratorOf } from "../testkit/administrator.ts";
import { newNode, prepareCluster, put, startOperator } from "../testkit/operator-under-test.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const FREE = "free";
/** Has a quota that admits neither pods nor volumes. */
const FULL = "full";
const signal = AbortSignal.timeout(600_000);
const cleanUp = new AsyncDisposableStack();
let admin: KubeClient;

beforeAll(async () => {
  const server = await startApiServer({ controllerManager: true, signal });
  cleanUp.defer(() => server.stop());
  admin = cleanUp.use(await administratorOf(server)).client;
  await prepareCluster(admin, signal);
  for (const name of [FREE, FULL])
    await put(admin, { apiVersion: "v1", kind: "Namespace", metadata: { name } }, signal);
  const resource = { group: "", version: "v1", kind: "ResourceQuota", plural: "resourcequotas", namespaced: true };
  const spec = { hard: { pods: "0", "requests.storage": "1Gi" } };
  const key = { namespace: FULL, name: "team" };
  await admin.create(resource, { apiVersion: "v1", kind: "ResourceQuota", metadata: key, spec } as KubeObject, signal);
  await waitUntil(
    "the quota to be in force",
    async () => (await admin.get<KubeObject & { status?: { hard?: object } }>(resource, key, signal))?.status?.hard,
    { deadlineMs: 60_000 },
  );
  const operator = cleanUp.use(await startOperator({ server, admin }));
  operator.standIn.held.add(`${FREE}/late-0`);
});
afterAll(async () => {
  await cleanUp.disposeAsync();
});

const create = (name: string, spec: ArchiveNodeSpec, namespace = FREE) =>
  admin.create(RESOURCES.ArchiveNode, newNode(namespace, name, spec) as ArchiveNode & KubeObject, signal);

it.each<[why: string, name: string, spec: ArchiveNodeSpec, answer: RegExp]>([
  ["three replicas on one disk", "three", { replicas: 3 }, /set storage\.objectStore, .* or replicas to 0 or 1/],
  [
    "a volume of a fraction",
    "crumb",
    { storage: { size: "1500m" } },
    /storage\.size is an amount of bytes.* write M or Mi/,
  ],
  ["no address", "nowhere", { endpoint: { advertised: "https://" } }, /advertised takes https:\/\/, a host/],
  [
    "no port",
    "beyond",
    { endpoint: { advertised: "https://archive.example:99999" } },
    /advertised takes https:\/\/, a host/,
  ],
  ["a name that pods cannot carry", "n".repeat(41), {}, /metadata\.name must have at most 40 characters/],
])("%s is refused at once", async (_why, name, spec, answer) => {
  await expect(create(name, spec)).rejects.toThrow(answer);
});

it.each<[why: string, name: string, spec: ArchiveNodeSpec, namespace: string, message: RegExp]>([
  ["a volume without room", "tiny", { storage: { size: "50Mi" } }, FREE, /set spec\.storage\.size to 512Mi or more/],
  ["a volume of less than nothing", "minus", { storage: { size: -5 } }, FREE, /size is -5,.* set spec\.storage\.size/],
  ["a missing identity", "lone", { identity: { secretRef: { name: "mine" } } }, FREE, /Secret mine, .* create it/],
  ["a suspended node", "asleep", { suspend: true }, FREE, /spec\.suspend is true: set it to false/],
  ["a pod that does not start", "late", {}, FREE, /0 of 1 pods ready; pod late-0: .*kubectl describe pod late-0/],
  ["a full quota", "much", {}, FULL, /ResourceQuota team leaves no room for .+; raise that quota/],
])("%s is not ready, and says what to do", async (_why, name, spec, namespace, message) => {
  await create(name, spec, namespace);
  const key = { namespace, name };
  await waitUntil(
    `${name} to say ${message}`,
    async () => {
      const conditions = (await admin.get<ArchiveNode & KubeObject>(RESOURCES.ArchiveNode, key, signal))?.status
        ?.conditions;
      const ready = conditions?.find(({ type }) => type === "Ready");
      return ready?.status !== "True" && message.test(ready?.message ?? "");
    },
    { deadlineMs: 60_000 },
  );
});

it("a size is taken in whatever form the API allows", async () => {
  await create("odd", { storage: { size: "1.5Gi" } });
  const stored = () =>
    admin.get<ArchiveNode & KubeObject>(RESOURCES.ArchiveNode, { namespace: FREE, name: "odd" }, signal);
  const isReady = async () =>
    (await stored())?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True");
  await waitUntil("odd to be ready", isReady, { deadlineMs: 60_000 });
  expect((await stored())?.status?.storage).toMatchObject({ capacity: "1536Mi", resizing: false });
});

it("a word that only a newer release knows is named, and the node goes on when it is changed", async () => {
  const kind = JSON.stringify(customResourceDefinition(ArchiveNodeDefinition));
  const newer = kind.replace('"Federation","Private"', '"Federation","Private","Staff"');
  await put(admin, JSON.parse(newer) as KubeObject, signal);
  const collections = [{ name: "news", access: "Staff" as "Public" }];
  const isCreated = () => create("ahead", { collections }).then(Boolean, () => false);
  await waitUntil("the newer kind to be served", isCreated, { deadlineMs: 60_000 });
  const key = { namespace: FREE, name: "ahead" };
  const condition = async (wanted: string) =>
    (await admin.get<ArchiveNode & KubeObject>(RESOURCES.ArchiveNode, key, signal))?.status?.conditions?.find(
      ({ type, status }) => type === wanted && status === "True",
    );
  const stalled = await waitUntil("it to stall", () => condition("Stalled"), { deadlineMs: 60_000 });
  expect(stalled.reason).toBe("InvalidSpec");
  expect(stalled.message).toMatch(/spec\.collections\[0\]\.access: .*; change that field/);
  const mended = { spec: { collections: [{ name: "news", access: "Private" }] } };
  const options = { contentType: "application/merge-patch+json", fieldManager: "somebody" } as const;
  await admin.patch({ resource: RESOURCES.ArchiveNode, key }, mended, options, signal);
  await waitUntil("it to be ready", () => condition("Ready"), { deadlineMs: 60_000 });
});

it("a volume without room is not made", async () => {
  const claims = await admin.list(RESOURCES.PersistentVolumeClaim, { namespace: FREE }, signal);
  expect(claims.items.map(({ metadata }) => metadata.name)).not.toContain("data-tiny-0");
});
