/** Order of start and stop, warm standby and readiness of a whole manager, against a real API server. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../operator/src/kube/clock.ts";
import { keyText } from "../../operator/src/kube/objects.ts";
import { LeaseFence } from "../../operator/src/kube/write-fence.ts";
import { NO_CONTROLLER_METRICS } from "../../operator/src/runtime/controller-metrics.ts";
import { LEASE_TIMINGS, LeaderElector } from "../../operator/src/runtime/leader-election.ts";
import { SILENT } from "../../operator/src/runtime/log.ts";
import { CacheSyncError, createManager, type ManagerDeps, source } from "../../operator/src/runtime/manager.ts";
import { DONE, type Reconciler } from "../../operator/src/runtime/reconciler.ts";
import { createReflector, type ReflectorOptions } from "../../operator/src/runtime/reflector.ts";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { CONFIG_MAPS } from "../testkit/kube-connection.ts";
import { type ConfigMap, type ProxiedNamespace, proxiedNamespace } from "../testkit/proxied-namespace.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const DEADLINE = { deadlineMs: 40_000 };
let server: ApiServer;

beforeAll(async () => {
  server = await startApiServer({ signal: AbortSignal.timeout(150_000) });
});
afterAll(async () => {
  await server.stop();
});

interface Parts {
  readonly identity?: string;
  readonly reconcile?: Reconciler;
  readonly reflector?: Partial<ReflectorOptions>;
  readonly manager?: Partial<ManagerDeps>;
}

/** A process's worth: its own proxy, client, elector (when it has a name), reflector of ConfigMaps, and controller. */
async function startProcess(world: ProxiedNamespace, parts: Parts) {
  const fence = new LeaseFence(systemClock, LEASE_TIMINGS.renewDeadlineMs);
  const { proxy, client } = await world.another();
  const { namespace } = world;
  const common = { clock: systemClock, log: SILENT, client, namespace };
  const elector =
    parts.identity === undefined
      ? undefined
      : new LeaderElector({ ...common, fence, name: "leader", identity: parts.identity });
  const manager = createManager({
    ...common,
    metrics: NO_CONTROLLER_METRICS,
    random: Math.random,
    elector,
    ...parts.manager,
  });
  const reflector = manager.addReflector(
    createReflector<ConfigMap>({ ...common, resource: CONFIG_MAPS, ...parts.reflector }),
  );
  const reconciled: string[] = [];
  const controller = manager.addController({
    name: "test",
    reconcile: async (key, signal) => {
      reconciled.push(keyText(key));
      return (await parts.reconcile?.(key, signal)) ?? DONE;
    },
    sources: [source({ reflector })],
  });
  const stop = new AbortController();
  return { proxy, manager, reflector, controller, elector, reconciled, stop, run: manager.run(stop.signal) };
}

async function put(world: ProxiedNamespace, name: string): Promise<string> {
  const { namespace } = world;
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace } };
  await world.past.create(CONFIG_MAPS, object, world.signal);
  return `${namespace}/${name}`;
}

test("a follower fills cache and queue, works nothing, and starts at once when the leader goes", async () => {
  await using world = await proxiedNamespace(server);
  const first = await put(world, "first");
  const leader = await startProcess(world, { identity: "leader" });
  await waitUntil("the leader to work", () => leader.reconciled.includes(first), DEADLINE);
  const follower = await startProcess(world, { identity: "follower" });
  const second = await put(world, "second");
  await waitUntil("the follower's cache", () => follower.reflector.cache.size === 2, DEADLINE);
  await waitUntil("the leader to work", () => leader.reconciled.includes(second), DEADLINE);
  expect(follower.manager.ready()).toEqual({ ok: true, problems: [] });
  expect(follower.reconciled).toEqual([]);
  const asked = () => follower.proxy.requests.filter(({ path }) => path.endsWith("/configmaps")).length;
  const before = asked();

  leader.stop.abort();
  await leader.run;
  await waitUntil("the follower to work", () => follower.reconciled.length === 2, DEADLINE);
  expect([...follower.reconciled].sort()).toEqual([first, second]);
  expect(asked()).toBe(before);
  follower.stop.abort();
  await follower.run;
});

