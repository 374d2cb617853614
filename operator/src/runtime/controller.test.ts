/** What becomes of a reconcile's answer: done, later, again, never, too late; under a clock that the test moves. */
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { createFakeClock } from "../../../test/testkit/fake-clock.ts";
import { waitUntil } from "../../../test/testkit/wait-until.ts";
import { KubeError } from "../kube/api-errors.ts";
import type { KubeObject } from "../kube/objects.ts";
import { OwnWrites } from "../kube/own-writes.ts";
import { Controller } from "./controller.ts";
import { createControllerMetrics } from "./controller-metrics.ts";
import type { EventNote } from "./event-recorder.ts";
import { SILENT } from "./log.ts";
import { DONE, type Reconciler, TerminalError } from "./reconciler.ts";

const DEADLINE = { deadlineMs: 5_000, everyMs: 1 };
const KEY = { namespace: "n", name: "a" };
const OBJECT = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "", uid: "u", generation: 7 } };

interface Run {
  readonly name: string;
  readonly atMs: number;
}

interface Options {
  readonly workers?: number;
  readonly timeoutMs?: number;
  readonly ownWrites?: OwnWrites;
}

function setUp(reconcile: Reconciler, { ownWrites, ...options }: Options = {}) {
  const clock = createFakeClock();
  const registry = new Registry();
  const runs: Run[] = [];
  const metrics = createControllerMetrics(registry);
  /** Lines about failures, and the Events. */
  const told: string[] = [];
  const warn = ({ failures, uid, generation }: Readonly<Record<string, unknown>>, text: string) =>
    void told.push(`${text} ${String(failures)} ${String(uid)}/${String(generation)}`);
  const recordEvent = async ({ metadata }: KubeObject, { reason, note }: EventNote) =>
    void told.push(`Event of ${metadata.name}: ${reason} ${note}`);
  const controller = new Controller(
    {
      name: "test",
      workers: 1,
      ...options,
      object: ({ name }) => ({ ...OBJECT, metadata: { ...OBJECT.metadata, name } }),
      reconcile: (key, signal) => {
        runs.push({ name: key.name, atMs: clock.monotonicMs() });
        return reconcile(key, signal);
      },
    },
    {
      clock,
      log: { ...SILENT, warn },
      metrics,
      random: () => 0.5,
      recordEvent,
      ...(ownWrites === undefined ? {} : { ownWrites }),
    },
  );
  const [drain, abort] = [new AbortController(), new AbortController()];
  const running = controller.run(drain.signal, abort.signal);
  const settled = () => waitUntil("the controller to be idle", () => controller.idle, DEADLINE);
  return {
    clock,
    controller,
    runs,
    told,
    drain,
    abort,
    running,
    settled,
    /** Wakes `KEY` and waits for the end of the run. */
    wake: async () => {
      controller.enqueue(KEY, 0);
      await settled();
    },
    metric: async (name: string, labels: Readonly<Record<string, string>> = {}) => {
      const { values } = (await registry.getSingleMetric(name)?.get()) ?? { values: [] };
      return values.find((one) => Object.entries(labels).every(([label, value]) => one.labels[label] === value))?.value;
    },
    [Symbol.asyncDispose]: async () => {
      drain.abort();
      abort.abort();
      await running;
    },
  };
}

const fail = (error: unknown) => async () => {
  throw error;
};
const kubeError = (code: KubeError["code"], retryAfterMs?: number) =>
  new KubeError(code, { method: "GET", path: "/", ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });

test("failures are retried with a growing pause that success resets", async () => {
  let failing = true;
  await using world = setUp(async () => {
    if (failing) throw kubeError("SERVER_ERROR");
    return DONE;
  });
  await world.wake();
  for (let round = 0; round < 5; round++) {
    world.clock.advance(5 * 2 ** round);
    await world.settled();
  }
  expect(world.runs.map((run) => run.atMs)).toEqual([0, 5, 15, 35, 75, 155]);
  failing = false;
  world.clock.advance(160);
  await world.settled();
  failing = true;
  await world.wake();
  const afterSuccess = world.runs.length;
  world.clock.advance(5);
  await world.settled();
  expect(world.runs).toHaveLength(afterSuccess + 1);
  expect(await world.metric("controller_runtime_reconcile_errors_total")).toBe(8);
  expect(await world.metric("controller_runtime_reconcile_panics_total")).toBe(0);
  expect(await world.metric("workqueue_retries_total")).toBe(8);
});

