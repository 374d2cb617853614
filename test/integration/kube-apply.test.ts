/** Writing only what differs: applies, status, deletes and Events, counted at the proxy before a real API server. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { APPLIED_HASH_ANNOTATION, type CachedObject, createApply } from "../../operator/src/kube/apply.ts";
import { type Clock, systemClock } from "../../operator/src/kube/clock.ts";
import { type KubeMetrics, NO_KUBE_METRICS } from "../../operator/src/kube/metrics.ts";
import type { KubeObject, ResourceType } from "../../operator/src/kube/objects.ts";
import { createStatusWriter } from "../../operator/src/kube/status.ts";
import { createEventRecorder, EVENTS } from "../../operator/src/runtime/event-recorder.ts";
import { SILENT } from "../../operator/src/runtime/log.ts";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { createFakeClock } from "../testkit/fake-clock.ts";
import { CONFIG_MAPS } from "../testkit/kube-connection.ts";
import { type ConfigMap, type ProxiedNamespace, proxiedNamespace } from "../testkit/proxied-namespace.ts";

let server: ApiServer;

beforeAll(async () => {
  server = await startApiServer({ mayBeGiven: true, signal: AbortSignal.timeout(150_000) });
});
afterAll(async () => {
  await server.stop();
});

/** An apply whose cache shows what the test last let it see: a cache that lags for as long as the test wants. */
function applying(world: ProxiedNamespace, clock: Clock = systemClock) {
  const shown = new Map<string, KubeObject>();
  const outcomes: string[] = [];
  const metrics: KubeMetrics = { ...NO_KUBE_METRICS, applied: (_kind, result) => outcomes.push(result) };
  const apply = createApply({
    client: world.client,
    clock,
    metrics,
    resourceOf: () => CONFIG_MAPS,
    cached: (_resource, key): CachedObject => ({ object: shown.get(key.name), metadataOnly: false }),
  });
  const options = { fieldManager: "archivestream-node" };
  const document = (name: string, value: string) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: world.namespace },
    data: { value },
  });
  return {
    outcomes,
    document,
    run: (object: KubeObject, more: object = {}) => apply(object, { ...options, ...more }, world.signal),
    /** The watch catches up. */
    show: async (name: string) => {
      const live = await world.configMap(name);
      if (live === undefined) shown.delete(name);
      else shown.set(name, live);
    },
  };
}

async function drop(world: ProxiedNamespace, name: string): Promise<void> {
  const uid = (await world.configMap(name))?.metadata.uid ?? "";
  const key = { namespace: world.namespace, name };
  await world.past.delete({ resource: CONFIG_MAPS, key }, { uid }, world.signal);
}

test("applying the same again writes nothing, whether the cache lags, caught up, or was lost", async () => {
  await using world = await proxiedNamespace(server);
  const child = applying(world);
  const document = child.document("child", "one");
  expect((await child.run(document)).outcome).toBe("changed");
  expect((await child.run(document)).outcome).toBe("noop");
  await child.show("child");
  for (let round = 0; round < 3; round++) expect((await child.run(document)).outcome).toBe("noop");
  const restarted = applying(world);
  await restarted.show("child");
  expect((await restarted.run(document)).outcome).toBe("noop");
  expect(world.proxy.writes).toHaveLength(1);
  expect(child.outcomes).toEqual(["changed", "noop", "noop", "noop", "noop"]);
});

test("a change of the document and a drift of the object are each written once", async () => {
  await using world = await proxiedNamespace(server);
  const child = applying(world);
  await child.run(child.document("child", "one"));
  await child.run(child.document("child", "two"));
  await child.show("child");
  await child.run(child.document("child", "two"));
  expect(world.proxy.writes).toHaveLength(2);

  await world.edit("child", { data: { value: "edited" } });
  await child.show("child");
  await child.run(child.document("child", "two"));
  await child.show("child");
  await child.run(child.document("child", "two"));
  expect(world.proxy.writes).toHaveLength(3);
  expect((await world.configMap("child"))?.data).toEqual({ value: "two" });
});

test("fields of others are theirs: their change is no drift", async () => {
  await using world = await proxiedNamespace(server);
  const child = applying(world);
  await child.run(child.document("child", "one"));
  await world.edit("child", { data: { theirs: "kept" }, metadata: { labels: { team: "a" } } });
  await child.show("child");
  expect((await child.run(child.document("child", "one"))).outcome).toBe("noop");
  await child.run(child.document("child", "two"));
  expect(await world.configMap("child")).toMatchObject({
    data: { value: "two", theirs: "kept" },
    metadata: { labels: { team: "a" } },
  });
});

