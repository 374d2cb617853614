/** From an ArchiveNode to its children and back to its status, against a real API server with its controllers. */
import type { ArchiveNode, ArchiveNodeConditionType } from "@archivestream/crds";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RESOURCES } from "../../operator/src/controllers/resource-types.ts";
import type { KubeClient } from "../../operator/src/kube/client.ts";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { startApiServerProxy } from "../testkit/api-server-proxy.ts";
import { connectTo } from "../testkit/kube-connection.ts";
import {
  type AuditedRequest,
  newNode,
  operatorRequests,
  prepareCluster,
  put,
  type RunningOperator,
  shippedRules,
  startOperator,
  writesOf,
} from "../testkit/operator-under-test.ts";
import { SERVICE_MONITOR_KIND } from "../testkit/service-monitor-kind.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const DEADLINE = { deadlineMs: 60_000 };
const NAMESPACE = "archives";
const signal = AbortSignal.timeout(600_000);
let server: ApiServer;
let admin: KubeClient;
let operator: RunningOperator;
const cleanUp = new AsyncDisposableStack();

beforeAll(async () => {
  server = await startApiServer({ controllerManager: true, auditLog: true, signal: AbortSignal.timeout(150_000) });
  cleanUp.defer(() => server.stop());
  admin = cleanUp.use(connectTo(cleanUp.use(await startApiServerProxy(server)).url)).client;
  await prepareCluster(admin, signal);
  await put(admin, { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } }, signal);
  operator = cleanUp.use(await startOperator({ server, admin }));
});
afterAll(async () => {
  await cleanUp.disposeAsync();
});

const node = (name: string) =>
  admin.get<ArchiveNode & KubeObject>(RESOURCES.ArchiveNode, { namespace: NAMESPACE, name }, signal);
const condition = async (name: string, type: ArchiveNodeConditionType) =>
  (await node(name))?.status?.conditions?.find((one) => one.type === type);
const create = (made: ArchiveNode) => admin.create(RESOURCES.ArchiveNode, made as ArchiveNode & KubeObject, signal);
const ready = async (name: string) => {
  await waitUntil(`${name} to be ready`, async () => (await condition(name, "Ready"))?.status === "True", DEADLINE);
};
const reason = (name: string, type: ArchiveNodeConditionType, wanted: string) =>
  waitUntil(`${type}/${wanted} of ${name}`, async () => (await condition(name, type))?.reason === wanted, DEADLINE);
const get = <T extends KubeObject>(kind: keyof typeof RESOURCES, name: string) =>
  admin.get<T>(RESOURCES[kind], { namespace: NAMESPACE, name }, signal);
const mergePatch = (kind: keyof typeof RESOURCES, name: string, body: object) =>
  admin.patch(
    { resource: RESOURCES[kind], key: { namespace: NAMESPACE, name } },
    body,
    { contentType: "application/merge-patch+json", fieldManager: "somebody" },
    signal,
  );
const drop = async (kind: keyof typeof RESOURCES, name: string) => {
  const uid = (await get(kind, name))?.metadata.uid ?? "";
  await admin.delete({ resource: RESOURCES[kind], key: { namespace: NAMESPACE, name } }, { uid }, signal);
  return uid;
};
const writes = async () => writesOf(await operatorRequests(server)).length;
/** Waits until the operator has written nothing for a while. */
const quiet = async () => {
  let last = -1;
  let since = performance.now();
  await waitUntil(
    "the operator to fall silent",
    async () => {
      const now = await writes();
      if (now !== last) since = performance.now();
      last = now;
      return performance.now() - since > 3_000;
    },
    DEADLINE,
  );
  return last;
};

