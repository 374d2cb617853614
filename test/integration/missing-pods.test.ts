/** Pods that are not made or do not end: the cause is named, and its end is noticed. An ordinary restart is no Warning. */
import type { ArchiveNodeSpec } from "@archivestream/crds";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { KubeObject, ResourceType } from "../../operator/src/kube/objects.ts";
import { EVENTS } from "../../operator/src/runtime/event-recorder.ts";
import { type ArchiveWorld, archiveWorld } from "../testkit/archive-world.ts";
import { type AuditedRequest, operatorRequests, startOperator } from "../testkit/operator-under-test.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const WAIT = { deadlineMs: 90_000 };
const NAMESPACE = "missing";
const cleanUp = new AsyncDisposableStack();
let world: ArchiveWorld;

beforeAll(async () => {
  world = cleanUp.use(await archiveWorld({ namespace: NAMESPACE, ...WAIT }));
  cleanUp.use(await startOperator({ server: world.server, admin: world.admin }));
});
afterAll(async () => {
  await cleanUp.disposeAsync();
});

type Plain = Omit<KubeObject, "metadata"> & { readonly metadata: { readonly name: string } };
const core = (kind: string, plural: string): ResourceType => ({
  ...{ group: "", version: "v1", kind, plural },
  namespaced: true,
});
const QUOTA = core("ResourceQuota", "resourcequotas");
const LIMITS = core("LimitRange", "limitranges");
const CLASS: ResourceType = {
  ...{ group: "scheduling.k8s.io", version: "v1", kind: "PriorityClass", plural: "priorityclasses" },
  namespaced: false,
};
const WEBHOOK: ResourceType = {
  ...{ group: "admissionregistration.k8s.io", version: "v1", kind: "ValidatingWebhookConfiguration" },
  ...{ plural: "validatingwebhookconfigurations", namespaced: false },
};

/** Makes the object. @returns what deletes it again */
async function make(resource: ResourceType, content: Plain): Promise<() => Promise<unknown>> {
  const { group, version, kind, namespaced } = resource;
  const namespace = namespaced ? { namespace: NAMESPACE } : {};
  const metadata = { ...content.metadata, ...namespace };
  const apiVersion = group === "" ? version : `${group}/${version}`;
  const made = await world.admin.create(
    resource,
    { ...content, apiVersion, kind, metadata } as KubeObject,
    world.signal,
  );
  const uid = made.metadata.uid ?? "";
  return () => world.admin.delete({ resource, key: { ...namespace, name: metadata.name } }, { uid }, world.signal);
}

/** Makes the node, and waits until it names the cause. */
async function named(name: string, cause: RegExp, spec?: ArchiveNodeSpec): Promise<void> {
  if ((await world.node(name)) === undefined) await world.create(name, spec);
  const isNamed = async () => cause.test((await world.condition(name, "Available"))?.message ?? "");
  await waitUntil(`${name} to name ${cause.source}`, isNamed, WAIT);
  expect((await world.condition(name, "Ready"))?.status).toBe("False");
}

interface StoredEvent extends KubeObject {
  readonly type: string;
  readonly note: string;
  readonly regarding: { readonly name: string; readonly kind: string };
}

async function warnings(name: string): Promise<readonly string[]> {
  const { items } = await world.admin.list<StoredEvent>(EVENTS, { namespace: NAMESPACE }, world.signal);
  const ours = items.filter(({ regarding }) => regarding.kind === "ArchiveNode" && regarding.name === name);
  return ours.filter(({ type }) => type === "Warning").map(({ note }) => note);
}

test("a PriorityClass that is missing is named, and the pod comes when it is there", async () => {
  await named("classy", /PriorityClass gold is missing; create it/, { podTemplate: { priorityClassName: "gold" } });
  const remove = await make(CLASS, { ...({ value: 1000 } as object), metadata: { name: "gold" } } as Plain);
  await world.ready("classy");
  await remove();
});