test("drift is repaired though the cache never showed the version that we wrote", async () => {
  await using world = await proxiedNamespace(server);
  const child = applying(world);
  await child.run(child.document("child", "one"));
  await child.show("child");
  await child.run(child.document("child", "two"));
  await world.edit("child", { data: { value: "edited" } });
  await child.show("child"); // straight from before our write to after theirs
  expect((await child.run(child.document("child", "two"))).outcome).toBe("changed");
  expect((await world.configMap("child"))?.data).toEqual({ value: "two" });
});

test("a child that was deleted before the cache ever showed it is made again", async () => {
  await using world = await proxiedNamespace(server);
  const child = applying(world);
  const document = child.document("child", "one");
  await child.run(document);
  await drop(world, "child");
  expect((await child.run(document)).outcome).toBe("changed");
  expect((await world.configMap("child"))?.data).toEqual({ value: "one" });
});

test("a document for one incarnation never reaches its successor", async () => {
  await using world = await proxiedNamespace(server);
  const child = applying(world);
  const first = await child.run(child.document("child", "one"));
  await drop(world, "child");
  await world.past.create(CONFIG_MAPS, child.document("child", "successor"), world.signal);
  const uid = first.object?.metadata.uid;
  await expect(child.run(child.document("child", "two"), { uid })).rejects.toMatchObject({ code: "CONFLICT" });
  expect((await world.configMap("child"))?.data).toEqual({ value: "successor" });
});

test("without force another manager's field is a typed conflict that names field and manager", async () => {
  await using world = await proxiedNamespace(server);
  const child = applying(world);
  await child.run(child.document("child", "one"));
  await world.edit("child", { data: { value: "theirs" } });
  await child.show("child");
  await expect(child.run(child.document("child", "one"), { force: false })).rejects.toMatchObject({
    code: "FIELD_CONFLICT",
    details: { conflicts: [{ field: ".data.value", message: expect.stringContaining('"somebody"') as string }] },
  });
  expect(child.outcomes).toEqual(["changed", "conflict"]);
  expect((await world.configMap("child"))?.data).toEqual({ value: "theirs" });
});

test("what the server refuses is a typed error, and is not remembered as applied", async () => {
  await using world = await proxiedNamespace(server);
  const child = applying(world);
  const invalid = { ...child.document("child", "one"), data: { "not a key!": "x" } };
  await expect(child.run(invalid)).rejects.toMatchObject({ code: "INVALID" });
  await expect(child.run(invalid)).rejects.toMatchObject({ code: "INVALID" });
  expect(world.proxy.writes).toHaveLength(2);
});

test("in a cache of metadata alone, drift of the contents is seen by one read after a version not ours", async () => {
  await using world = await proxiedNamespace(server);
  let shown: KubeObject | undefined;
  const apply = createApply({
    client: world.client,
    clock: systemClock,
    metrics: NO_KUBE_METRICS,
    resourceOf: () => CONFIG_MAPS,
    cached: () => ({ object: shown, metadataOnly: true }),
  });
  const show = async () => {
    const { data: _hidden, ...rest } = (await world.configMap("child")) as ConfigMap;
    shown = rest;
  };
  const { document } = applying(world);
  const run = () => apply(document("child", "one"), { fieldManager: "archivestream-node" }, world.signal);
  const reads = () => world.proxy.requests.filter((request) => request.method === "GET").length;
  await run();
  await show();
  for (let round = 0; round < 3; round++) await run();
  expect([world.proxy.writes.length, reads()]).toEqual([1, 0]);
  await world.edit("child", { data: { value: "edited" } });
  await show();
  await run();
  expect([world.proxy.writes.length, reads()]).toEqual([2, 1]);
  await show();
  for (let round = 0; round < 3; round++) await run();
  expect([world.proxy.writes.length, reads()]).toEqual([2, 1]);
});

