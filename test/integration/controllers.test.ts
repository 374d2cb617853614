/** From an ArchiveNode to its children and back to its status, against a real API server with its controllers. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { RESOURCES } from "../../operator/src/controllers/resource-types.ts";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import { type ArchiveWorld, archiveWorld } from "../testkit/archive-world.ts";
import {
  operatorRequests,
  put,
  type RunningOperator,
  shippedRules,
  startOperator,
  usedRights,
} from "../testkit/operator-under-test.ts";
import { unusedRights } from "../testkit/rights.ts";
import { SERVICE_MONITOR_KIND } from "../testkit/service-monitor-kind.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const DEADLINE = { deadlineMs: 60_000 };
const NAMESPACE = "archives";
const cleanUp = new AsyncDisposableStack();
let world: ArchiveWorld;
let operator: RunningOperator;

beforeAll(async () => {
  world = cleanUp.use(await archiveWorld({ namespace: NAMESPACE, ...DEADLINE }));
  operator = cleanUp.use(await startOperator({ server: world.server, admin: world.admin }));
});
afterAll(async () => {
  await cleanUp.disposeAsync();
});

const uidOf = async (kind: keyof typeof RESOURCES, name: string) => (await world.get(kind, name))?.metadata.uid;

test("an ArchiveNode becomes all of its children and is ready", async () => {
  await world.ready("alpha");
  const names = async (kind: keyof typeof RESOURCES) =>
    (
      await world.admin.list(
        RESOURCES[kind],
        { namespace: NAMESPACE, labelSelector: "archivestream.io/node=alpha" },
        world.signal,
      )
    ).items
      .map((item) => item.metadata.name)
      .sort();
  expect(await names("Secret")).toEqual(
    ["access", "admin-tls", "identity", "keys", "recovery", "trust"].map((one) => `alpha-${one}`),
  );
  expect(await names("ConfigMap")).toEqual(["alpha-config", "alpha-federation"]);
  expect(await names("Service")).toEqual(["alpha", "alpha-headless"]);
  expect(await names("StatefulSet")).toEqual(["alpha"]);
  expect(await names("NetworkPolicy")).toEqual(["alpha"]);
  expect(await names("ServiceAccount")).toEqual(["alpha"]);
  expect((await world.node("alpha"))?.status).toMatchObject({
    observedGeneration: 1,
    readyReplicas: 1,
    trust: { sequence: 1, observedSequence: 1 },
    federation: { configSequence: 1, observedConfigSequence: 1 },
  });
});

test("a restarted operator that finds everything in order writes nothing", async () => {
  const before = await world.quiet();
  await operator.restart();
  const asked = () => [...operator.standIn.calls.values()].reduce((sum, calls) => sum + calls, 0);
  const polls = asked();
  await waitUntil("the pods to be asked again", () => asked() > polls, DEADLINE);
  expect(await world.quiet()).toBe(before);
  expect((await world.condition("alpha", "Ready"))?.status).toBe("True");
});

test.each([
  ["Service", "alpha"],
  ["Service", "alpha-headless"],
  ["ConfigMap", "alpha-config"],
  ["ConfigMap", "alpha-federation"],
  ["Secret", "alpha-trust"],
  ["Secret", "alpha-keys"],
  ["Secret", "alpha-admin-tls"],
  ["Secret", "alpha-access"],
  ["ServiceAccount", "alpha"],
  ["NetworkPolicy", "alpha"],
  ["StatefulSet", "alpha"],
] as const)("a deleted %s %s comes back", async (kind, name) => {
  const uid = await uidOf(kind, name);
  await world.remove(kind, name);
  await waitUntil(`another ${kind} ${name}`, async () => ![undefined, uid].includes(await uidOf(kind, name)), DEADLINE);
  await world.ready("alpha");
});

test("edited children are repaired, also those whose contents are not cached", async () => {
  await world.edit("Service", "alpha", { spec: { ports: [{ name: "web", port: 1, protocol: "TCP" }] } });
  await world.edit("ConfigMap", "alpha-config", { data: { "config.json": "{}" } });
  await world.edit("StatefulSet", "alpha", { spec: { replicas: 0 } });
  await world.edit("Secret", "alpha-admin-tls", { data: { "tls.crt": "" } });
  await waitUntil(
    "the edits to be undone",
    async () => {
      const service = await world.get<KubeObject & { spec: { ports: { port: number }[] } }>("Service", "alpha");
      const config = await world.get<KubeObject & { data: Record<string, string> }>("ConfigMap", "alpha-config");
      const set = await world.get<KubeObject & { spec: { replicas: number } }>("StatefulSet", "alpha");
      const tls = await world.get<KubeObject & { data: Record<string, string> }>("Secret", "alpha-admin-tls");
      return (
        service?.spec.ports.some((one) => one.port === 8443) === true &&
        config?.data["config.json"] !== "{}" &&
        set?.spec.replicas === 1 &&
        tls?.data["tls.crt"] !== ""
      );
    },
    DEADLINE,
  );
  await world.ready("alpha");
});

test("a token that a user chose is kept", async () => {
  const token = Buffer.from("my-own-token-of-24-chars").toString("base64");
  await world.edit("Secret", "alpha-access", { data: { token } });
  await world.quiet();
  expect(
    (await world.get<KubeObject & { data: Record<string, string> }>("Secret", "alpha-access"))?.data["token"],
  ).toBe(token);
});

test("pods restart only when the pod that is rendered changed", async () => {
  const pod = () => uidOf("Pod", "alpha-0");
  const before = await pod();
  const sequence = (await world.node("alpha"))?.status?.trust?.sequence ?? 0;
  await world.edit("ArchiveNode", "alpha", {
    spec: { trust: { mode: "Public" }, endpoint: { service: { type: "NodePort" } } },
  });
  await waitUntil(
    "the new trust document",
    async () => (await world.node("alpha"))?.status?.trust?.observedSequence === sequence + 1,
    DEADLINE,
  );
  await world.quiet();
  expect(await pod()).toBe(before);
  await world.edit("ArchiveNode", "alpha", { spec: { collections: [{ name: "news", access: "Public" }] } });
  await waitUntil("another pod", async () => ![undefined, before].includes(await pod()), DEADLINE);
  await world.ready("alpha");
});

test("a suspended node is left as it is and goes on reporting", async () => {
  await world.edit("ArchiveNode", "alpha", { spec: { suspend: true } });
  await world.reason("alpha", "Suspended", "SuspendedByUser");
  await world.remove("NetworkPolicy", "alpha");
  await world.quiet();
  expect(await world.get("NetworkPolicy", "alpha")).toBeUndefined();
  await world.edit("ArchiveNode", "alpha", { spec: { suspend: null } });
  await waitUntil("the NetworkPolicy", async () => (await world.get("NetworkPolicy", "alpha")) !== undefined, DEADLINE);
});

test("a child's name that is taken is reported, and the stranger is left alone", async () => {
  const stranger = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { namespace: NAMESPACE, name: "epsilon-config" },
    data: { "config.json": "mine" },
  };
  await world.admin.create(RESOURCES.ConfigMap, stranger, world.signal);
  await world.create("epsilon");
  await world.reason("epsilon", "Stalled", "ChildNotOwned");
  expect((await world.get<KubeObject & { data: object }>("ConfigMap", "epsilon-config"))?.data).toEqual({
    "config.json": "mine",
  });
});

test("declared engines are refused honestly: no pod runs", async () => {
  await world.create("zeta", {
    storage: { objectStore: { endpoint: "https://s3.test", bucket: "bucket", credentialsRef: { name: "s" } } },
    index: { openSearch: { endpoints: ["https://os.test"], credentialsRef: { name: "s" } } },
    coordination: { redis: { urlRef: { name: "s" } } },
  });
  await world.reason("zeta", "Accepted", "NotImplementedEngines");
  expect((await world.get<KubeObject & { spec: { replicas: number } }>("StatefulSet", "zeta"))?.spec.replicas).toBe(0);
});

test("volumes grow around running pods", async () => {
  const storageClass = {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name: "growing" },
    provisioner: "example.test/none",
    allowVolumeExpansion: true,
  };
  await put(world.admin, storageClass, world.signal);
  await world.create("eta", { storage: { size: "1Gi", className: "growing" } });
  await world.ready("eta");
  const pod = await uidOf("Pod", "eta-0");
  const set = await uidOf("StatefulSet", "eta");
  await world.edit("ArchiveNode", "eta", { spec: { storage: { size: "2Gi" } } });
  await waitUntil(
    "another StatefulSet",
    async () => ![undefined, set].includes(await uidOf("StatefulSet", "eta")),
    DEADLINE,
  );
  await world.ready("eta");
  expect((await world.node("eta"))?.status?.storage).toEqual({ requested: "2Gi", capacity: "2Gi", resizing: false });
  expect(await uidOf("Pod", "eta-0")).toBe(pod);
  expect((await world.node("eta"))?.metadata.annotations).toBeUndefined();
});

test("a volume whose class cannot grow, and one that should shrink, stall with what to do", async () => {
  await put(
    world.admin,
    {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: { name: "fixed" },
      provisioner: "example.test/none",
    } as KubeObject,
    world.signal,
  );
  await world.create("theta", { storage: { size: "1Gi", className: "fixed" } });
  await world.ready("theta");
  await world.edit("ArchiveNode", "theta", { spec: { storage: { size: "2Gi" } } });
  await world.reason("theta", "Stalled", "StorageNotExpandable");
  await world.edit("ArchiveNode", "theta", { spec: { storage: { size: "500Mi" } } });
  await world.reason("theta", "Stalled", "StorageShrinkRejected");
  await world.edit("ArchiveNode", "theta", { spec: { storage: { size: "1Gi" } } });
  await world.ready("theta");
});

test("a peer is trusted once the pods took the document that names it, and a policy is programmed", async () => {
  await world.ready("alpha");
  const matchLabels = { federates: "yes" };
  await world.edit("ArchiveNode", "alpha", { metadata: { labels: matchLabels } });
  const peer = {
    apiVersion: "archivestream.io/v1alpha1",
    kind: "FederationPeer",
    metadata: { namespace: NAMESPACE, name: "p" },
    spec: { nodeID: "ab".repeat(32), nodeSelector: { matchLabels } },
  };
  await world.admin.create(RESOURCES.FederationPeer, peer as KubeObject, world.signal);
  const policy = {
    apiVersion: peer.apiVersion,
    kind: "SyncPolicy",
    metadata: { namespace: NAMESPACE, name: "s" },
    spec: { nodeSelector: { matchLabels }, peerSelector: {}, interval: "10m" },
  };
  await world.admin.create(RESOURCES.SyncPolicy, policy as KubeObject, world.signal);
  type WithStatus = KubeObject & {
    status?: { conditions?: { type: string; status: string; reason: string; message: string }[] };
  };
  const find = async (type: string) =>
    (await world.get<WithStatus>("FederationPeer", "p"))?.status?.conditions?.find((one) => one.type === type);
  await waitUntil("the peer to be trusted", async () => (await find("Trusted"))?.status === "True", DEADLINE);
  expect(await find("Accepted")).toMatchObject({ status: "True", reason: "Accepted" });
  const condition = async (type: string) =>
    (await world.get<WithStatus>("SyncPolicy", "s"))?.status?.conditions?.find((one) => one.type === type);
  await waitUntil(
    "the policy to be programmed",
    async () => (await condition("Programmed"))?.status === "True",
    DEADLINE,
  );
  expect(await condition("Ready")).toMatchObject({ status: "True" });
});

test("optional children go when the spec does not want them any more", async () => {
  const serviceAccountName = "default";
  await world.edit("ArchiveNode", "alpha", {
    spec: { networkPolicy: { mode: "Disabled" }, podTemplate: { serviceAccountName } },
  });
  const gone = async (kind: "NetworkPolicy" | "ServiceAccount") => (await world.get(kind, "alpha")) === undefined;
  await waitUntil("both to go", async () => (await gone("NetworkPolicy")) && (await gone("ServiceAccount")), DEADLINE);
  await world.ready("alpha");
});

test("a ServiceMonitor is made when that kind appears, and goes when it is not wanted", async () => {
  await put(world.admin, SERVICE_MONITOR_KIND, world.signal);
  await waitUntil("the ServiceMonitor", async () => (await world.get("ServiceMonitor", "alpha")) !== undefined, {
    deadlineMs: 120_000,
  });
  await world.edit("ArchiveNode", "alpha", { spec: { monitoring: { mode: "Disabled" } } });
  await waitUntil("it to go", async () => (await world.get("ServiceMonitor", "alpha")) === undefined, DEADLINE);
});

test("nothing was refused, and every shipped right was used or says why it is there", async () => {
  const requests = await operatorRequests(world.server);
  const refused = requests.filter(
    (one) => one.responseStatus?.code === 403 && !one.requestURI.includes("persistentvolumeclaims/data-theta"),
  );
  expect(refused.map((one) => `${one.verb} ${one.requestURI}`)).toEqual([]);
  expect(unusedRights(await shippedRules(), usedRights(requests))).toEqual([]);
});
