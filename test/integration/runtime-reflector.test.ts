/** Watches that are cut, stalled or refused must heal without a missed event; proven against a real API server. */
import { Registry } from "prom-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../operator/src/kube/clock.ts";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import type { Change } from "../../operator/src/runtime/cache.ts";
import { type Log, SILENT } from "../../operator/src/runtime/log.ts";
import { createReflector, type ReflectorOptions } from "../../operator/src/runtime/reflector.ts";
import { createReflectorMetrics } from "../../operator/src/runtime/reflector-metrics.ts";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { type ApiServerProxy, type Fault, startApiServerProxy } from "../testkit/api-server-proxy.ts";
import { CONFIG_MAPS, connectTo, NAMESPACES } from "../testkit/kube-connection.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const DEADLINE = { deadlineMs: 30_000 };
let server: ApiServer;

beforeAll(async () => {
  server = await startApiServer({ signal: AbortSignal.timeout(150_000) });
});
afterAll(async () => {
  await server.stop();
});

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

async function setUp(options: Partial<ReflectorOptions> = {}, existing: readonly string[] = []) {
  const proxy = await startApiServerProxy(server);
  const direct = await startApiServerProxy(server);
  const [connection, writer] = [connectTo(proxy.url), connectTo(direct.url)];
  const namespace = `reflector-${crypto.randomUUID().slice(0, 8)}`;
  const signal = AbortSignal.timeout(120_000);
  await writer.client.create(
    NAMESPACES,
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    signal,
  );
  const reflector = createReflector<ConfigMap>({
    client: connection.client,
    resource: CONFIG_MAPS,
    clock: systemClock,
    log: SILENT,
    namespace,
    timings: { backoffBaseMs: 20, backoffCapMs: 200, unavailableMs: 100 },
    ...options,
  });
  const changes: Change<ConfigMap>[] = [];
  reflector.cache.onChange((change) => changes.push(change));
  const put = (name: string) =>
    writer.client.create(CONFIG_MAPS, { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace } }, signal);
  for (const name of existing) await put(name);
  const stop = new AbortController();
  const running = reflector.run(stop.signal);
  const drop = async (name: string) => {
    const key = { namespace, name };
    const live = await writer.client.get(CONFIG_MAPS, key, signal);
    await writer.client.delete({ resource: CONFIG_MAPS, key }, { uid: live?.metadata.uid ?? "" }, signal);
  };
  return {
    proxy,
    reflector,
    changes,
    put,
    drop,
    end: async () => {
      stop.abort();
      await running;
    },
    synced: () => waitUntil("the cache to be filled", () => reflector.cache.hasSynced, DEADLINE),
    shows: (name: string) =>
      waitUntil(`${name} in the cache`, () => reflector.cache.get({ namespace, name }) !== undefined, DEADLINE),
    lacks: (name: string) =>
      waitUntil(`${name} to leave the cache`, () => reflector.cache.get({ namespace, name }) === undefined, DEADLINE),
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
      await Promise.all([connection, writer].map((each) => each[Symbol.asyncDispose]()));
      await Promise.all([proxy, direct].map((each) => each[Symbol.asyncDispose]()));
    },
  };
}

const isWatch: Parameters<ApiServerProxy["addFault"]>[0]["matches"] = (request) => request.isWatch;

test.each<[string, Fault]>([
  ["answered 500", { kind: "answer", status: 500 }],
  ["answered 429", { kind: "answer", status: 429, retryAfterSeconds: 1 }],
  ["answered 410", { kind: "answer", status: 410 }],
  ["reset", { kind: "reset" }],
  ["told 410 in an event", { kind: "watchError", code: 410 }],
  ["told 500 in an event", { kind: "watchError", code: 500 }],
  ["given a malformed line", { kind: "garbage" }],
])("a watch that is cut and then %s misses nothing", async (_name, fault) => {
  await using world = await setUp();
  await world.put("before");
  await world.synced();
  await world.shows("before");
  world.proxy.addFault({ matches: isWatch, fault, times: 2 });
  world.proxy.cutWatches();
  await world.put("during");
  await world.drop("before");
  await world.shows("during");
  await world.lacks("before");
  const seen = world.changes.map((change) => `${change.type} ${change.object.metadata.name}`);
  expect(seen.filter((line) => line === "added during")).toHaveLength(1);
  expect(seen.filter((line) => line === "deleted before")).toHaveLength(1);
});

test("a stalled watch is noticed and replaced", async () => {
  await using world = await setUp({
    timings: { watchTimeoutMs: [1_000, 2_000], inactivityMarginMs: 500, backoffBaseMs: 20, backoffCapMs: 200 },
  });
  await world.synced();
  world.proxy.stallWatches();
  await world.put("unseen");
  await world.shows("unseen");
});