test("a delete hits the incarnation and the version that was meant, or nothing", async () => {
  await using world = await proxiedNamespace(server);
  const child = applying(world);
  const { object } = await child.run(child.document("child", "one"));
  const target = { resource: CONFIG_MAPS, key: { namespace: world.namespace, name: "child" } };
  const { uid = "", resourceVersion } = object?.metadata ?? {};
  const edited = await world.edit("child", { data: { value: "edited" } });
  const other = "00000000-0000-4000-8000-000000000000";
  await expect(world.client.delete(target, { uid: other }, world.signal)).rejects.toMatchObject({ code: "CONFLICT" });
  await expect(world.client.delete(target, { uid, resourceVersion }, world.signal)).rejects.toMatchObject({
    code: "CONFLICT",
  });
  const now = edited.metadata.resourceVersion;
  expect(await world.client.delete(target, { uid, resourceVersion: now }, world.signal)).toBe("deleted");
  expect(await world.client.delete(target, { uid }, world.signal)).toBe("absent");
});

const DEPLOYMENTS: ResourceType = {
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
  namespaced: true,
};

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly lastTransitionTime: string;
}

interface Deployment extends KubeObject {
  readonly status?: { readonly conditions?: readonly Condition[]; readonly readyReplicas?: number } | undefined;
}

/** A Deployment, as a kind with a status that no controller of this API server touches. */
async function statusWorld(world: ProxiedNamespace) {
  const clock = createFakeClock();
  const write = createStatusWriter<Deployment, NonNullable<Deployment["status"]>>({
    client: world.client,
    clock,
    metrics: NO_KUBE_METRICS,
    resource: DEPLOYMENTS,
    fieldManager: "archivestream-status",
  });
  const labels = { app: "subject" };
  const pod = { metadata: { labels }, spec: { containers: [{ name: "c", image: "example.test/none" }] } };
  await world.past.create(
    DEPLOYMENTS,
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "subject", namespace: world.namespace },
      spec: { selector: { matchLabels: labels }, template: pod },
    } as KubeObject,
    world.signal,
  );
  const live = async () => {
    const key = { namespace: world.namespace, name: "subject" };
    return (await world.past.get<Deployment>(DEPLOYMENTS, key, world.signal)) as Deployment;
  };
  const status = (ready: "True" | "False", reason: string, second: number): NonNullable<Deployment["status"]> => ({
    conditions: [
      {
        type: "Ready",
        status: ready,
        reason,
        lastTransitionTime: `2026-11-24T00:00:${String(second).padStart(2, "0")}Z`,
      },
    ],
  });
  return { clock, write, live, status };
}

test("a status that differs in times alone is not written, by a lagging, a fresh or a new writer", async () => {
  await using world = await proxiedNamespace(server);
  const { clock, write, live, status } = await statusWorld(world);
  const before = await live();
  expect(await write(before, status("False", "Starting", 1), world.signal)).toEqual({ outcome: "written" });
  expect(await write(before, status("False", "Starting", 2), world.signal)).toEqual({ outcome: "unchanged" });
  clock.advance(60_000);
  expect(await write(await live(), status("False", "Starting", 3), world.signal)).toEqual({ outcome: "unchanged" });
  const restarted = createStatusWriter<Deployment, NonNullable<Deployment["status"]>>({
    client: world.client,
    clock,
    metrics: NO_KUBE_METRICS,
    resource: DEPLOYMENTS,
    fieldManager: "archivestream-status",
  });
  expect(await restarted(await live(), status("False", "Starting", 4), world.signal)).toEqual({ outcome: "unchanged" });
  expect(world.proxy.writes.map(({ path }) => path.split("/").at(-1))).toEqual(["status"]);
});

test("changes within a second are gathered; a change of Ready is not held back", async () => {
  await using world = await proxiedNamespace(server);
  const { clock, write, live, status } = await statusWorld(world);
  await write(await live(), status("False", "Starting", 1), world.signal);
  clock.advance(400);
  expect(await write(await live(), status("False", "Pulling", 1), world.signal)).toEqual({
    outcome: "deferred",
    delayMs: 600,
  });
  expect(world.proxy.writes).toHaveLength(1);
  expect((await write(await live(), status("True", "Serving", 2), world.signal)).outcome).toBe("written");
  expect((await write(await live(), status("True", "Busy", 2), world.signal)).outcome).toBe("deferred");
  clock.advance(1_000);
  expect((await write(await live(), status("True", "Busy", 2), world.signal)).outcome).toBe("written");
  expect((await live()).status?.conditions?.[0]).toMatchObject({ status: "True", reason: "Busy" });
});