test("no key is worked before every cache is filled", async () => {
  await using world = await proxiedNamespace(server);
  await put(world, "any");
  const seen: boolean[] = [];
  const { proxy, client } = await world.another();
  const answering = Promise.withResolvers<void>();
  proxy.addFault({ matches: (request) => request.isWatch, fault: { kind: "hold", until: answering.promise } });
  const common = { clock: systemClock, log: SILENT, namespace: world.namespace, resource: CONFIG_MAPS };
  const other = createReflector<ConfigMap>({ ...common, client });
  const quick = createReflector<ConfigMap>({ ...common, client: world.past });
  const manager = createManager({ ...common, metrics: NO_CONTROLLER_METRICS, random: Math.random });
  manager.addReflector(other);
  manager.addReflector(quick);
  manager.addController({
    name: "test",
    reconcile: async () => {
      seen.push(other.cache.hasSynced);
      return DONE;
    },
    sources: [source({ reflector: quick })],
  });
  const stop = new AbortController();
  const run = manager.run(stop.signal);
  await waitUntil("the quick cache", () => quick.cache.hasSynced, DEADLINE);
  expect(other.cache.hasSynced).toBe(false);
  expect(manager.ready()).toEqual({ ok: false, problems: ["configmaps: not listed yet (starting)"] });
  answering.resolve();
  await waitUntil("a reconcile", () => seen.length > 0, DEADLINE);
  expect(seen).not.toContain(false);
  stop.abort();
  await run;
});

test("a required cache that cannot be filled ends the run, naming kind and cause", async () => {
  await using world = await proxiedNamespace(server);
  const process = await startProcess(world, {
    manager: { syncTimeoutMs: 5_000 }, // time to be told that there is no such kind
    reflector: { resource: { ...CONFIG_MAPS, plural: "nosuchthings", kind: "NoSuchThing" } },
  });
  await expect(process.run).rejects.toThrow(CacheSyncError);
  await expect(process.run).rejects.toThrow(/nosuchthings \(absent\)/);
  expect(process.reconciled).toEqual([]);
});

test("stopping drains: what runs is finished, nothing new begins, and it is not ready meanwhile", async () => {
  await using world = await proxiedNamespace(server);
  const finish = Promise.withResolvers<void>();
  let aborted = false;
  const process = await startProcess(world, {
    reconcile: async (_key, signal) => {
      await finish.promise;
      aborted = signal.aborted;
      return DONE;
    },
  });
  const first = await put(world, "first");
  await waitUntil("the reconcile to run", () => process.reconciled.length === 1, DEADLINE);
  process.stop.abort();
  expect(process.manager.ready()).toEqual({ ok: false, problems: ["shutting down"] });
  expect(process.manager.live().ok).toBe(true);
  await put(world, "second");
  await waitUntil("the cache to show what came later", () => process.reflector.cache.size === 2, DEADLINE);
  finish.resolve();
  await process.run;
  expect(process.reconciled).toEqual([first]);
  expect(aborted).toBe(false);
  await waitUntil("the watches to end", () => process.proxy.openWatches === 0, DEADLINE);
});

test("what is not finished in time is aborted", async () => {
  await using world = await proxiedNamespace(server);
  const process = await startProcess(world, {
    manager: { drainTimeoutMs: 200 },
    reconcile: (_key, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new Error("given up")), { once: true });
      }),
  });
  await put(world, "any");
  await waitUntil("the reconcile to run", () => process.reconciled.length === 1, DEADLINE);
  process.stop.abort();
  await process.run;
});

test("a watch that stalls where no other gets through makes the process not ready, then not alive", async () => {
  await using world = await proxiedNamespace(server);
  const process = await startProcess(world, {
    // Not alive comes two seconds after not ready.
    reflector: { timings: { watchTimeoutMs: [500, 2_000], inactivityMarginMs: 60_000 } },
  });
  await waitUntil("readiness", () => process.manager.ready().ok, DEADLINE);
  process.proxy.stallWatches();
  await waitUntil("the process to be not ready", () => !process.manager.ready().ok, DEADLINE);
  expect(process.manager.ready().problems[0]).toMatch(/^configmaps: no contact for \d+ s$/);
  expect(process.manager.live().ok).toBe(true);
  await waitUntil("the process to be not alive", () => !process.manager.live().ok, DEADLINE);
  process.proxy.cutWatches();
  await waitUntil("readiness again", () => process.manager.ready().ok, DEADLINE);
  process.stop.abort();
  await process.run;
});

test("resync wakes for every cached object again and again", async () => {
  await using world = await proxiedNamespace(server);
  const name = await put(world, "any");
  const reflector = createReflector<ConfigMap>({
    client: world.client,
    resource: CONFIG_MAPS,
    clock: systemClock,
    log: SILENT,
    namespace: world.namespace,
  });
  const reconciled: string[] = [];
  const manager = createManager({
    clock: systemClock,
    log: SILENT,
    metrics: NO_CONTROLLER_METRICS,
    random: () => 0.5,
  });
  manager.addReflector(reflector);
  manager.addController({
    name: "test",
    reconcile: async (key) => {
      reconciled.push(keyText(key));
      return DONE;
    },
    sources: [source({ reflector, resyncMs: 100 })],
  });
  const stop = new AbortController();
  const run = manager.run(stop.signal);
  await waitUntil("four runs without an event", () => reconciled.length >= 4, DEADLINE);
  expect(new Set(reconciled)).toEqual(new Set([name]));
  stop.abort();
  await run;
  expect(world.proxy.requests.filter((request) => request.isWatch)).toHaveLength(1);
});