test("a quota without room is named, and the pod comes when there is room", async () => {
  const remove = await make(QUOTA, {
    ...({ spec: { hard: { pods: "0" } } } as object),
    metadata: { name: "few" },
  } as Plain);
  const isInForce = async () => {
    const key = { namespace: NAMESPACE, name: "few" };
    return (await world.admin.get<KubeObject & { status?: { hard?: object } }>(QUOTA, key, world.signal))?.status?.hard;
  };
  await waitUntil("the quota to be in force", async () => (await isInForce()) !== undefined, WAIT);
  await named("crowded", /ResourceQuota few leaves no room for pods=1; raise that quota/);
  await remove();
  await world.ready("crowded");
});

test("a limit that refuses the pod is named, and the pod comes with other resources", async () => {
  const limits = [{ type: "Container", max: { memory: "1Gi" } }];
  const remove = await make(LIMITS, { ...({ spec: { limits } } as object), metadata: { name: "small" } } as Plain);
  const memory = (amount: string) => ({ resources: { requests: { memory: amount }, limits: { memory: amount } } });
  await named(
    "large",
    /a LimitRange refuses the pod: maximum memory usage .* 2Gi; change spec\.resources/,
    memory("2Gi"),
  );
  await world.edit("ArchiveNode", "large", { spec: memory("512Mi") });
  await world.ready("large");
  await remove();
});

test("an admission webhook that does not answer is named", async () => {
  const webhook = {
    ...{ name: "team.example.org", failurePolicy: "Fail", sideEffects: "None", admissionReviewVersions: ["v1"] },
    clientConfig: { url: "https://127.0.0.1:1/" },
    rules: [{ apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], operations: ["CREATE"] }],
  };
  const remove = await make(WEBHOOK, { ...({ webhooks: [webhook] } as object), metadata: { name: "team" } } as Plain);
  await named("judged", /admission webhook team\.example\.org does not answer/);
  await remove();
  await world.ready("judged");
});

test("a restart is no Warning, a pod that does not end is one, and so is a claim that does not go", async () => {
  await world.ready("restarted");
  const uid = async () => (await world.get("Pod", "restarted-0"))?.metadata.uid;
  const before = await uid();
  const warned = await warnings("restarted");
  await world.remove("Pod", "restarted-0");
  await waitUntil("another pod", async () => ![undefined, before].includes(await uid()), WAIT);
  await world.ready("restarted");
  expect(await warnings("restarted")).toEqual(warned);

  const finalizers = (...names: readonly string[]) => ({ metadata: { finalizers: names } });
  await world.edit("Pod", "restarted-0", finalizers("example.org/hold"));
  await world.remove("Pod", "restarted-0");
  await named("restarted", /pod restarted-0 should have ended by .* held by finalizer example\.org\/hold/);
  await waitUntil("a Warning", async () => (await warnings("restarted")).some((note) => note.includes("hold")), WAIT);

  await world.edit("PersistentVolumeClaim", "data-restarted-0", finalizers("example.org/keep"));
  await world.remove("PersistentVolumeClaim", "data-restarted-0");
  await world.edit("Pod", "restarted-0", finalizers());
  await named("restarted", /no pod is made while claim data-restarted-0 is being deleted/);
  await world.edit("PersistentVolumeClaim", "data-restarted-0", finalizers());
  await world.ready("restarted");
});

test("Events are asked for by the StatefulSet they are about, and never watched", async () => {
  const aboutEvents = ({ objectRef, verb }: AuditedRequest) =>
    objectRef?.resource === "events" && ["get", "list", "watch"].includes(verb);
  const asked = (await operatorRequests(world.server)).filter(aboutEvents);
  expect(asked.length).toBeGreaterThan(0);
  expect(asked.filter(({ verb, requestURI }) => verb !== "list" || !requestURI.includes("regarding.uid"))).toEqual([]);
});