test("an ArchiveNode becomes all of its children and is ready", async () => {
  await create(newNode(NAMESPACE, "alpha"));
  await ready("alpha");
  const names = async (kind: keyof typeof RESOURCES) =>
    (
      await admin.list(RESOURCES[kind], { namespace: NAMESPACE, labelSelector: "archivestream.io/node=alpha" }, signal)
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
  expect((await node("alpha"))?.status).toMatchObject({
    observedGeneration: 1,
    readyReplicas: 1,
    trust: { sequence: 1, observedSequence: 1 },
    federation: { configSequence: 1, observedConfigSequence: 1 },
  });
});

test("a restarted operator that finds everything in order writes nothing", async () => {
  const before = await quiet();
  await operator.restart();
  const asked = () => [...operator.standIn.calls.values()].reduce((sum, calls) => sum + calls, 0);
  const polls = asked();
  await waitUntil("the pods to be asked again", () => asked() > polls, DEADLINE);
  expect(await quiet()).toBe(before);
  expect((await condition("alpha", "Ready"))?.status).toBe("True");
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
  const uid = await drop(kind, name);
  await waitUntil(
    `another ${kind} ${name}`,
    async () => ![undefined, uid].includes((await get(kind, name))?.metadata.uid),
    DEADLINE,
  );
  await ready("alpha");
});

test("edited children are repaired, also those whose contents are not cached", async () => {
  await mergePatch("Service", "alpha", { spec: { ports: [{ name: "web", port: 1, protocol: "TCP" }] } });
  await mergePatch("ConfigMap", "alpha-config", { data: { "config.json": "{}" } });
  await mergePatch("StatefulSet", "alpha", { spec: { replicas: 0 } });
  await mergePatch("Secret", "alpha-admin-tls", { data: { "tls.crt": "" } });
  await waitUntil(
    "the edits to be undone",
    async () => {
      const service = await get<KubeObject & { spec: { ports: { port: number }[] } }>("Service", "alpha");
      const config = await get<KubeObject & { data: Record<string, string> }>("ConfigMap", "alpha-config");
      const set = await get<KubeObject & { spec: { replicas: number } }>("StatefulSet", "alpha");
      const tls = await get<KubeObject & { data: Record<string, string> }>("Secret", "alpha-admin-tls");
      return (
        service?.spec.ports.some((one) => one.port === 8443) === true &&
        config?.data["config.json"] !== "{}" &&
        set?.spec.replicas === 1 &&
        tls?.data["tls.crt"] !== ""
      );
    },
    DEADLINE,
  );
  await ready("alpha");
});

test("a token that a user chose is kept", async () => {
  const token = Buffer.from("my own token").toString("base64");
  await mergePatch("Secret", "alpha-access", { data: { token } });
  await quiet();
  expect((await get<KubeObject & { data: Record<string, string> }>("Secret", "alpha-access"))?.data["token"]).toBe(
    token,
  );
});

test("pods restart only when the pod that is rendered changed", async () => {
  const pod = async () => (await get("Pod", "alpha-0"))?.metadata.uid;
  const before = await pod();
  const sequence = (await node("alpha"))?.status?.trust?.sequence ?? 0;
  await mergePatch("ArchiveNode", "alpha", {
    spec: { trust: { mode: "Public" }, endpoint: { service: { type: "NodePort" } } },
  });
  await waitUntil(
    "the new trust document",
    async () => (await node("alpha"))?.status?.trust?.observedSequence === sequence + 1,
    DEADLINE,
  );
  await quiet();
  expect(await pod()).toBe(before);
  await mergePatch("ArchiveNode", "alpha", { spec: { collections: [{ name: "news", access: "Public" }] } });
  await waitUntil("another pod", async () => ![undefined, before].includes(await pod()), DEADLINE);
  await ready("alpha");
});

test("a suspended node is left as it is and goes on reporting", async () => {
  await mergePatch("ArchiveNode", "alpha", { spec: { suspend: true } });
  await reason("alpha", "Suspended", "SuspendedByUser");
  await drop("NetworkPolicy", "alpha");
  await quiet();
  expect(await get("NetworkPolicy", "alpha")).toBeUndefined();
  await mergePatch("ArchiveNode", "alpha", { spec: { suspend: null } });
  await waitUntil("the NetworkPolicy", async () => (await get("NetworkPolicy", "alpha")) !== undefined, DEADLINE);
});

test("a changed identity is reported and never replaced", async () => {
  await create(newNode(NAMESPACE, "beta"));
  await ready("beta");
  const stolen = (await get<KubeObject & { data: object }>("Secret", "alpha-identity"))?.data;
  const own = (await get<KubeObject & { data: object }>("Secret", "beta-identity"))?.data;
  await mergePatch("Secret", "beta-identity", { data: stolen });
  await reason("beta", "Stalled", "IdentityLost");
  await mergePatch("Secret", "beta-identity", { data: { "identity.key": Buffer.from("garbage").toString("base64") } });
  await quiet();
  expect(await condition("beta", "Ready")).toMatchObject({ status: "False", reason: "Stalled" });
  await mergePatch("Secret", "beta-identity", { data: own });
  await ready("beta");
});

test("a lost identity is reported and never replaced", async () => {
  const nodeID = (await node("beta"))?.status?.nodeID;
  await drop("Secret", "beta-identity");
  await reason("beta", "Stalled", "IdentityLost");
  await operator.restart();
  await quiet();
  expect(await get("Secret", "beta-identity")).toBeUndefined();
  expect((await node("beta"))?.status?.nodeID).toBe(nodeID);
  expect((await condition("beta", "Stalled"))?.message).toContain("restore the Secret");
});

test("with Retain, an ArchiveNode of the same name takes the identity up again", async () => {
  await create(newNode(NAMESPACE, "gamma"));
  await ready("gamma");
  const nodeID = (await node("gamma"))?.status?.nodeID;
  const uid = await drop("ArchiveNode", "gamma");
  await waitUntil(
    "the StatefulSet to be collected",
    async () => (await get("StatefulSet", "gamma")) === undefined,
    DEADLINE,
  );
  expect(await get("Secret", "gamma-identity")).toBeDefined();
  await create(newNode(NAMESPACE, "gamma"));
  await ready("gamma");
  expect((await node("gamma"))?.metadata.uid).not.toBe(uid);
  expect((await node("gamma"))?.status?.nodeID).toBe(nodeID);
});

test("with Delete, the identity goes with the node", async () => {
  await create(newNode(NAMESPACE, "delta", { storage: { retention: "Delete" } }));
  await ready("delta");
  await drop("ArchiveNode", "delta");
  await waitUntil(
    "the identity to be collected",
    async () => (await get("Secret", "delta-identity")) === undefined,
    DEADLINE,
  );
});

test("a child's name that is taken is reported, and the stranger is left alone", async () => {
  const stranger = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { namespace: NAMESPACE, name: "epsilon-config" },
    data: { "config.json": "mine" },
  };
  await admin.create(RESOURCES.ConfigMap, stranger, signal);
  await create(newNode(NAMESPACE, "epsilon"));
  await reason("epsilon", "Stalled", "ChildNotOwned");
  expect((await get<KubeObject & { data: object }>("ConfigMap", "epsilon-config"))?.data).toEqual({
    "config.json": "mine",
  });
});

