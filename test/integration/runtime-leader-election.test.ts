/** One process writes at a time, whatever becomes of leader, lease and network; against a real API server. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { KubeClient } from "../../operator/src/kube/client.ts";
import { type Clock, systemClock } from "../../operator/src/kube/clock.ts";
import { LeaseFence } from "../../operator/src/kube/write-fence.ts";
import { NO_CONTROLLER_METRICS } from "../../operator/src/runtime/controller-metrics.ts";
import {
  LEASE_TIMINGS,
  LeaderElector,
  LeadershipLostError,
  type LeaseTimings,
} from "../../operator/src/runtime/leader-election.ts";
import { LEASES, type Lease, microTime } from "../../operator/src/runtime/lease.ts";
import { SILENT } from "../../operator/src/runtime/log.ts";
import { createManager } from "../../operator/src/runtime/manager.ts";
import { DONE } from "../../operator/src/runtime/reconciler.ts";
import { createReflector } from "../../operator/src/runtime/reflector.ts";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { createFakeClock } from "../testkit/fake-clock.ts";
import { CONFIG_MAPS } from "../testkit/kube-connection.ts";
import { type ConfigMap, type ProxiedNamespace, proxiedNamespace } from "../testkit/proxied-namespace.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const DEADLINE = { deadlineMs: 40_000 };
const PAUSE_MS = 20_000;
/** Short enough to lose within a test, long enough for a busy machine to renew. */
const QUICK: LeaseTimings = { leaseDurationMs: 5_000, renewDeadlineMs: 3_000, retryMs: 300 };
const LEADER_PROGRAM = fileURLToPath(new URL("../testkit/writing-leader.ts", import.meta.url));
let server: ApiServer;

beforeAll(async () => {
  server = await startApiServer({ mayBeGiven: true, signal: AbortSignal.timeout(150_000) });
});
afterAll(async () => {
  await server.stop();
});

interface ElectorParts {
  readonly client: KubeClient;
  readonly identity: string;
  readonly timings?: LeaseTimings;
  readonly clock?: Clock;
  readonly fence?: LeaseFence;
}

function electorIn(world: ProxiedNamespace, { client, identity, ...parts }: ElectorParts): LeaderElector {
  const { clock = systemClock, timings = LEASE_TIMINGS } = parts;
  const fence = parts.fence ?? new LeaseFence(clock, timings.renewDeadlineMs);
  return new LeaderElector({
    client,
    clock,
    log: SILENT,
    fence,
    namespace: world.namespace,
    name: "leader",
    identity,
    timings,
  });
}

/** A namespace whose `client` writes through the fence that its elector moves. */
async function setUp(timings: LeaseTimings = QUICK, clock: Clock = systemClock) {
  const fence = new LeaseFence(clock, timings.renewDeadlineMs);
  const world = await proxiedNamespace(server, fence);
  const elector = electorIn(world, { client: world.client, identity: "first", timings, clock, fence });
  const lease = () =>
    world.past.get<Lease>(LEASES, { namespace: world.namespace, name: "leader" }, AbortSignal.timeout(10_000));
  const write = (name: string) =>
    world.client.create(
      CONFIG_MAPS,
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: world.namespace } },
      world.signal,
    );
  return { ...world, world, fence, elector, lease, write };
}

const isLeaseWrite: Parameters<ProxiedNamespace["proxy"]["addFault"]>[0]["matches"] = ({ method, path }) =>
  method !== "GET" && path.includes("/leases");
const isCreate: typeof isLeaseWrite = ({ method, path }) => method === "POST" && path.endsWith("/configmaps");

async function exitOf(child: ChildProcessWithoutNullStreams): Promise<unknown> {
  if (child.exitCode === null) await once(child, "exit", { signal: AbortSignal.timeout(20_000) });
  return child.exitCode;
}

