/** Identities that people bring, lose, exchange and restore, against a real API server. */
import { generateKeyPairSync } from "node:crypto";
import type { ArchiveNode, ArchiveNodeConditionType, ArchiveNodeSpec } from "@archivestream/crds";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RESOURCES } from "../../operator/src/controllers/resource-types.ts";
import type { KubeClient } from "../../operator/src/kube/client.ts";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { administratorOf } from "../testkit/administrator.ts";
import { newNode, operatorRequests, prepareCluster, put, startOperator } from "../testkit/operator-under-test.ts";
import { untilAdmitted } from "../testkit/quota.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const NAMESPACE = "own-keys";
/** Shorter than any recheck or resync of the operator, which is a minute: only a watch is as quick. */
const AT_ONCE = { deadlineMs: 40_000 };
const DEADLINE = { deadlineMs: 60_000 };
const signal = AbortSignal.timeout(600_000);
const cleanUp = new AsyncDisposableStack();
let server: ApiServer;
let admin: KubeClient;

beforeAll(async () => {
  server = await startApiServer({ controllerManager: true, auditLog: true, signal: AbortSignal.timeout(150_000) });
  cleanUp.defer(() => server.stop());
  admin = cleanUp.use(await administratorOf(server)).client;
  await prepareCluster(admin, signal);
  for (const name of [NAMESPACE, "plain"])
    await put(admin, { apiVersion: "v1", kind: "Namespace", metadata: { name } }, signal);
  cleanUp.use(await startOperator({ server, admin }));
});
afterAll(async () => {
  await cleanUp.disposeAsync();
});

type Secret = KubeObject & { readonly data?: Readonly<Record<string, string>> };

const node = (name: string) =>
  admin.get<ArchiveNode & KubeObject>(RESOURCES.ArchiveNode, { namespace: NAMESPACE, name }, signal);
const condition = async (name: string, type: ArchiveNodeConditionType) =>
  (await node(name))?.status?.conditions?.find((one) => one.type === type);
const secret = (name: string) => admin.get<Secret>(RESOURCES.Secret, { namespace: NAMESPACE, name }, signal);
const create = (name: string, spec: ArchiveNodeSpec = {}, namespace = NAMESPACE) =>
  admin.create(RESOURCES.ArchiveNode, newNode(namespace, name, spec) as ArchiveNode & KubeObject, signal);
const ready = (name: string, deadline = DEADLINE) =>
  waitUntil(`${name} to be ready`, async () => (await condition(name, "Ready"))?.status === "True", deadline);
const reason = (name: string, type: ArchiveNodeConditionType, wanted: string, deadline = AT_ONCE) =>
  waitUntil(`${type}/${wanted} of ${name}`, async () => (await condition(name, type))?.reason === wanted, deadline);
const drop = async (kind: "Secret" | "ArchiveNode", name: string) => {
  const key = { namespace: NAMESPACE, name };
  const uid = (await admin.get<KubeObject>(RESOURCES[kind], key, signal))?.metadata.uid ?? "";
  await admin.delete({ resource: RESOURCES[kind], key }, { uid }, signal);
};
/** As `kubectl create secret generic` makes it: data, and no label of anybody. */
const createSecret = (name: string, data: Readonly<Record<string, string>>) =>
  admin.create<Secret>(
    RESOURCES.Secret,
    { apiVersion: "v1", kind: "Secret", metadata: { namespace: NAMESPACE, name }, data },
    signal,
  );
const setData = (name: string, data: Readonly<Record<string, string>>) =>
  admin.patch<Secret>(
    { resource: RESOURCES.Secret, key: { namespace: NAMESPACE, name } },
    { data },
    { contentType: "application/merge-patch+json", fieldManager: "somebody" },
    signal,
  );
function newKey(): Readonly<Record<string, string>> {
  const pem = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" });
  return { "identity.key": Buffer.from(pem).toString("base64") };
}

const MINE = newKey();

test("a named Secret that is created later is noticed at once", async () => {
  await create("named", { identity: { secretRef: { name: "mine" } } });
  await reason("named", "CertificateValid", "SecretNotFound", DEADLINE);
  const unready = await condition("named", "Ready");
  expect(unready?.status).toBe("False");
  expect(unready?.message).toMatch(/Secret mine, which spec\.identity\.secretRef names, does not exist; create it/);
  expect(await condition("named", "Stalled")).toBeUndefined();

  await createSecret("mine", { "identity.key": Buffer.from("garbage").toString("base64") });
  await reason("named", "CertificateValid", "SecretInvalid");
  await setData("mine", MINE);
  await ready("named", AT_ONCE);
  expect((await node("named"))?.status?.nodeID).toMatch(/^[0-9a-f]{64}$/);
});

