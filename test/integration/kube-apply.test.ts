/** Writing only what differs: applies and deletes, counted at the proxy before a real API server. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { APPLIED_HASH_ANNOTATION, type CachedObject, createApply } from "../../operator/src/kube/apply.ts";
import { type Clock, systemClock } from "../../operator/src/kube/clock.ts";
import { type KubeMetrics, NO_KUBE_METRICS } from "../../operator/src/kube/metrics.ts";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
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