test("declared engines are refused honestly: no pod runs", async () => {
  await create(
    newNode(NAMESPACE, "zeta", {
      storage: { objectStore: { endpoint: "https://s3.test", bucket: "bucket", credentialsRef: { name: "s" } } },
      index: { openSearch: { endpoints: ["https://os.test"], credentialsRef: { name: "s" } } },
      coordination: { redis: { urlRef: { name: "s" } } },
    }),
  );
  await reason("zeta", "Accepted", "NotImplementedEngines");
  expect((await get<KubeObject & { spec: { replicas: number } }>("StatefulSet", "zeta"))?.spec.replicas).toBe(0);
});

test("volumes grow around running pods", async () => {
  const storageClass = {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name: "growing" },
    provisioner: "example.test/none",
    allowVolumeExpansion: true,
  };
  await put(admin, storageClass, signal);
  await create(newNode(NAMESPACE, "eta", { storage: { size: "1Gi", className: "growing" } }));
  await ready("eta");
  const pod = (await get("Pod", "eta-0"))?.metadata.uid;
  const set = (await get("StatefulSet", "eta"))?.metadata.uid;
  await mergePatch("ArchiveNode", "eta", { spec: { storage: { size: "2Gi" } } });
  await waitUntil(
    "another StatefulSet",
    async () => ![undefined, set].includes((await get("StatefulSet", "eta"))?.metadata.uid),
    DEADLINE,
  );
  await ready("eta");
  expect((await node("eta"))?.status?.storage).toEqual({ requested: "2Gi", capacity: "2Gi", resizing: false });
  expect((await get("Pod", "eta-0"))?.metadata.uid).toBe(pod);
  expect((await node("eta"))?.metadata.annotations).toBeUndefined();
});

