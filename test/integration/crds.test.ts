/** What a real API server makes of the three kinds beyond their CEL rules: names, columns, subresources, samples. */
import { readdirSync, readFileSync } from "node:fs";
import { KINDS, type KindName } from "@archivestream/crds";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { startApiServer } from "../cluster/api-server.ts";
import { type ApiAnswer, type ApiUser, apiUser } from "../testkit/api-user.ts";
import { applyKinds, type KindStatus, makeNamespace, pathOf } from "../testkit/kinds-in-cluster.ts";

const NAMESPACE = `crds-${crypto.randomUUID().slice(0, 8)}`;
const SAMPLES = new URL("../../crds/samples/", import.meta.url);
const kinds = Object.keys(KINDS) as KindName[];
const cleanUp = new AsyncDisposableStack();
let admin: ApiUser;
let statuses: Readonly<Record<KindName, KindStatus>>;

beforeAll(async () => {
  const server = await startApiServer({ signal: AbortSignal.timeout(150_000) });
  cleanUp.defer(() => server.stop());
  admin = cleanUp.use(await apiUser(server.kubeconfigPath));
  statuses = await applyKinds(admin);
  await makeNamespace(admin, NAMESPACE);
});
afterAll(async () => {
  await cleanUp.disposeAsync();
});

/** The smallest object that each kind takes. */
const SMALLEST: Readonly<Record<KindName, object>> = {
  ArchiveNode: {},
  FederationPeer: { nodeID: "ab".repeat(32) },
  SyncPolicy: { nodeSelector: {}, peerSelector: {}, interval: "1h" },
};

function create(kind: KindName, name: string, spec: object, query = ""): Promise<ApiAnswer> {
  const body = { apiVersion: "archivestream.io/v1alpha1", kind, metadata: { name }, spec };
  return admin.ask({ method: "POST", path: `${pathOf(kind, NAMESPACE)}${query}`, body });
}
const mergePatch = (path: string, body: object) => admin.ask({ method: "PATCH", path, body });
const get = (path: string, accept?: string) => admin.ask({ method: "GET", path, ...(accept && { accept }) });

const READY = {
  type: "Ready",
  status: "False",
  reason: "Pending",
  message: "Wait.",
  lastTransitionTime: "2026-01-31T12:00:00Z",
};

describe.each(kinds)("%s", (kind) => {
  it("is established without objections", () => {
    const { conditions = [], acceptedNames } = statuses[kind];
    const { plural, singular, shortNames } = KINDS[kind];
    expect(conditions.map(({ type, status }) => `${type}=${status}`).toSorted()).toEqual([
      "Established=True",
      "NamesAccepted=True",
    ]);
    expect(acceptedNames).toMatchObject({ kind, plural, singular, shortNames, categories: ["archivestream"] });
  });

  it("is found by its short name and by the category", async () => {
    const { body } = await get("/apis/archivestream.io/v1alpha1");
    const { plural, shortNames } = KINDS[kind];
    expect(body["resources"]).toContainEqual(
      expect.objectContaining({ name: plural, kind, namespaced: true, shortNames, categories: ["archivestream"] }),
    );
    expect(body["resources"]).toContainEqual(expect.objectContaining({ name: `${plural}/status` }));
  });

  it("takes status by the subresource only, and spec by the object only", async () => {
    const { body: made } = await create(kind, "status", { ...SMALLEST[kind], suspend: true });
    const path = pathOf(kind, NAMESPACE, "status");
    const status = { observedGeneration: 1, conditions: [READY] };
    const object = await mergePatch(path, { status, spec: { suspend: false } });
    expect(object.body).toMatchObject({ metadata: { generation: 2 }, spec: { suspend: false } });
    expect(object.body["status"]).toBeUndefined();
    const reported = await mergePatch(`${path}/status`, { status, spec: { suspend: true } });
    expect(made.metadata?.generation).toBe(1);
    expect(reported.body).toMatchObject({ metadata: { generation: 2 }, spec: { suspend: false }, status });
  });

  it("stores nothing that the schema does not know, and says so to who asks", async () => {
    const spec = { ...SMALLEST[kind], nonsense: 1 };
    const warned = await create(kind, "pruned", spec);
    expect(warned.status).toBe(201);
    expect(warned.warnings).toEqual(['unknown field \\"spec.nonsense\\"']);
    expect(warned.body["spec"]).not.toHaveProperty("nonsense");
    const refused = await create(kind, "strict", spec, "?fieldValidation=Strict");
    expect([refused.status, refused.body.message]).toEqual([400, expect.stringContaining('"spec.nonsense"')]);
  });

  it("writes nothing into spec but the one default", async () => {
    const { body } = await create(kind, "defaults", SMALLEST[kind]);
    expect(body["spec"]).toEqual(kind === "ArchiveNode" ? { replicas: 1 } : SMALLEST[kind]);
  });
});

/** How kubectl shows a time that is past: `5s`, `298d`. */
const AN_AGE: unknown = expect.stringMatching(/^(\d+[a-z])+$/);

