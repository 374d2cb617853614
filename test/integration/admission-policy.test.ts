/** The chart's admission policies on a real API server: who may write what, and that volumes never shrink. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { type ApiAnswer, type ApiUser, apiUser } from "../testkit/api-user.ts";
import { policyPath, renderPolicies } from "../testkit/chart-policies.ts";
import { applyKinds, makeNamespace, pathOf } from "../testkit/kinds-in-cluster.ts";
import { waitUntil } from "../testkit/wait-until.ts";

/** Policies are read from a cache of the API server; this much on a busy machine. */
const DEADLINE = { deadlineMs: 60_000 };
const RUN = crypto.randomUUID().slice(0, 8);
const [RELEASE, WATCHED, ELSEWHERE] = [`release-${RUN}`, `watched-${RUN}`, `elsewhere-${RUN}`];
const OPERATOR = `system:serviceaccount:${RELEASE}:archive-operator`;
const SECOND_OPERATOR = `system:serviceaccount:${RELEASE}:second`;
const renderedPolicies = (...values: readonly string[]) => renderPolicies(RELEASE, values);
const cleanUp = new AsyncDisposableStack();
/** An administrator is a person to the policies, with every right that RBAC knows. */
let person: ApiUser;
let operator: ApiUser;
let second: ApiUser;

async function must(answer: Promise<ApiAnswer>): Promise<ApiAnswer> {
  const { status, body } = await answer;
  if (status >= 300) throw new Error(`${status}: ${body.message ?? ""}`);
  return answer;
}

/** Applies as `kubectl apply --server-side` does; the object goes away at the end. */
async function applied(path: string, body: object): Promise<void> {
  const contentType = "application/apply-patch+yaml";
  await must(person.ask({ method: "PATCH", path: `${path}?fieldManager=test&force=true`, contentType, body }));
  cleanUp.defer(async () => {
    await person.ask({ method: "DELETE", path });
  });
}

/** Everything of our group, so that a refusal is the policies' and never RBAC's. */
async function grantOurKinds(names: readonly string[]): Promise<void> {
  const rbac = { apiVersion: "rbac.authorization.k8s.io/v1", metadata: { name: RELEASE } };
  const rules = [{ apiGroups: ["archivestream.io"], resources: ["*"], verbs: ["*"] }];
  const subjects = names.map((name) => ({ kind: "User", name, apiGroup: "rbac.authorization.k8s.io" }));
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: RELEASE };
  const path = "/apis/rbac.authorization.k8s.io/v1";
  await applied(`${path}/clusterroles/${RELEASE}`, { ...rbac, kind: "ClusterRole", rules });
  await applied(`${path}/clusterrolebindings/${RELEASE}`, { ...rbac, kind: "ClusterRoleBinding", roleRef, subjects });
}

async function userOf(server: ApiServer, name: string): Promise<ApiUser> {
  const user = cleanUp.use(await apiUser(await server.userKubeconfig(name, [])));
  await waitUntil(
    `RBAC to know ${name}`,
    async () => (await user.ask({ method: "GET", path: pathOf("ArchiveNode", WATCHED) })).status === 200,
    DEADLINE,
  );
  return user;
}

beforeAll(async () => {
  const server = await startApiServer({ controllerManager: true, signal: AbortSignal.timeout(150_000) });
  cleanUp.defer(() => server.stop());
  person = cleanUp.use(await apiUser(server.kubeconfigPath));
  await applyKinds(person);
  await makeNamespace(person, WATCHED);
  await makeNamespace(person, ELSEWHERE);
  await grantOurKinds([OPERATOR, SECOND_OPERATOR]);
  [operator, second] = [await userOf(server, OPERATOR), await userOf(server, SECOND_OPERATOR)];
  const policies = await renderedPolicies(
    "rbac.scope=Namespaced",
    `watchNamespaces={${WATCHED}}`,
    `admissionPolicies.otherOperators={${SECOND_OPERATOR}}`,
  );
  for (const policy of policies) await applied(policyPath(policy), policy);
  await createNode("probe", { size: "2Gi" });
  await waitUntil("all policies to be enforced", allRefuse, DEADLINE);
});
afterAll(async () => {
  await cleanUp.disposeAsync();
});

