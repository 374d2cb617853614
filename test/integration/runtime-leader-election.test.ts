/** One process leads at a time, whatever becomes of leader, lease and network; against a real API server. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../operator/src/kube/clock.ts";
import { NO_CONTROLLER_METRICS } from "../../operator/src/runtime/controller-metrics.ts";
import { LEASE_TIMINGS, LeadershipLostError } from "../../operator/src/runtime/leader-election.ts";
import { LEASES, microTime } from "../../operator/src/runtime/lease.ts";
import { SILENT } from "../../operator/src/runtime/log.ts";
import { createManager } from "../../operator/src/runtime/manager.ts";
import { DONE } from "../../operator/src/runtime/reconciler.ts";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { electedWriter, electorIn, isCreate, isLeaseWrite, QUICK } from "../testkit/elected-writer.ts";
import { createFakeClock } from "../testkit/fake-clock.ts";
import { proxiedNamespace } from "../testkit/proxied-namespace.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const DEADLINE = { deadlineMs: 40_000 };
/** Where nobody is to lose the lease, however slow the machine is. */
const LASTING = { leaseDurationMs: 600_000, renewDeadlineMs: 300_000, retryMs: 200 };
let server: ApiServer;

beforeAll(async () => {
  server = await startApiServer({ mayBeGiven: true, signal: AbortSignal.timeout(150_000) });
});
afterAll(async () => {
  await server.stop();
});

test("a stolen lease ends leadership and aborts what is under way", async () => {
  await using world = await electedWriter(server);
  await world.elector.acquire(world.signal);
  world.proxy.addFault({ matches: isCreate, fault: { kind: "delay", ms: 15_000 } });
  // Both are over as soon as the elector sees the theft, which may be before the thief has its answer.
  const aborted = expect(world.write("under-way")).rejects.toMatchObject({ code: "ABORTED" });
  const lost = expect(world.elector.hold(world.signal)).rejects.toThrow(LeadershipLostError);
  await waitUntil("the write to be under way", () => world.proxy.writes.length === 1, DEADLINE);
  const stolen = { spec: { holderIdentity: "thief", renewTime: microTime(Date.now()) } };
  await world.past.patch(
    { resource: LEASES, key: { namespace: world.namespace, name: "leader" } },
    stolen,
    { contentType: "application/merge-patch+json", fieldManager: "thief" },
    world.signal,
  );
  await lost;
  await aborted;
  expect(world.elector.isLeader).toBe(false);
  expect((await world.lease())?.spec?.holderIdentity).toBe("thief");
  await world.elector.release(world.signal);
  expect((await world.lease())?.spec?.holderIdentity).toBe("thief");
});

test("a leader whose lease was deleted takes it again, unless another has it", async () => {
  const clock = createFakeClock();
  await using world = await electedWriter(server, LEASE_TIMINGS, clock);
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
  await using world = await electedWriter(server);
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
  world.proxy.addFault({ matches: isLeaseWrite, fault, times: 1_000 });
  await ended;
  const endedAt = Date.now();
  // Every chance was taken: the deadline counts from the last renewal that got through, a busy machine's may be old.
  const renewedAt = Date.parse((await world.lease())?.spec?.renewTime ?? "");
  expect(endedAt - renewedAt).toBeGreaterThan(QUICK.renewDeadlineMs - 3 * QUICK.retryMs);
  expect(signal.aborted).toBe(true);
  expect(world.fence.isOpen()).toBe(false);
  expect(world.fence.signal.aborted).toBe(true);
  await expect(world.write("after")).rejects.toMatchObject({ code: "FENCED" });
});

test("one failed renewal among good ones is survived", async () => {
  await using world = await electedWriter(server, LASTING);
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
  const timings = LASTING;
  await using world = await electedWriter(server, timings);
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
  // A renewal may come between the last write and the release.
  const afterwards = order.slice(order.findLastIndex(isCreate) + 1);
  expect(order.filter(isCreate)).toHaveLength(1);
  expect(afterwards.length).toBeGreaterThan(0);
  expect(afterwards.every((request) => isLeaseWrite(request) && request.method === "PUT")).toBe(true);
  await expect(world.write("after")).rejects.toMatchObject({ code: "FENCED" });
});

test("without a release the next leads once the record was still for a lease duration, and not before", async () => {
  const clock = createFakeClock();
  await using world = await electedWriter(server, { ...LASTING, leaseDurationMs: LEASE_TIMINGS.leaseDurationMs });
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
      return { proxy, elector: electorIn(world, { client, identity: `racer-${index}`, timings: LASTING }) };
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