test("a leader that was stopped for 20 s starts no write when it wakes, and exits", async () => {
  await using world = await proxiedNamespace(server);
  const second = await world.another();
  const { namespace, signal } = world;
  const written = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "written", namespace } };
  await world.past.create(CONFIG_MAPS, written, signal);
  const writers: string[] = [];
  const reflector = createReflector<ConfigMap>({
    client: world.past,
    resource: CONFIG_MAPS,
    clock: systemClock,
    log: SILENT,
    namespace,
  });
  reflector.cache.onChange(({ object }) => {
    const writer = object.data?.["writer"];
    if (writer !== undefined && writer !== writers.at(-1)) writers.push(writer);
  });
  const children: ChildProcessWithoutNullStreams[] = [];
  const start = (url: string, identity: string) => {
    const child = spawn(process.execPath, [LEADER_PROGRAM, url, namespace, identity]);
    children.push(child);
    return child;
  };
  const watching = new AbortController();
  const watched = reflector.run(watching.signal);
  try {
    const paused = start(world.proxy.url, "paused");
    await waitUntil("the first leader to write", () => world.proxy.writes.length > 20, DEADLINE);
    start(second.proxy.url, "successor");
    await waitUntil("the second to look at the lease", () => second.proxy.requests.length > 1, DEADLINE);
    expect(second.proxy.writes).toEqual([]);

    paused.kill("SIGSTOP");
    const stoppedAtMs = performance.now();
    await waitUntil("the second to write", () => second.proxy.writes.length > 20, DEADLINE);
    await waitUntil("the pause to be long enough", () => performance.now() - stoppedAtMs > PAUSE_MS, DEADLINE);
    const before = world.proxy.writes.length;
    const complaints: string[] = [];
    paused.stderr.on("data", (chunk: Buffer) => complaints.push(chunk.toString()));
    paused.kill("SIGCONT");

    expect(await exitOf(paused)).toBe(1);
    expect(complaints.join("")).toBe("LeadershipLostError\n");
    expect(world.proxy.writes).toHaveLength(before);
    await waitUntil("the watch to show the second", () => writers.at(-1) === "successor", DEADLINE);
    expect(writers).toEqual(["paused", "successor"]);
  } finally {
    for (const child of children) child.kill("SIGKILL");
    watching.abort();
    await watched;
  }
});

test("after a pause by the clock every write is refused before it reaches the network", async () => {
  const clock = createFakeClock();
  await using world = await setUp(LEASE_TIMINGS, clock);
  await world.elector.acquire(world.signal);
  await world.write("before");
  clock.sleepThrough(LEASE_TIMINGS.renewDeadlineMs);
  await world.write("at-the-limit");
  clock.sleepThrough(1);
  await expect(world.write("after")).rejects.toMatchObject({ code: "FENCED" });
  expect(world.proxy.writes).toHaveLength(2);
});

test("a write that waited for a free socket while the lease ran out is not sent", async () => {
  const clock = createFakeClock();
  await using world = await setUp(LEASE_TIMINGS, clock);
  await world.elector.acquire(world.signal);
  const slow = "slow";
  world.proxy.addFault({ matches: ({ path }) => path.endsWith(slow), fault: { kind: "delay", ms: 2_000 }, times: 128 });
  const key = { namespace: world.namespace, name: slow };
  const reads = Array.from({ length: 128 }, () => world.client.get(CONFIG_MAPS, key, world.signal));
  await waitUntil("all sockets to be busy", () => world.proxy.openSockets >= 128, DEADLINE);
  const write = world.write("late");
  await new Promise((resolve) => setImmediate(resolve)); // now it has passed the first check and waits in the pool
  clock.sleepThrough(PAUSE_MS);
  await expect(write).rejects.toMatchObject({ code: "FENCED" });
  await Promise.all(reads);
  expect(world.proxy.writes).toEqual([]);
});

test("a renewal counts from when it was sent, not from when its answer was seen", async () => {
  const clock = createFakeClock();
  await using world = await setUp(LEASE_TIMINGS, clock);
  world.proxy.addFault({ matches: isLeaseWrite, fault: { kind: "delay", ms: 500 } });
  const acquiring = world.elector.acquire(world.signal);
  await waitUntil("the claim to be under way", () => world.proxy.requests.some(isLeaseWrite), DEADLINE);
  clock.sleepThrough(LEASE_TIMINGS.renewDeadlineMs);
  await acquiring;
  expect(world.fence.isOpen()).toBe(true);
  clock.sleepThrough(1);
  expect(world.fence.isOpen()).toBe(false);
});

test("what is written carries the server's own deadline, so that it ends before another may lead", async () => {
  await using world = await setUp();
  await world.elector.acquire(world.signal);
  await world.write("any");
  expect(world.proxy.writes.map(({ query }) => query.get("timeout"))).toEqual(["4s"]);
});