/** One attempt against each policy; nothing is stored. */
async function allRefuse(): Promise<boolean> {
  const dryRun = "?dryRun=All";
  const answers = await Promise.all([
    person.ask({
      method: "PATCH",
      path: `${pathOf("ArchiveNode", WATCHED, "probe")}${dryRun}`,
      body: { spec: { storage: { size: "1Gi" } } },
    }),
    person.ask({ method: "POST", path: `${pathOf("FederationPeer", WATCHED)}${dryRun}`, body: discovered("probe") }),
    operator.ask({ method: "POST", path: `${pathOf("FederationPeer", WATCHED)}${dryRun}`, body: authored("probe") }),
  ]);
  return answers.every(({ status }) => status === 403 || status === 422);
}

const object = (kind: string, name: string, spec: object, labels = {}) => ({
  apiVersion: "archivestream.io/v1alpha1",
  kind,
  metadata: { name, labels },
  spec,
});
const ID = "ab".repeat(32);
const authored = (name: string) => object("FederationPeer", name, { nodeID: ID });
const discovered = (name: string) =>
  object(
    "FederationPeer",
    name,
    { nodeID: ID, origin: "Discovered", endpoints: [{ name: "a", url: "https://a.example" }], weight: 1 },
    { "archivestream.io/origin": "discovered" },
  );
const patch = (user: ApiUser, path: string, body: object) => user.ask({ method: "PATCH", path, body });
const createNode = (name: string, storage: object | undefined) =>
  must(
    person.ask({
      method: "POST",
      path: pathOf("ArchiveNode", WATCHED),
      body: object("ArchiveNode", name, storage === undefined ? {} : { storage }),
    }),
  );
const createPeer = (user: ApiUser, peer: object, namespace = WATCHED) =>
  user.ask({ method: "POST", path: pathOf("FederationPeer", namespace), body: peer });

it("the policies are well typed for our kinds", async () => {
  const policies = (await renderedPolicies()).filter(({ kind }) => kind === "ValidatingAdmissionPolicy");
  expect(policies).toHaveLength(3);
  for (const policy of policies) {
    const status = await waitUntil(
      `${policy.metadata.name} to be type-checked`,
      async () => {
        const { body } = await person.ask({ method: "GET", path: policyPath(policy) });
        const seen = body["status"] as { observedGeneration?: number; typeChecking?: object } | undefined;
        return seen?.observedGeneration === body.metadata?.generation ? seen : undefined;
      },
      DEADLINE,
    );
    expect(status?.typeChecking ?? {}).not.toHaveProperty("expressionWarnings");
  }
});

it("renders nothing when switched off, and everywhere when the operator watches everything", async () => {
  expect(await renderedPolicies("admissionPolicies.enabled=false")).toEqual([]);
  const bindings = (await renderedPolicies()).filter(({ kind }) => kind === "ValidatingAdmissionPolicyBinding");
  expect(bindings).toHaveLength(3);
  for (const binding of bindings) expect(binding).not.toHaveProperty("spec.matchResources");
});

it.each([
  { why: "grows", from: { size: "1Gi" }, to: { size: "1500Mi" } },
  { why: "is written otherwise", from: { size: "1Gi" }, to: { size: "1024Mi" } },
  { why: "is set at the default", from: undefined, to: { size: "10Gi" } },
  { why: "grows above the default", from: undefined, to: { size: "20Gi" } },
  { why: "stays, beside another change", from: { size: "1Gi" }, to: { size: "1Gi", retention: "Delete" } },
  { why: "grows from a plain number", from: { size: 1_000_000_000 }, to: { size: "1Gi" } },
])("storage.size $why", async ({ from, to }) => {
  const name = `grows-${crypto.randomUUID().slice(0, 8)}`;
  await createNode(name, from);
  const { body } = await patch(person, pathOf("ArchiveNode", WATCHED, name), { spec: { storage: to } });
  expect(body.message).toBeUndefined();
});

it.each([
  { why: "shrinks", from: { size: "2Gi" }, to: { size: "1Gi" }, least: "2Gi" },
  { why: "shrinks in another unit", from: { size: "1Gi" }, to: { size: "1G" }, least: "1Gi" },
  { why: "is set below the default", from: undefined, to: { size: "9Gi" }, least: "10Gi" },
  { why: "is removed above the default", from: { size: "20Gi" }, to: { size: null }, least: "20Gi" },
])("storage.size is refused when it $why", async ({ from, to, least }) => {
  const name = `shrinks-${crypto.randomUUID().slice(0, 8)}`;
  await createNode(name, from);
  const { status, body } = await patch(person, pathOf("ArchiveNode", WATCHED, name), { spec: { storage: to } });
  expect([status, body.message]).toEqual([
    422,
    expect.stringContaining(`storage.size may only grow: set it to ${least} or more`) as unknown,
  ]);
});