test("from the fifth failure in a row on the log warns, and one Event says why", async () => {
  let failing = true;
  await using world = setUp(async () => {
    if (failing) throw kubeError("SERVER_ERROR");
    return DONE;
  });
  const failTimes = async (times: number) => {
    await world.wake();
    for (let round = 1; round < times; round++) {
      world.clock.advance(300_000);
      await world.settled();
    }
  };
  await failTimes(4);
  expect(world.told).toEqual([]);
  failing = false;
  await world.wake();
  failing = true;
  const started = world.runs.length;
  await failTimes(7);
  expect(world.runs).toHaveLength(started + 7);
  const event =
    "Event of a: ReconcileFailed test failed 5 times in a row and is tried again, ever more rarely: SERVER_ERROR: GET /: ";
  expect(world.told).toEqual(["reconcile failed 5 u/7", event, "reconcile failed 6 u/7", "reconcile failed 7 u/7"]);
});

test("Retry-After is a lower bound of the pause", async () => {
  await using world = setUp(fail(kubeError("TOO_MANY_REQUESTS", 7_000)));
  await world.wake();
  world.clock.advance(6_999);
  await world.settled();
  expect(world.runs).toHaveLength(1);
  world.clock.advance(1);
  await world.settled();
  expect(world.runs).toHaveLength(2);
});

test("what policy refused is tried again after a minute at the earliest", async () => {
  await using world = setUp(fail(kubeError("FORBIDDEN")));
  await world.wake();
  world.clock.advance(59_999);
  await world.settled();
  expect(world.runs).toHaveLength(1);
  world.clock.advance(1);
  await world.settled();
  expect(world.runs).toHaveLength(2);
});

test("a terminal error is counted and not retried; the next change is", async () => {
  await using world = setUp(fail(new TerminalError("impossible")));
  await world.wake();
  world.clock.advance(86_400_000);
  await world.settled();
  expect(world.runs).toHaveLength(1);
  expect(await world.metric("controller_runtime_terminal_reconcile_errors_total")).toBe(1);
  expect(await world.metric("controller_runtime_reconcile_errors_total")).toBe(1);
  expect(await world.metric("workqueue_retries_total")).toBe(0);
  await world.wake();
  expect(world.runs).toHaveLength(2);
});

test("an exception of our own making counts as a panic, and the worker lives", async () => {
  await using world = setUp(fail(new TypeError("x is undefined")));
  await world.wake();
  expect(await world.metric("controller_runtime_reconcile_panics_total")).toBe(1);
  world.clock.advance(5);
  await world.settled();
  expect(world.runs).toHaveLength(2);
});

test("at its deadline a reconcile is told to stop, and tried again", async () => {
  await using world = setUp(
    (_key, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(kubeError("ABORTED")), { once: true });
      }),
    { timeoutMs: 60_000 },
  );
  world.controller.enqueue(KEY, 0);
  await waitUntil("the reconcile to run", () => world.runs.length === 1, DEADLINE);
  world.clock.advance(60_000);
  await world.settled();
  expect(await world.metric("controller_runtime_reconcile_timeouts_total")).toBe(1);
  expect(await world.metric("controller_runtime_reconcile_total", { result: "error" })).toBe(1);
  world.clock.advance(5);
  await waitUntil("the retry", () => world.runs.length === 2, DEADLINE);
});

test("a reconcile that asks to come back does, without being a failure", async () => {
  const answers = [{ kind: "requeueAfter", delayMs: 1_000 }, DONE] as const;
  let calls = 0;
  await using world = setUp(async () => answers[calls++] ?? DONE);
  await world.wake();
  world.clock.advance(1_000);
  await world.settled();
  expect(world.runs.map((run) => run.atMs)).toEqual([0, 1_000]);
  for (const result of ["requeue_after", "success"])
    expect(await world.metric("controller_runtime_reconcile_total", { result })).toBe(1);
  expect(await world.metric("controller_runtime_reconcile_errors_total")).toBe(0);
});

