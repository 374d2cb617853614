/** A process that may not lead any more starts no write, however long it slept and whatever it waited for; against a real API server. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../operator/src/kube/clock.ts";
import { LEASE_TIMINGS } from "../../operator/src/runtime/leader-election.ts";
import { SILENT } from "../../operator/src/runtime/log.ts";
import { createReflector } from "../../operator/src/runtime/reflector.ts";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { electedWriter, isLeaseWrite } from "../testkit/elected-writer.ts";
import { createFakeClock } from "../testkit/fake-clock.ts";
import { CONFIG_MAPS } from "../testkit/kube-connection.ts";
import { type ConfigMap, proxiedNamespace } from "../testkit/proxied-namespace.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const DEADLINE = { deadlineMs: 40_000 };
const PAUSE_MS = 20_000;
const LEADER_PROGRAM = fileURLToPath(new URL("../testkit/writing-leader.ts", import.meta.url));
let server: ApiServer;

beforeAll(async () => {
  server = await startApiServer({ mayBeGiven: true, signal: AbortSignal.timeout(150_000) });
});
afterAll(async () => {
  await server.stop();
});

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
  await using world = await electedWriter(server, LEASE_TIMINGS, clock);
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
  await using world = await electedWriter(server, LEASE_TIMINGS, clock);
  await world.elector.acquire(world.signal);
  const slow = "slow";
  const answering = Promise.withResolvers<void>();
  const fault = { kind: "hold", until: answering.promise } as const;
  world.proxy.addFault({ matches: ({ path }) => path.endsWith(slow), fault, times: 128 });
  const key = { namespace: world.namespace, name: slow };
  const reads = Array.from({ length: 128 }, () => world.client.get(CONFIG_MAPS, key, world.signal));
  await waitUntil("all sockets to be busy", () => world.proxy.openSockets >= 128, DEADLINE);
  const write = world.write("late");
  await new Promise((resolve) => setImmediate(resolve)); // now it has passed the first check and waits in the pool
  clock.sleepThrough(PAUSE_MS);
  answering.resolve();
  await expect(write).rejects.toMatchObject({ code: "FENCED" });
  await Promise.all(reads);
  expect(world.proxy.writes).toEqual([]);
});

test("a renewal counts from when it was sent, not from when its answer was seen", async () => {
  const clock = createFakeClock();
  await using world = await electedWriter(server, LEASE_TIMINGS, clock);
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
  await using world = await electedWriter(server);
  await world.elector.acquire(world.signal);
  await world.write("any");
  expect(world.proxy.writes.map(({ query }) => query.get("timeout"))).toEqual(["4s"]);
});