test("a named Secret is left as its owner wrote it", async () => {
  const { metadata, data } = (await secret("mine")) ?? {};
  expect(data).toEqual(MINE);
  expect(metadata?.labels).toBeUndefined();
  expect(metadata?.["ownerReferences" as keyof typeof metadata]).toBeUndefined();
  expect(await secret("named-identity")).toBeUndefined();
  expect(await secret("named-recovery")).toBeUndefined();
});

test("a named Secret with another key is reported at once, and so is its return", async () => {
  await setData("mine", newKey());
  await reason("named", "Stalled", "IdentityLost");
  expect((await condition("named", "Stalled"))?.message).toContain("holds the key of another node");
  await setData("mine", MINE);
  await ready("named", AT_ONCE);
});

test("a named Secret that is deleted is reported at once and never replaced", async () => {
  const nodeID = (await node("named"))?.status?.nodeID;
  await drop("Secret", "mine");
  await reason("named", "Stalled", "IdentityLost");
  expect((await condition("named", "Stalled"))?.message).toContain("restore the Secret from a backup");
  expect(await secret("mine")).toBeUndefined();
  await createSecret("mine", MINE);
  await ready("named", AT_ONCE);
  expect((await node("named"))?.status?.nodeID).toBe(nodeID);
});

test("an identity restored by hand is noticed at once, and kept in sight by a label", async () => {
  await create("own");
  await ready("own");
  const nodeID = (await node("own"))?.status?.nodeID;
  const saved = (await secret("own-identity"))?.data ?? {};
  await drop("Secret", "own-identity");
  await reason("own", "Stalled", "IdentityLost");
  await createSecret("own-identity", saved);
  await ready("own", AT_ONCE);
  expect((await node("own"))?.status?.nodeID).toBe(nodeID);
  expect((await secret("own-identity"))?.metadata.labels).toMatchObject({ "archivestream.io/node": "own" });
  await drop("Secret", "own-identity");
  await reason("own", "Stalled", "IdentityLost");
  await createSecret("own-identity", saved);
  await ready("own", AT_ONCE);
});

test("a node that is deleted with everything returns as itself from a saved identity", async () => {
  await create("moved", { storage: { retention: "Delete" } });
  await ready("moved");
  const nodeID = (await node("moved"))?.status?.nodeID;
  const { "identity.key": identityKey = "" } = (await secret("moved-identity"))?.data ?? {};
  await drop("ArchiveNode", "moved");
  for (const name of ["moved-identity", "moved-recovery", "moved-keys"])
    await waitUntil(`${name} to be collected`, async () => (await secret(name)) === undefined, DEADLINE);
  await createSecret("moved-identity", { "identity.key": identityKey });
  await create("moved");
  await ready("moved");
  expect((await node("moved"))?.status?.nodeID).toBe(nodeID);
  expect((await secret("moved-identity"))?.data).toEqual({ "identity.key": identityKey });
});

test("the recovery key can be taken out of the cluster and does not come back", async () => {
  await create("offline");
  await ready("offline");
  const identity = (await secret("offline-identity"))?.data ?? {};
  const recovery = (await secret("offline-recovery"))?.data ?? {};
  expect(Object.keys(identity).sort()).toEqual(["identity.key", "recovery.pub"]);
  expect(Object.keys(recovery).sort()).toEqual(["recovery.key", "recovery.pub"]);
  expect(identity["recovery.pub"]).toBe(recovery["recovery.pub"]);
  const hint = async () => (await condition("offline", "CertificateValid"))?.message.includes("offline-recovery");
  await waitUntil("the node to ask for its recovery key to be taken out", hint, AT_ONCE);
  await drop("Secret", "offline-recovery");
  await waitUntil("the node to have taken note", async () => (await hint()) === false, AT_ONCE);
  expect(await secret("offline-recovery")).toBeUndefined();
});

test("a recovery key whose private half was never in the cluster is taken", async () => {
  const pem = generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" });
  const data = { "recovery.pub": Buffer.from(pem).toString("base64") };
  await createSecret("vault-recovery", data);
  await create("vault");
  await ready("vault");
  expect((await secret("vault-identity"))?.data).toMatchObject(data);
  expect((await secret("vault-recovery"))?.data).toEqual(data);
});