it("a growth that never happened can be taken back, as far as the volumes go", async () => {
  await createNode("refused", { size: "5Gi" });
  const path = pathOf("ArchiveNode", WATCHED, "refused");
  await must(patch(operator, `${path}/status`, { status: { storage: { requested: "5Gi", capacity: "2Gi" } } }));
  expect((await patch(person, path, { spec: { storage: { size: "1Gi" } } })).status).toBe(422);
  expect((await patch(person, path, { spec: { storage: { size: "2Gi" } } })).status).toBe(200);
});

it("discovered peers come from the operators only, in the namespaces that they watch", async () => {
  const { status, body } = await createPeer(person, discovered("by-hand"));
  expect(status).toBe(403);
  expect(body.message).toContain("origin Discovered is set by the operator only: remove spec.origin");
  expect((await createPeer(operator, discovered("first"))).status).toBe(201);
  expect((await createPeer(second, discovered("other"))).status).toBe(201);
  expect((await createPeer(person, discovered("by-hand"), ELSEWHERE)).status).toBe(201);
});

it.each([
  { why: "an address", change: { spec: { endpoints: [{ name: "a", url: "https://b.example" }] } } },
  { why: "a further field", change: { spec: { roles: ["search"] } } },
  { why: "a field's absence", change: { spec: { weight: null } } },
  { why: "its label", change: { metadata: { labels: { "archivestream.io/origin": "authored" } } } },
  { why: "its label's absence", change: { metadata: { labels: { "archivestream.io/origin": null } } } },
  { why: "a field beside admission", change: { spec: { admission: "Approved", weight: 2 } } },
])("a person cannot change $why of a discovered peer, the operator can", async ({ change }) => {
  const name = `gp-${crypto.randomUUID().slice(0, 8)}`;
  const path = pathOf("FederationPeer", WATCHED, name);
  await must(createPeer(operator, discovered(name)));
  const { status, body } = await patch(person, path, change);
  expect([status, body.message]).toEqual([403, expect.stringContaining("discovered peer") as unknown]);
  expect((await patch(operator, path, change)).status).toBe(200);
});

it("a person decides on a discovered peer, labels it and deletes it", async () => {
  await must(createPeer(operator, discovered("gp-decided")));
  const path = pathOf("FederationPeer", WATCHED, "gp-decided");
  for (const admission of ["Approved", "Blocked", null]) {
    expect((await patch(person, path, { spec: { admission } })).status).toBe(200);
  }
  expect((await patch(person, path, { metadata: { labels: { tier: "trusted" } } })).status).toBe(200);
  expect((await person.ask({ method: "DELETE", path })).status).toBe(200);
});

const OURS = [
  { kind: "ArchiveNode", spec: {}, change: { suspend: true } },
  { kind: "FederationPeer", spec: { nodeID: ID }, change: { admission: "Blocked" } },
  { kind: "SyncPolicy", spec: { nodeSelector: {}, peerSelector: {}, interval: "1h" }, change: { interval: "2h" } },
] as const;

it.each(OURS)("the operator neither makes a $kind nor changes its spec; annotation and status it may", async (one) => {
  const { kind, spec, change } = one;
  const owned = object(kind, "authored", spec);
  const refused = await operator.ask({ method: "POST", path: pathOf(kind, WATCHED), body: owned });
  expect([refused.status, refused.body.message]).toEqual([403, expect.stringContaining("spec belongs to") as unknown]);
  await must(person.ask({ method: "POST", path: pathOf(kind, WATCHED), body: owned }));
  const path = pathOf(kind, WATCHED, "authored");
  expect((await patch(operator, path, { spec: change })).status).toBe(403);
  expect((await patch(operator, path, { metadata: { annotations: { seen: "yes" } } })).status).toBe(200);
  expect((await patch(operator, `${path}/status`, { status: { observedGeneration: 1 } })).status).toBe(200);
  expect((await patch(person, path, { spec: change })).status).toBe(200);
});