test("a volume whose class cannot grow, and one that should shrink, stall with what to do", async () => {
  await put(
    admin,
    {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: { name: "fixed" },
      provisioner: "example.test/none",
    } as KubeObject,
    signal,
  );
  await create(newNode(NAMESPACE, "theta", { storage: { size: "1Gi", className: "fixed" } }));
  await ready("theta");
  await mergePatch("ArchiveNode", "theta", { spec: { storage: { size: "2Gi" } } });
  await reason("theta", "Stalled", "StorageNotExpandable");
  await mergePatch("ArchiveNode", "theta", { spec: { storage: { size: "500Mi" } } });
  await reason("theta", "Stalled", "StorageShrinkRejected");
  await mergePatch("ArchiveNode", "theta", { spec: { storage: { size: "1Gi" } } });
  await ready("theta");
});

test("peers and policies say that nothing is done for them yet", async () => {
  const peer = {
    apiVersion: "archivestream.io/v1alpha1",
    kind: "FederationPeer",
    metadata: { namespace: NAMESPACE, name: "p" },
    spec: { nodeID: "ab".repeat(32) },
  };
  await admin.create(RESOURCES.FederationPeer, peer as KubeObject, signal);
  const policy = {
    apiVersion: peer.apiVersion,
    kind: "SyncPolicy",
    metadata: { namespace: NAMESPACE, name: "s" },
    spec: { nodeSelector: {}, peerSelector: {}, interval: "10m" },
  };
  await admin.create(RESOURCES.SyncPolicy, policy as KubeObject, signal);
  type WithStatus = KubeObject & {
    status?: { conditions?: { type: string; status: string; reason: string; message: string }[] };
  };
  const find = async (type: string) =>
    (await get<WithStatus>("FederationPeer", "p"))?.status?.conditions?.find((one) => one.type === type);
  await waitUntil("the peer's status", async () => (await find("Ready"))?.reason === "NotImplemented", DEADLINE);
  expect((await find("Accepted"))?.message).toContain("spec.nodeID");
  const status = async () => (await get<WithStatus>("SyncPolicy", "s"))?.status;
  await waitUntil("the policy's status", async () => (await status()) !== undefined, DEADLINE);
  expect((await status())?.conditions?.find((one) => one.type === "Ready")).toMatchObject({ status: "False" });
});

test("optional children go when the spec does not want them any more", async () => {
  const serviceAccountName = "default";
  await mergePatch("ArchiveNode", "alpha", {
    spec: { networkPolicy: { mode: "Disabled" }, podTemplate: { serviceAccountName } },
  });
  const gone = async (kind: "NetworkPolicy" | "ServiceAccount") => (await get(kind, "alpha")) === undefined;
  await waitUntil("both to go", async () => (await gone("NetworkPolicy")) && (await gone("ServiceAccount")), DEADLINE);
  await ready("alpha");
});

test("a ServiceMonitor is made when that kind appears, and goes when it is not wanted", async () => {
  await put(admin, SERVICE_MONITOR_KIND, signal);
  await waitUntil("the ServiceMonitor", async () => (await get("ServiceMonitor", "alpha")) !== undefined, {
    deadlineMs: 120_000,
  });
  await mergePatch("ArchiveNode", "alpha", { spec: { monitoring: { mode: "Disabled" } } });
  await waitUntil("it to go", async () => (await get("ServiceMonitor", "alpha")) === undefined, DEADLINE);
});

/** `apiGroup/resource verb` of every right the operator used; objects read by a watch count as list too. */
const used = (requests: readonly AuditedRequest[]) =>
  new Set(
    requests.flatMap(({ objectRef, verb }) => {
      if (objectRef === undefined) return [];
      const { apiGroup = "", resource, subresource } = objectRef;
      return [`${apiGroup}/${resource}${subresource === undefined ? "" : `/${subresource}`} ${verb}`];
    }),
  );

test("nothing was refused, and every shipped right was used or says why it is there", async () => {
  const requests = await operatorRequests(server);
  const refused = requests.filter(
    (one) => one.responseStatus?.code === 403 && !one.requestURI.includes("persistentvolumeclaims/data-theta"),
  );
  expect(refused.map((one) => `${one.verb} ${one.requestURI}`)).toEqual([]);
  const seen = used(requests);
  const unused = (await shippedRules()).flatMap((rule) => {
    const rights = rule.apiGroups.flatMap((group) =>
      rule.resources.flatMap((resource) => rule.verbs.map((verb) => `${group}/${resource} ${verb}`)),
    );
    return rights.filter((right) => !seen.has(right) && rule.unseen?.[right.split(" ")[1] ?? ""] === undefined);
  });
  expect(unused).toEqual([]);
});