/** Status and spec that fill every printer column, and what `kubectl get -o wide` then shows, but for name and age. */
const SHOWN: Readonly<Record<KindName, { spec: object; status: object; cells: Readonly<Record<string, unknown>> }>> = {
  ArchiveNode: {
    spec: { suspend: true },
    status: {
      readyReplicas: 1,
      nodeID: "cd".repeat(32),
      effective: { version: "1.2.3" },
      endpoints: [{ name: "main", url: "https://archive.example:8443" }],
      certificate: { notAfter: "2999-01-01T00:00:00Z" },
      trust: { observedSequence: 7 },
      federation: { peers: { ready: 3 } },
    },
    cells: {
      Ready: "False",
      Replicas: 1,
      Version: "1.2.3",
      Peers: 3,
      Trust: 7,
      NodeID: "cd".repeat(32),
      Endpoint: "https://archive.example:8443",
      CertExpiry: "2999-01-01T00:00:00Z",
      Suspended: true,
      Reason: "Pending",
    },
  },
  FederationPeer: {
    spec: { nodeID: "cd".repeat(32), origin: "Authored", admission: "Approved", suspend: true },
    status: { advertised: { version: "1.2.3" }, nodes: { matched: 3, connected: 2 } },
    cells: {
      Origin: "Authored",
      Admission: "Approved",
      Ready: "False",
      Reachable: "DialFailed",
      Connected: 2,
      Matched: 3,
      Version: "1.2.3",
      Since: AN_AGE,
      NodeID: "cd".repeat(32),
      Suspended: true,
      Reason: "Pending",
    },
  },
  SyncPolicy: {
    spec: { nodeSelector: {}, peerSelector: {}, direction: "Pull", interval: "1h", suspend: true },
    status: { matched: { nodes: 2, peers: 5 }, lastRun: { result: "Partial", since: "2026-01-31T12:00:00Z" } },
    cells: {
      Ready: "False",
      Nodes: 2,
      Peers: 5,
      Direction: "Pull",
      Schedule: null,
      Interval: "1h",
      LastRun: "Partial",
      Suspended: true,
      Reason: "Pending",
    },
  },
};

interface Table {
  readonly columnDefinitions: readonly { readonly name: string; readonly priority: number }[];
  readonly rows: readonly { readonly cells: readonly unknown[] }[];
}

describe.each(kinds)("kubectl get, %s", (kind) => {
  it("shows every column with its value", async () => {
    const { spec, status, cells } = SHOWN[kind];
    const reachable = { ...READY, type: "Reachable", reason: "DialFailed" };
    await create(kind, "shown", spec);
    const path = pathOf(kind, NAMESPACE, "shown");
    const reported = await mergePatch(`${path}/status`, { status: { ...status, conditions: [READY, reachable] } });
    expect(reported.warnings, reported.body.message).toEqual([]);
    const { body } = await get(path, "application/json;as=Table;v=v1;g=meta.k8s.io");
    const { columnDefinitions, rows } = body as unknown as Table;
    const shown = Object.fromEntries(columnDefinitions.map(({ name }, column) => [name, rows[0]?.cells[column]]));
    expect(shown).toEqual({ ...cells, Name: "shown", Age: AN_AGE });
    const columns = KINDS[kind].columns.map(({ name, priority }: { name: string; priority?: number }) => ({
      name,
      priority: priority ?? 0,
    }));
    expect(columnDefinitions.map(({ name, priority }) => ({ name, priority }))).toEqual([
      { name: "Name", priority: 0 },
      ...columns,
    ]);
  });
});

describe("scaling", () => {
  it("reads and sets the replicas of an ArchiveNode", async () => {
    await create("ArchiveNode", "scaled", {});
    const path = pathOf("ArchiveNode", NAMESPACE, "scaled");
    await mergePatch(`${path}/status`, { status: { replicas: 1, selector: "archivestream.io/node=scaled" } });
    const scale = await get(`${path}/scale`);
    expect(scale.body).toMatchObject({
      kind: "Scale",
      spec: { replicas: 1 },
      status: { replicas: 1, selector: "archivestream.io/node=scaled" },
    });
    expect((await mergePatch(`${path}/scale`, { spec: { replicas: 0 } })).status).toBe(200);
    expect((await get(path)).body["spec"]).toEqual({ replicas: 0 });
  });

  it("obeys the rules of the kind", async () => {
    await create("ArchiveNode", "embedded", {});
    const path = `${pathOf("ArchiveNode", NAMESPACE, "embedded")}/scale`;
    const { status, body } = await mergePatch(path, { spec: { replicas: 2 } });
    expect([status, body.message]).toEqual([422, expect.stringContaining("replicas above 1 need shared engines")]);
  });
});

const samples = readdirSync(SAMPLES).filter((name) => name.endsWith(".yaml"));

it("there are samples of every kind", () => {
  const sampled = samples.map((name) => (parse(readFileSync(new URL(name, SAMPLES), "utf8")) as { kind: string }).kind);
  expect(new Set(sampled)).toEqual(new Set(kinds));
});

it.each(samples)("%s is accepted as it is", async (name) => {
  const text = readFileSync(new URL(name, SAMPLES), "utf8");
  const { kind, metadata } = parse(text) as { kind: KindName; metadata: { name: string } };
  const { status, body, warnings } = await admin.ask({
    method: "PATCH",
    path: `${pathOf(kind, NAMESPACE, metadata.name)}?fieldManager=kubectl&dryRun=All&fieldValidation=Strict`,
    contentType: "application/apply-patch+yaml",
    body: text,
  });
  expect([status, body.message, warnings]).toEqual([201, undefined, []]);
});