test("an object that wakes itself over and over is slowed down, and holds no worker meanwhile", async () => {
  await using world = setUp(async (key) => {
    if (key.name === KEY.name) world.controller.enqueue(KEY, 0);
    return DONE;
  });
  world.controller.enqueue(KEY, 0);
  await world.settled();
  const tripped = world.runs.length;
  expect(tripped).toBeLessThan(100);
  expect(await world.metric("archivestream_hotloop_total")).toBe(0);
  world.controller.enqueue({ namespace: "n", name: "other" }, 0);
  await world.settled();
  expect(world.runs.at(-1)?.name).toBe("other");
  world.clock.advance(30_000);
  await world.settled();
  expect(world.runs.length - tripped - 1).toBeLessThan(6);
  // The held-back key is not forgotten: it runs on once it is let go.
  world.clock.advance(120_000);
  await world.settled();
  expect(world.runs.at(-1)).toMatchObject({ name: KEY.name });
  expect(world.runs.at(-1)?.atMs).toBeGreaterThan(30_000);
});

/** A reconcile that writes every time; each write comes back as an event, and `also` is what others do meanwhile. */
function setUpWriter(also: (version: number) => readonly string[]) {
  const ownWrites = new OwnWrites();
  let version = 0;
  const change = (resourceVersion: string) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { ...KEY, uid: "u", resourceVersion },
  });
  const wake = (resourceVersion: string) =>
    world.controller.wake(KEY, { priority: 0, object: change(resourceVersion), gone: false });
  const world = setUp(
    async () => {
      version += 1;
      if (version > 50) return DONE;
      wake(String(version)); // the event overtakes the answer
      ownWrites.note(change(String(version)));
      for (const other of also(version)) wake(other);
      return DONE;
    },
    { ownWrites },
  );
  return { ...world, start: () => wake("theirs") };
}

test("a loop that our own writes keep going is counted, once", async () => {
  await using world = setUpWriter(() => []);
  world.start();
  await world.settled();
  expect(world.runs.length).toBeGreaterThan(40);
  expect(await world.metric("archivestream_hotloop_total")).toBe(1);
});

test("writing again because somebody else undid it is not counted as a loop of our own", async () => {
  await using world = setUpWriter((version) => [`undone-${version}`]);
  world.start();
  await world.settled();
  expect(world.runs.length).toBeGreaterThan(40);
  expect(await world.metric("archivestream_hotloop_total")).toBe(0);
});

test("draining finishes what is in hand, takes nothing more, and aborting gives up the rest", async () => {
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const given: string[] = [];
  const aborted: string[] = [];
  await using world = setUp(
    async (key, signal) => {
      signal.addEventListener("abort", () => {
        if (!given.includes(key.name)) aborted.push(key.name);
        second.reject(kubeError("ABORTED"));
      });
      await (key.name === "a" ? first : second).promise;
      given.push(key.name);
      return DONE;
    },
    { workers: 2 },
  );
  for (const name of ["a", "b", "c"]) world.controller.enqueue({ namespace: "n", name }, 0);
  await waitUntil("both workers to be busy", () => world.runs.length === 2, DEADLINE);
  expect(await world.metric("controller_runtime_active_workers")).toBe(2);
  world.drain.abort();
  first.resolve();
  await waitUntil(
    "the first to be done",
    async () => (await world.metric("controller_runtime_reconcile_total", { result: "success" })) === 1,
    DEADLINE,
  );
  expect(aborted).toEqual([]);
  world.abort.abort();
  await world.running;
  expect(aborted).toEqual(["b"]);
  expect(world.runs.map((run) => run.name)).toEqual(["a", "b"]);
  expect(await world.metric("controller_runtime_reconcile_errors_total")).toBe(0);
});