test("a recovery key that is none is reported until it is mended", async () => {
  await createSecret("odd-recovery", { "recovery.pub": Buffer.from("garbage").toString("base64") });
  await create("odd");
  await reason("odd", "Stalled", "SecretInvalid", DEADLINE);
  expect((await condition("odd", "Stalled"))?.message).toContain("Secret odd-recovery: recovery.pub is not a PEM");
  await drop("Secret", "odd-recovery");
  await ready("odd");
});

test("a quota that leaves no room for keys is named, and the keys are made when there is room", async () => {
  const quota = (secrets: string) => ({
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata: { namespace: "plain", name: "few" },
    spec: { hard: { secrets } },
  });
  const resource = { group: "", version: "v1", kind: "ResourceQuota", plural: "resourcequotas", namespaced: true };
  await admin.create(resource, quota("0"), signal);
  const target = { resource, key: { namespace: "plain", name: "few" } };
  const isInForce = async () =>
    (await admin.get<KubeObject & { status?: { hard?: object } }>(resource, target.key, signal))?.status?.hard;
  await waitUntil("the quota to be in force", async () => (await isInForce()) !== undefined, DEADLINE);
  await untilAdmitted(admin, { kind: "Secret", namespace: "plain", admitted: false }, signal);
  await create("tight", {}, "plain");
  const stalled = await waitUntil(
    "the quota to be named",
    async () => {
      const key = { namespace: "plain", name: "tight" };
      const found = await admin.get<ArchiveNode & KubeObject>(RESOURCES.ArchiveNode, key, signal);
      return found?.status?.conditions?.find(({ type }) => type === "Stalled");
    },
    DEADLINE,
  );
  expect(stalled).toMatchObject({ reason: "Forbidden" });
  expect(stalled.message).toMatch(/exceeded quota: few.*raise that quota/);
  await admin.delete(
    target,
    { uid: (await admin.get<KubeObject>(resource, target.key, signal))?.metadata.uid ?? "" },
    signal,
  );
  await untilAdmitted(admin, { kind: "Secret", namespace: "plain", admitted: true }, signal);
  // A quota ends without an event; an annotation asks for another look, as a person would.
  await admin.patch(
    { resource: RESOURCES.ArchiveNode, key: { namespace: "plain", name: "tight" } },
    { metadata: { annotations: { "archivestream.io/look": "again" } } },
    { contentType: "application/merge-patch+json", fieldManager: "somebody" },
    signal,
  );
  const made = () => admin.get<Secret>(RESOURCES.Secret, { namespace: "plain", name: "tight-admin-tls" }, signal);
  await waitUntil("the keys to be made", async () => (await made()) !== undefined, DEADLINE);
});

test("Secrets without our label are watched where somebody names one, and nowhere else", async () => {
  await create("plain", {}, "plain");
  const children = async () =>
    admin.get<Secret>(RESOURCES.Secret, { namespace: "plain", name: "plain-admin-tls" }, signal);
  await waitUntil("a node in another namespace", async () => (await children()) !== undefined, DEADLINE);
  const watches = (await operatorRequests(server)).filter(
    ({ verb, objectRef }) => verb === "watch" && objectRef?.resource === "secrets",
  );
  const unlabelled = watches.filter(({ requestURI }) => !requestURI.includes("labelSelector=archivestream.io%2Fnode"));
  expect(unlabelled.length).toBeGreaterThan(0);
  expect(new Set(unlabelled.map(({ objectRef }) => objectRef?.namespace))).toEqual(new Set([NAMESPACE]));
});

test("a token that nobody can use is told within seconds, and so is its end", async () => {
  await create("guarded");
  await ready("guarded");
  const target = { resource: RESOURCES.Secret, key: { namespace: NAMESPACE, name: "guarded-access" } };
  const options = { contentType: "application/merge-patch+json", fieldManager: "somebody" } as const;
  await admin.patch(target, { stringData: { token: "too-short" } }, options, signal);
  await reason("guarded", "Stalled", "SecretInvalid");
  expect((await condition("guarded", "Stalled"))?.message).toBe(
    "Secret guarded-access: token holds fewer than 16 characters; correct or delete it",
  );
  expect((await condition("guarded", "Ready"))?.status).toBe("False");
  await admin.patch(target, { stringData: { token: "long-enough-to-be-one" } }, options, signal);
  await ready("guarded", AT_ONCE);
});
