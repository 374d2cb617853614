/** What becomes of a reconcile's answer: done, later, again, never, too late; under a clock that the test moves. */
import { expect, test } from "vitest";
import { controllerUnderTest, DEADLINE, KEY } from "../../../test/testkit/controller-under-test.ts";
import { waitUntil } from "../../../test/testkit/wait-until.ts";
import { KubeError } from "../kube/api-errors.ts";
import { DONE, TerminalError } from "./reconciler.ts";

const fail = (error: unknown) => async () => {
  throw error;
};
const kubeError = (code: KubeError["code"], retryAfterMs?: number) =>
  new KubeError(code, { method: "GET", path: "/", ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });

test("failures are retried with a growing pause that success resets", async () => {
  let failing = true;
  await using world = controllerUnderTest(async () => {
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
  await using world = controllerUnderTest(async () => {
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
  await using world = controllerUnderTest(fail(kubeError("TOO_MANY_REQUESTS", 7_000)));
  await world.wake();
  world.clock.advance(6_999);
  await world.settled();
  expect(world.runs).toHaveLength(1);
  world.clock.advance(1);
  await world.settled();
  expect(world.runs).toHaveLength(2);
});

test("what policy refused is tried again after a minute at the earliest", async () => {
  await using world = controllerUnderTest(fail(kubeError("FORBIDDEN")));
  await world.wake();
  world.clock.advance(59_999);
  await world.settled();
  expect(world.runs).toHaveLength(1);
  world.clock.advance(1);
  await world.settled();
  expect(world.runs).toHaveLength(2);
});

test("a terminal error is counted and not retried; the next change is", async () => {
  await using world = controllerUnderTest(fail(new TerminalError("impossible")));
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
  await using world = controllerUnderTest(fail(new TypeError("x is undefined")));
  await world.wake();
  expect(await world.metric("controller_runtime_reconcile_panics_total")).toBe(1);
  world.clock.advance(5);
  await world.settled();
  expect(world.runs).toHaveLength(2);
});

test("at its deadline a reconcile is told to stop, and tried again", async () => {
  await using world = controllerUnderTest(
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
  await using world = controllerUnderTest(async () => answers[calls++] ?? DONE);
  await world.wake();
  world.clock.advance(1_000);
  await world.settled();
  expect(world.runs.map((run) => run.atMs)).toEqual([0, 1_000]);
  for (const result of ["requeue_after", "success"])
    expect(await world.metric("controller_runtime_reconcile_total", { result })).toBe(1);
  expect(await world.metric("controller_runtime_reconcile_errors_total")).toBe(0);
});

test("draining finishes what is in hand, takes nothing more, and aborting gives up the rest", async () => {
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const given: string[] = [];
  const aborted: string[] = [];
  await using world = controllerUnderTest(
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
