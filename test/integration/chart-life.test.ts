/** The chart on a real API server: installed, upgraded, removed by helm, and applied again and again as GitOps tools do. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { BIN } from "../cluster/cache-folder.mjs";
import { type ApiUser, apiUser } from "../testkit/api-user.ts";
import { type Manifest, renderIn } from "../testkit/chart.ts";
import { type KindStatus, makeNamespace, pathOf } from "../testkit/kinds-in-cluster.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const CHART = fileURLToPath(new URL("../../charts/archive-operator", import.meta.url));
const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const KINDS = ["archivenodes", "federationpeers", "syncpolicies"].map((plural) => `${plural}.archivestream.io`);
const PLURALS: Readonly<Record<string, string>> = { NetworkPolicy: "networkpolicies" };
const cleanUp = new AsyncDisposableStack();
let server: ApiServer;
let admin: ApiUser;

beforeAll(async () => {
  server = await startApiServer({ signal: AbortSignal.timeout(150_000) });
  cleanUp.defer(() => server.stop());
  admin = cleanUp.use(await apiUser(server.kubeconfigPath));
});
afterAll(async () => {
  await cleanUp.disposeAsync();
});

interface Stored {
  readonly uid: string;
  readonly generation?: number;
  readonly resourceVersion: string;
  readonly deletionTimestamp?: string;
  readonly managedFields?: readonly { readonly manager: string; readonly subresource?: string }[];
}

async function stored(path: string): Promise<Stored | undefined> {
  const { status, body } = await admin.ask({ method: "GET", path });
  if (status === 404) return undefined;
  expect(status).toBe(200);
  return body["metadata"] as Stored;
}

async function apply(path: string, body: unknown): Promise<Stored> {
  const query = "fieldManager=gitops&fieldValidation=Strict";
  const contentType = "application/apply-patch+yaml";
  const answer = await admin.ask({ method: "PATCH", path: `${path}?${query}`, contentType, body });
  expect(answer.status, `${path}: ${answer.body.message}`).toBeLessThan(300);
  return answer.body["metadata"] as Stored;
}

function pathTo({ apiVersion, kind, metadata }: Manifest): string {
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = metadata.namespace === undefined ? "" : `/namespaces/${metadata.namespace}`;
  const plural = PLURALS[kind] ?? (kind.endsWith("y") ? `${kind.slice(0, -1)}ies` : `${kind}s`);
  return `${root}${scope}/${plural.toLowerCase()}/${metadata.name}`;
}

async function established(): Promise<void> {
  for (const name of KINDS)
    await waitUntil(
      `${name} to be established`,
      async () => {
        const { body } = await admin.ask({ method: "GET", path: `${CRDS}/${name}` });
        const { conditions } = (body["status"] ?? {}) as KindStatus;
        // It is False first: whoever takes that for the end sees the object change once more.
        return conditions?.some(({ type, status }) => type === "Established" && status === "True");
      },
      { deadlineMs: 30_000 },
    );
}

const served = (namespace: string) =>
  waitUntil(
    "ArchiveNodes to be served",
    async () => (await admin.ask({ method: "GET", path: pathOf("ArchiveNode", namespace) })).status === 200,
    { deadlineMs: 30_000 },
  );

describe("helm", () => {
  const NAMESPACE = "by-helm";
  const helm = async (...args: string[]) =>
    (await promisify(execFile)(join(BIN, "helm"), [...args, "--kubeconfig", server.kubeconfigPath, "-n", NAMESPACE]))
      .stdout;
  const node = { apiVersion: "archivestream.io/v1alpha1", kind: "ArchiveNode", metadata: { name: "kept" }, spec: {} };
  const identities = async () =>
    Promise.all(
      [...KINDS.map((name) => `${CRDS}/${name}`), pathOf("ArchiveNode", NAMESPACE, "kept")].map(
        async (path) => (await stored(path))?.uid,
      ),
    );

  it("upgrades with other values and leaves kinds and archives as they are", async () => {
    await makeNamespace(admin, NAMESPACE);
    await helm("install", "archive-operator", CHART);
    await established();
    await served(NAMESPACE);
    await apply(pathOf("ArchiveNode", NAMESPACE, "kept"), node);
    const before = await identities();
    expect(before).not.toContain(undefined);
    const values = ["replicas=3", "logLevel=debug", "rbac.scope=Namespaced", "metrics.secure.enabled=true"];
    await helm("upgrade", "archive-operator", CHART, ...values.flatMap((value) => ["--set", value]));
    expect(await identities()).toEqual(before);
    expect((await stored(pathOf("ArchiveNode", NAMESPACE, "kept")))?.generation).toBe(1);
    const { body } = await admin.ask({
      method: "GET",
      path: `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/archive-operator`,
    });
    expect(body["spec"]).toMatchObject({ replicas: 3 });
    const clusterRole = "/apis/rbac.authorization.k8s.io/v1/clusterroles/by-helm-archive-operator";
    expect(await stored(clusterRole)).toBeUndefined();
  });

  it("uninstalls the operator and leaves the kinds and every archive", async () => {
    const before = await identities();
    await helm("uninstall", "archive-operator");
    expect(await stored(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments/archive-operator`)).toBeUndefined();
    expect(await identities()).toEqual(before);
    expect((await stored(pathOf("ArchiveNode", NAMESPACE, "kept")))?.deletionTimestamp).toBeUndefined();
  });

  it("takes the kinds that were left up again, and removes them only when told not to keep them", async () => {
    const before = await identities();
    await helm("install", "archive-operator", CHART, "--set", "crds.keep=false");
    expect(await identities()).toEqual(before);
    await helm("uninstall", "archive-operator");
    for (const name of KINDS)
      await waitUntil(`${name} to be gone`, async () => (await stored(`${CRDS}/${name}`)) === undefined, {
        deadlineMs: 60_000,
      });
  });
});

describe("GitOps", () => {
  const NAMESPACE = "by-gitops";
  const VALUES = ["metrics.secure.enabled=true", "watchNamespaces={by-gitops}"];

  it("applies the rendered chart a second time without changing anything", async () => {
    await makeNamespace(admin, NAMESPACE);
    const manifests = await renderIn(NAMESPACE, VALUES);
    expect(manifests.length).toBeGreaterThan(15);
    for (const manifest of manifests) await apply(pathTo(manifest), manifest);
    await established();
    const versions = async () =>
      Object.fromEntries(
        await Promise.all(manifests.map(async (one) => [pathTo(one), (await stored(pathTo(one)))?.resourceVersion])),
      ) as Readonly<Record<string, string>>;
    const before = await versions();
    for (const manifest of await renderIn(NAMESPACE, VALUES)) await apply(pathTo(manifest), manifest);
    expect(await versions()).toEqual(before);
  });

  it.each(["archivenode", "archivenode-production", "federationpeer", "syncpolicy"])(
    "stores the sample %s as it is written, so that nothing has to be ignored",
    async (name) => {
      await served(NAMESPACE);
      const text = await readFile(new URL(`../../crds/samples/${name}.yaml`, import.meta.url), "utf8");
      const sample = parse(text) as Manifest & { readonly spec: object };
      const path = pathTo({ ...sample, metadata: { ...sample.metadata, namespace: NAMESPACE } });
      const body = { ...sample, metadata: { ...sample.metadata, namespace: NAMESPACE } };
      const first = await apply(path, body);
      const { body: live } = await admin.ask({ method: "GET", path });
      // `replicas` is the one value that the API fills in: the scale subresource cannot be read without it.
      const filledIn = sample.kind === "ArchiveNode" ? { replicas: 1 } : {};
      expect(live["spec"]).toEqual({ ...filledIn, ...sample.spec });
      expect((await apply(path, body)).resourceVersion).toBe(first.resourceVersion);
    },
  );
});