test("falls back to pages when the server refuses streaming lists", async () => {
  await using world = await setUp();
  world.proxy.addFault({
    matches: (request) => request.query.has("sendInitialEvents"),
    fault: { kind: "answer", status: 422 },
    times: 1_000,
  });
  await world.synced();
  // The first reflector may have synced before the rule; a relist cannot.
  world.proxy.addFault({ matches: isWatch, fault: { kind: "answer", status: 410 }, times: 1 });
  world.proxy.cutWatches();
  await world.put("paged");
  await world.shows("paged");
  expect(world.proxy.requests.some((request) => request.query.get("limit") === "500")).toBe(true);
});

test("a list cut inside an object is never served", async () => {
  const names = ["a", "b", "c", "d", "e"];
  await using world = await setUp({}, names);
  // Past the first of the five objects and well before the last.
  world.proxy.addFault({ matches: isWatch, fault: { kind: "truncate", bytes: 700 }, times: 2 });
  await world.synced();
  expect(world.proxy.requests.filter((request) => request.query.has("sendInitialEvents"))).toHaveLength(3);
  expect(world.changes.map((change) => `${change.type} ${change.object.metadata.name}`)).toEqual(
    names.map((name) => `added ${name}`),
  );
});

test("nothing watches on after a stop, not even one in the middle of the list", async () => {
  await using world = await setUp();
  world.proxy.addFault({ matches: isWatch, fault: { kind: "delay", ms: 300 } });
  await world.end();
  await waitUntil("all watches to end", () => world.proxy.openWatches === 0, DEADLINE);
  const asked = world.proxy.requests.length;
  await world.put("after");
  expect(world.proxy.requests).toHaveLength(asked);
  expect(world.reflector.cache.size).toBe(0);
});

test("metadata-only mode brings names and labels but no contents", async () => {
  await using world = await setUp({ metadataOnly: true });
  await world.put("slim");
  await world.shows("slim");
  expect(world.reflector.cache.list()[0]).toMatchObject({ kind: "ConfigMap", apiVersion: "v1" });
  expect(world.reflector.cache.list().every((object) => object.data === undefined)).toBe(true);
});

test("twenty broken watches leave the number of sockets flat", async () => {
  await using world = await setUp();
  await world.synced();
  for (let round = 0; round < 20; round++) {
    await waitUntil("a watch", () => world.proxy.openWatches > 0, DEADLINE);
    world.proxy.cutWatches();
    await world.put(`round-${round}`);
    await world.shows(`round-${round}`);
  }
  expect(world.proxy.openSockets).toBeLessThanOrEqual(3);
});

const FORBIDDEN: Fault = { kind: "answer", status: 403 };

/** A log that keeps its lines from `info` up. */
function keptLog() {
  const lines: string[] = [];
  const keep = (level: string) => (data: Readonly<Record<string, unknown>>, text: string) =>
    void lines.push(`${level} ${String(data["kind"])} ${text}`);
  const log: Log = { ...SILENT, error: keep("error"), warn: keep("warn"), info: keep("info") };
  return { log, lines };
}

test("a needed kind that may not be read any more is warned of once, and its return is told", async () => {
  const { log, lines } = keptLog();
  await using world = await setUp({ log });
  await world.synced();
  world.proxy.addFault({ matches: isWatch, fault: FORBIDDEN, times: 4 });
  world.proxy.cutWatches();
  await waitUntil("the refusal", () => world.reflector.state === "forbidden", DEADLINE);
  await waitUntil("the watch to be back", () => world.reflector.state === "watching", DEADLINE);
  expect(lines).toEqual([
    "warn ConfigMap a kind that is needed cannot be read",
    "info ConfigMap a kind can be read now",
  ]);
});

test("a kind that need not be there is no news, and has no age while it is not", async () => {
  const { log, lines } = keptLog();
  const registry = new Registry();
  const absent = { ...CONFIG_MAPS, kind: "Absent", plural: "absents" };
  const metrics = createReflectorMetrics(registry);
  await using world = await setUp({ log, metrics, optional: true, resource: absent });
  await waitUntil("the kind to be known as absent", () => world.reflector.state === "absent", DEADLINE);
  expect(lines).toEqual([]);
  expect(await registry.metrics()).not.toContain('last_event_age_seconds{kind="Absent"}');
});

test("objects of a kind in two namespaces are counted together", async () => {
  const registry = new Registry();
  const metrics = createReflectorMetrics(registry);
  await using first = await setUp({ metrics }, ["a", "b"]);
  await using second = await setUp({ metrics }, ["c"]);
  await first.shows("b");
  await second.shows("c");
  expect(await registry.metrics()).toContain('archivestream_cache_objects{kind="ConfigMap"} 3');
});
