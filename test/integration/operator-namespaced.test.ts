/**
 * `rbac.scope: Namespaced` and a class: with the chart's Roles and nothing else, a whole life of a node in one namespace.
 * The chart's notes lead a person to it.
 */
import { generateKeyPairSync } from "node:crypto";
import type { ArchiveNode, ArchiveNodeSpec } from "@archivestream/crds";
import { KEY_FILES } from "@archivestream/node/contract";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  AUTHORITY_FILES,
  AUTHORITY_SECRET,
  renewAuthority,
} from "../../operator/src/controllers/node-identity/operator-ca.ts";
import { RESOURCES } from "../../operator/src/controllers/resource-types.ts";
import type { KubeClient } from "../../operator/src/kube/client.ts";
import type { KubeObject, ObjectKey, ResourceType } from "../../operator/src/kube/objects.ts";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { envFor } from "../cluster/kind.mjs";
import { output } from "../run/command.mjs";
import { administratorOf } from "../testkit/administrator.ts";
import { firstArchive, type Manifest, render, renderNotes } from "../testkit/chart.ts";
import {
  newNode,
  OPERATOR_NAMESPACE,
  operatorRequests,
  ownNamespaceRules,
  prepareCluster,
  put,
  type RunningOperator,
  startOperator,
  usedRights,
  writesOf,
} from "../testkit/operator-under-test.ts";
import { type PolicyRule, untilGranted, unusedRights } from "../testkit/rights.ts";
import { waitUntil } from "../testkit/wait-until.ts";

/** The name that the bindings' ServiceAccount goes by; the certificate stands for its token. */
const ACCOUNT = `system:serviceaccount:${OPERATOR_NAMESPACE}:archive-operator`;
const WATCHED = "watched";
const OTHER = "not-watched";
const CLASS = "blue";
const VALUES = ["rbac.scope=Namespaced", `watchNamespaces={${WATCHED}}`, `className=${CLASS}`];
const DEADLINE = { deadlineMs: 60_000 };
/** Of the five that a CA lives: it is due. */
const FOUR_YEARS_MS = 4 * 365 * 24 * 3_600_000;
const signal = AbortSignal.timeout(600_000);
const cleanUp = new AsyncDisposableStack();
let server: ApiServer;
let admin: KubeClient;
let running: RunningOperator;

beforeAll(async () => {
  server = await startApiServer({ controllerManager: true, auditLog: true, signal });
  cleanUp.defer(() => server.stop());
  admin = cleanUp.use(await administratorOf(server)).client;
  await prepareCluster(admin, signal);
  for (const name of [WATCHED, OTHER]) {
    await put(admin, { apiVersion: "v1", kind: "Namespace", metadata: { name } }, signal);
  }
  await grantShippedRoles();
  const kubeconfigPath = await server.userKubeconfig(ACCOUNT, []);
  const config = { kubeconfigPath, watchNamespaces: [WATCHED], className: CLASS, leaderElection: true };
  running = cleanUp.use(await startOperator({ server, admin, config }));
});
afterAll(async () => {
  await cleanUp.disposeAsync();
});

async function grantShippedRoles(): Promise<void> {
  const manifests = await render(...VALUES);
  for (const manifest of manifests) {
    if (["Role", "RoleBinding"].includes(manifest.kind)) await put(admin, manifest, signal);
  }
  const roles = manifests.filter(({ kind }) => kind === "Role") as (Manifest & { rules: readonly PolicyRule[] })[];
  for (const { metadata, rules } of roles)
    await untilGranted(admin, { user: ACCOUNT, namespace: metadata.namespace, rules }, signal);
}

const create = (namespace: string, name: string, spec: ArchiveNodeSpec = {}) =>
  admin.create(RESOURCES.ArchiveNode, newNode(namespace, name, spec) as ArchiveNode & KubeObject, signal);
const stored = (namespace: string, name: string) =>
  admin.get<ArchiveNode & KubeObject>(RESOURCES.ArchiveNode, { namespace, name }, signal);
const readiness = async (name: string) =>
  (await stored(WATCHED, name))?.status?.conditions?.find(({ type }) => type === "Ready")?.status;