test("a stolen lease ends leadership and aborts what is under way", async () => {
  await using world = await setUp();
  await world.elector.acquire(world.signal);
  world.proxy.addFault({ matches: isCreate, fault: { kind: "delay", ms: 15_000 } });
  const underWay = world.write("under-way");
  const held = world.elector.hold(world.signal);
  await waitUntil("the write to be under way", () => world.proxy.writes.length === 1, DEADLINE);
  const stolen = { spec: { holderIdentity: "thief", renewTime: microTime(Date.now()) } };
  await world.past.patch(
    { resource: LEASES, key: { namespace: world.namespace, name: "leader" } },
    stolen,
    { contentType: "application/merge-patch+json", fieldManager: "thief" },
    world.signal,
  );
  await expect(held).rejects.toThrow(LeadershipLostError);
  await expect(underWay).rejects.toMatchObject({ code: "ABORTED" });
  expect(world.elector.isLeader).toBe(false);
  expect((await world.lease())?.spec?.holderIdentity).toBe("thief");
  await world.elector.release(world.signal);
  expect((await world.lease())?.spec?.holderIdentity).toBe("thief");
});

test("a leader whose lease was deleted takes it again, unless another has it", async () => {
  const clock = createFakeClock();
  await using world = await setUp(LEASE_TIMINGS, clock);
  const drop = async () => {
    const uid = (await world.lease())?.metadata.uid ?? "";
    const target = { resource: LEASES, key: { namespace: world.namespace, name: "leader" } };
    await world.past.delete(target, { uid }, world.signal);
  };
  await world.elector.acquire(world.signal);
  const held = world.elector.hold(world.signal);
  const lost = expect(held).rejects.toThrow(LeadershipLostError);
  const nextTry = async () => {
    await waitUntil("the elector to wait", () => clock.waiting > 0, DEADLINE);
    clock.advance(LEASE_TIMINGS.retryMs);
    await waitUntil("the elector to wait again", () => clock.waiting > 0, DEADLINE);
  };
  await drop();
  await nextTry();
  await nextTry();
  expect((await world.lease())?.spec?.holderIdentity).toBe("first");

  await drop();
  await nextTry(); // sees that there is no record
  const other = electorIn(world, { client: (await world.another()).client, identity: "other" });
  await other.acquire(world.signal);
  await waitUntil("the elector to wait", () => clock.waiting > 0, DEADLINE);
  clock.advance(LEASE_TIMINGS.retryMs);
  await lost;
  expect((await world.lease())?.spec?.holderIdentity).toBe("other");
});

test.each([
  ["answered 500", { kind: "answer", status: 500 }],
  ["broken off", { kind: "reset" }],
  ["left without an answer", { kind: "delay", ms: 60_000 }],
] as const)("renewals that are %s end leadership at the deadline; the run rejects", async (_name, fault) => {
  await using world = await setUp();
  const reconciling = Promise.withResolvers<AbortSignal>();
  const manager = createManager({
    clock: systemClock,
    log: SILENT,
    metrics: NO_CONTROLLER_METRICS,
    random: Math.random,
    elector: world.elector,
  });
  const controller = manager.addController({
    name: "test",
    sources: [],
    reconcile: async (_key, signal) => {
      reconciling.resolve(signal);
      await world.write("under-way"); // delayed by the proxy beyond the deadline
      return DONE;
    },
  });
  world.proxy.addFault({ matches: isCreate, fault: { kind: "delay", ms: 60_000 } });
  const run = manager.run(world.signal);
  const ended = expect(run).rejects.toThrow(LeadershipLostError);
  await waitUntil("leadership", () => world.elector.isLeader, DEADLINE);
  controller.enqueue({ name: "any" }, 0);
  const signal = await reconciling.promise;
  const brokenAtMs = performance.now();
  world.proxy.addFault({ matches: isLeaseWrite, fault, times: 1_000 });
  await ended;
  // Every chance was taken: the last renewal was at most one pause old.
  expect(performance.now() - brokenAtMs).toBeGreaterThan(QUICK.renewDeadlineMs - 3 * QUICK.retryMs);
  expect(signal.aborted).toBe(true);
  expect(world.fence.isOpen()).toBe(false);
  expect(world.fence.signal.aborted).toBe(true);
  await expect(world.write("after")).rejects.toMatchObject({ code: "FENCED" });
});

test("one failed renewal among good ones is survived", async () => {
  await using world = await setUp();
  await world.elector.acquire(world.signal);
  const stop = new AbortController();
  const held = world.elector.hold(stop.signal);
  const renewals = () => world.proxy.requests.filter(isLeaseWrite).length;
  world.proxy.addFault({ matches: isLeaseWrite, fault: { kind: "answer", status: 500 }, times: 2 });
  await waitUntil("renewals after the failed ones", () => renewals() > 5, DEADLINE);
  stop.abort();
  await held;
  expect(world.elector.isLeader).toBe(true);
});