test("a status that somebody else changed is written again; one of an earlier incarnation is refused", async () => {
  await using world = await proxiedNamespace(server);
  const { clock, write, live, status } = await statusWorld(world);
  const before = await live();
  await write(before, status("True", "Serving", 1), world.signal);
  await world.past.patch(
    { resource: DEPLOYMENTS, key: { namespace: world.namespace, name: "subject" } },
    { status: { conditions: null } },
    { contentType: "application/merge-patch+json", fieldManager: "somebody", subresource: "status" },
    world.signal,
  );
  clock.advance(1_000);
  expect((await write(await live(), status("True", "Serving", 1), world.signal)).outcome).toBe("written");
  expect((await live()).status?.conditions).toHaveLength(1);
  const earlier = { ...before, metadata: { ...before.metadata, uid: "00000000-0000-4000-8000-000000000000" } };
  await expect(write(earlier, status("False", "Gone", 2), world.signal)).rejects.toMatchObject({ code: "CONFLICT" });
});

/** Events about one ConfigMap, with a clock that the test moves. */
async function eventWorld(world: ProxiedNamespace) {
  const clock = createFakeClock();
  const record = createEventRecorder({
    client: world.client,
    clock,
    log: SILENT,
    controller: "archivestream.io/operator",
    instance: "operator-0",
  });
  const about = await world.past.create<KubeObject>(
    CONFIG_MAPS,
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "subject", namespace: world.namespace } },
    world.signal,
  );
  const tell = (note: string) =>
    record(about, { type: "Warning", reason: "Repaired", action: "Reconcile", note }, world.signal);
  const events = async () =>
    (await world.past.list<StoredEvent>(EVENTS, { namespace: world.namespace }, world.signal)).items;
  return { clock, about, tell, events };
}

interface StoredEvent extends KubeObject {
  readonly note: string;
  readonly series?: { readonly count: number };
  readonly regarding: { readonly uid?: string };
}

test("a repeated Event becomes a series that is written at most once a minute", async () => {
  await using world = await proxiedNamespace(server);
  const { clock, about, tell, events } = await eventWorld(world);
  for (let second = 0; second < 130; second++) {
    await tell("the Service was changed by somebody");
    clock.advance(1_000);
  }
  // The first, its first repetition, and one a minute.
  expect(world.proxy.writes.map(({ method }) => method)).toEqual(["POST", "PATCH", "PATCH", "PATCH"]);
  expect(await events()).toMatchObject([{ series: { count: 122 }, regarding: { uid: about.metadata.uid } }]);
  clock.advance(6 * 60_000);
  await tell("the Service was changed by somebody");
  expect(await events()).toHaveLength(2);
});

test("an object's Events are bounded by a burst and then a trickle; other objects have their own budget", async () => {
  await using world = await proxiedNamespace(server);
  const { clock, tell } = await eventWorld(world);
  for (let index = 0; index < 40; index++) await tell(`note ${index}`);
  expect(world.proxy.writes).toHaveLength(25);
  clock.advance(300_000);
  for (let index = 40; index < 50; index++) await tell(`note ${index}`);
  expect(world.proxy.writes).toHaveLength(26);
});

test("an Event that could not be written harms nothing, and its repetition is written whole", async () => {
  await using world = await proxiedNamespace(server);
  const { clock, tell, events } = await eventWorld(world);
  world.proxy.addFault({ matches: ({ method }) => method === "POST", fault: { kind: "answer", status: 500 } });
  await tell("lost");
  expect(await events()).toEqual([]);
  clock.advance(1_000);
  await tell("lost");
  expect(await events()).toHaveLength(1);
});

test("a note is cut at a character within the API's limit", async () => {
  await using world = await proxiedNamespace(server);
  const { tell, events } = await eventWorld(world);
  await tell("ü".repeat(2_000));
  const [event] = await events();
  expect(Buffer.byteLength(event?.note ?? "")).toBeGreaterThan(1_000);
  expect(event?.note).toMatch(/^ü+…$/);
});

test("the digest on the object is what a restart relies on", async () => {
  await using world = await proxiedNamespace(server);
  const child = applying(world);
  await child.run(child.document("child", "one"));
  const annotation = (await world.configMap("child"))?.metadata.annotations?.[APPLIED_HASH_ANNOTATION];
  expect(annotation).toMatch(/^[0-9a-f]{32}$/);
  await world.edit("child", { metadata: { annotations: { [APPLIED_HASH_ANNOTATION]: null } } });
  await child.show("child");
  expect((await child.run(child.document("child", "one"))).outcome).toBe("changed");
  expect((await world.configMap("child"))?.metadata.annotations?.[APPLIED_HASH_ANNOTATION]).toBe(annotation);
});