it("notices an identity Secret that a user brings later", async () => {
  await create(WATCHED, "brought", { className: CLASS, identity: { secretRef: { name: "mine" } } });
  const certificate = async () =>
    (await stored(WATCHED, "brought"))?.status?.conditions?.find(({ type }) => type === "CertificateValid");
  await waitUntil(
    "the Secret to be asked for",
    async () => (await certificate())?.reason === "SecretNotFound",
    DEADLINE,
  );
  const pem = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" });
  const data = { "identity.key": Buffer.from(pem).toString("base64") };
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { namespace: WATCHED, name: "mine" }, data };
  await admin.create(RESOURCES.Secret, secret, signal);
  // Shorter than any recheck, which is a minute: only a watch is as quick.
  await waitUntil("the node to be ready", async () => (await readiness("brought")) === "True", { deadlineMs: 40_000 });
});

it("makes a node ready where it may, leaves the others alone, and is never refused", async () => {
  await create(OTHER, "foreign", { className: CLASS });
  await create(WATCHED, "of-another-class");
  await create(WATCHED, "own", { className: CLASS });
  await waitUntil("the node to be ready", async () => (await readiness("own")) === "True", DEADLINE);
  const requests = await operatorRequests(server, ACCOUNT);
  expect(writesOf(requests).length).toBeGreaterThan(5);
  const refused = requests.filter(({ responseStatus }) => responseStatus?.code === 403);
  expect(refused.map(({ verb, requestURI }) => `${verb} ${requestURI}`)).toEqual([]);
  const elsewhere = requests.filter(
    ({ objectRef }) =>
      objectRef?.resource !== undefined && ![WATCHED, OPERATOR_NAMESPACE].includes(objectRef.namespace ?? ""),
  );
  expect(elsewhere.map(({ verb, requestURI }) => `${verb} ${requestURI}`)).toEqual([]);
  expect(await stored(OTHER, "foreign")).not.toHaveProperty("status");
  expect(await stored(WATCHED, "of-another-class")).not.toHaveProperty("status");
});

it("the chart's notes, pasted into a shell, make an archive that becomes ready", async () => {
  const commands = firstArchive(await renderNotes(...VALUES));
  const shown = await output("bash", ["-euc", commands], { env: envFor(server.kubeconfigPath) });
  expect(shown).toContain("archivenode.archivestream.io/my-archive condition met");
  expect(await readiness("my-archive")).toBe("True");
});

it("replaces a CA that is due, keeps the former one in the bundle, and gives the pods both", async () => {
  const target = { resource: RESOURCES.Secret, key: { namespace: OPERATOR_NAMESPACE, name: AUTHORITY_SECRET } };
  const patch = { contentType: "application/merge-patch+json", fieldManager: "test" } as const;
  const due = await renewAuthority(undefined, new Date(Date.now() - FOUR_YEARS_MS));
  await admin.patch(target, { data: due }, patch, signal);
  await running.restart();
  const data = async (resource: ResourceType, key: ObjectKey) =>
    (await admin.get<KubeObject & { readonly data?: Readonly<Record<string, string>> }>(resource, key, signal))?.data;
  const bundle = await waitUntil(
    "another CA",
    async () => {
      const now = await data(target.resource, target.key);
      return now?.[AUTHORITY_FILES.certificate] === due[AUTHORITY_FILES.certificate]
        ? undefined
        : now?.[AUTHORITY_FILES.bundle];
    },
    DEADLINE,
  );
  const trusted = Buffer.from(bundle, "base64").toString();
  expect(trusted).toContain(Buffer.from(due[AUTHORITY_FILES.certificate] ?? "", "base64").toString());
  const keys = { namespace: WATCHED, name: "own-admin-tls" };
  await waitUntil(
    "the pod's admin server to be signed by it",
    async () => (await data(RESOURCES.Secret, keys))?.[KEY_FILES.adminCa] === bundle,
    DEADLINE,
  );
  await waitUntil("the node to be ready", async () => (await readiness("own")) === "True", DEADLINE);
});

it("used every right in its own namespace", async () => {
  const requests = await operatorRequests(server, ACCOUNT);
  const own = requests.filter(({ objectRef }) => objectRef?.namespace === OPERATOR_NAMESPACE);
  const rules = await ownNamespaceRules();
  expect(rules.length).toBeGreaterThanOrEqual(3);
  expect(unusedRights(rules, usedRights(own))).toEqual([]);
  expect(requests.filter(({ responseStatus }) => responseStatus?.code === 403)).toEqual([]);
});