test("of two electors one leads; the lease is released after the last reconcile, and taken over at once", async () => {
  // So long that whoever leads within this test's deadline cannot have waited for it.
  const timings = { leaseDurationMs: 600_000, renewDeadlineMs: 300_000, retryMs: 200 };
  await using world = await setUp(timings);
  const other = electorIn(world, { client: (await world.another()).client, identity: "second", timings });
  const manager = createManager({
    clock: systemClock,
    log: SILENT,
    metrics: NO_CONTROLLER_METRICS,
    random: Math.random,
    elector: world.elector,
  });
  const [started, finish] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const controller = manager.addController({
    name: "test",
    sources: [],
    reconcile: async () => {
      started.resolve();
      await finish.promise;
      await world.write("at-the-end");
      return DONE;
    },
  });
  const stop = new AbortController();
  const run = manager.run(stop.signal);
  await waitUntil("the first to lead", () => world.elector.isLeader, DEADLINE);
  const waiting = other.acquire(world.signal);
  controller.enqueue({ name: "any" }, 0);
  await started.promise;
  stop.abort();
  const renewed = (await world.lease())?.spec?.renewTime;
  await waitUntil(
    "the lease to be renewed while the last reconcile runs",
    async () => (await world.lease())?.spec?.renewTime !== renewed,
    DEADLINE,
  );
  expect((await world.lease())?.spec?.holderIdentity).toBe("first");
  expect(other.isLeader).toBe(false);
  finish.resolve();
  await run;
  await waiting;
  expect(other.isLeader).toBe(true);
  expect((await world.lease())?.spec).toMatchObject({ holderIdentity: "second", leaseTransitions: 1 });
  const order = world.proxy.requests.filter((request) => request.method !== "GET");
  expect(order.findIndex(isCreate)).toBe(order.length - 2);
  expect(order.at(-1)).toMatchObject({ method: "PUT" });
  await expect(world.write("after")).rejects.toMatchObject({ code: "FENCED" });
});

test("without a release the next leads once the record was still for a lease duration, and not before", async () => {
  const clock = createFakeClock();
  await using world = await setUp();
  const second = await world.another();
  await world.elector.acquire(world.signal);
  const other = electorIn(world, { client: second.client, identity: "second", clock });
  const acquiring = other.acquire(world.signal);
  const tries = async (elapsedMs: number) => {
    for (let passed = 0; passed < elapsedMs; passed += 500) {
      await waitUntil("the elector to wait", () => clock.waiting > 0, DEADLINE);
      clock.advance(500);
    }
  };
  await tries(14_000);
  expect(other.isLeader).toBe(false);
  // A renewal starts the wait again, whatever the clocks of the two machines say.
  const hold = new AbortController();
  const held = world.elector.hold(hold.signal);
  const before = (await world.lease())?.metadata.resourceVersion;
  await waitUntil("a renewal", async () => (await world.lease())?.metadata.resourceVersion !== before, DEADLINE);
  hold.abort();
  await held;
  await tries(14_000);
  expect(other.isLeader).toBe(false);
  const stop = new AbortController();
  const advancing = (async () => {
    for (let passed = 0; passed < 10_000 && !stop.signal.aborted; passed += 500) {
      await waitUntil("the elector to wait or lead", () => clock.waiting > 0 || other.isLeader, DEADLINE);
      clock.advance(500);
    }
  })();
  await acquiring;
  stop.abort();
  await advancing;
  expect(other.isLeader).toBe(true);
  expect((await world.lease())?.spec).toMatchObject({ holderIdentity: "second", leaseTransitions: 1 });
});

test("only one of ten that start together leads", async () => {
  await using world = await proxiedNamespace(server);
  const racers = await Promise.all(
    Array.from({ length: 10 }, async (_unused, index) => {
      const { proxy, client } = await world.another();
      return { proxy, elector: electorIn(world, { client, identity: `racer-${index}`, timings: QUICK }) };
    }),
  );
  const stop = new AbortController();
  const acquiring = racers.map(({ elector }) => elector.acquire(stop.signal));
  const leaders = () => racers.filter(({ elector }) => elector.isLeader);
  // Looking, losing the race, looking why, and looking again: whoever has made four requests has lost for certain.
  const decided = () => racers.every(({ elector, proxy }) => elector.isLeader || proxy.requests.length >= 4);
  await waitUntil("the race to be decided", decided, DEADLINE);
  expect(leaders()).toHaveLength(1);
  stop.abort();
  await Promise.all(acquiring);
});
