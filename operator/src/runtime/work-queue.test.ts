/** The queue's promises, as properties over random histories under a clock that only the test moves. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { createFakeClock } from "../../../test/testkit/fake-clock.ts";
import { NO_CONTROLLER_METRICS } from "./controller-metrics.ts";
import { type Priority, type Taken, WorkQueue } from "./work-queue.ts";

function setUp(initialLimit?: number) {
  const clock = createFakeClock();
  const facts = { name: "test", workers: 1, startedAt: () => [], monotonicMs: () => clock.monotonicMs() };
  return { clock, queue: new WorkQueue(clock, NO_CONTROLLER_METRICS(facts).queue, initialLimit) };
}

const priority = fc.constantFrom<Priority[]>(100, 0, -100);
const key = fc.constantFrom("a", "b", "c", "d");
const step = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), key, priority }),
  fc.record({ kind: fc.constant("later" as const), key, priority, delayMs: fc.integer({ min: 0, max: 500 }) }),
  fc.record({ kind: fc.constant("take" as const) }),
  fc.record({ kind: fc.constant("done" as const), index: fc.nat(3) }),
  fc.record({ kind: fc.constant("tick" as const), ms: fc.integer({ min: 1, max: 1_000 }) }),
);

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** A queue with workers that remember what they hold and what is still owed. */
function setUpWorkers() {
  const { clock, queue } = setUp();
  const held: Taken[] = [];
  const owed = new Set<string>();
  const take = async () => {
    const taken = queue.depth === 0 ? undefined : await queue.take();
    if (taken === undefined) return;
    expect(held.map((other) => other.key)).not.toContain(taken.key);
    owed.delete(taken.key);
    held.push(taken);
  };
  const finish = (index: number, count: number) => {
    for (const taken of held.splice(index, count)) queue.done(taken.key);
  };
  const add = (each: Step & { kind: "add" | "later" }) => {
    owed.add(each.key);
    if (each.kind === "add") queue.add(each.key, each.priority);
    else queue.addAfter(each.key, each.priority, each.delayMs);
  };
  const play = async (each: Step) => {
    if (each.kind === "add" || each.kind === "later") add(each);
    else if (each.kind === "take") await take();
    else if (each.kind === "tick") clock.advance(each.ms);
    else finish(each.index, 1);
  };
  return { clock, queue, owed, take, finish, play };
}

test("no key is ever in two pairs of hands, and none that was added is lost", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { clock, queue, owed, take, finish, play } = setUpWorkers();
      for (const each of steps) await play(each);
      finish(0, Number.POSITIVE_INFINITY);
      clock.advance(1_000);
      while (queue.depth > 0) {
        await take();
        finish(0, Number.POSITIVE_INFINITY);
        clock.advance(1_000);
      }
      expect([...owed]).toEqual([]);
    }),
  );
});

test("users who add twice what is served overtake initial work only with keys less than 60 s younger", async () => {
  const { clock, queue } = setUp();
  queue.add("initial", -100);
  for (let second = 0; second < 600; second++) {
    queue.add(`${second}-a`, 100);
    queue.add(`${second}-b`, 100);
    const taken = await queue.take();
    if (taken?.key === "initial") return;
    expect(Number.parseInt(taken?.key ?? "", 10)).toBeLessThan(60);
    queue.done(taken?.key ?? "");
    clock.advance(1_000);
  }
  expect.unreachable("the initial key was starved");
});

test("a user's change goes before ten thousand initial keys", async () => {
  const { queue } = setUp();
  for (let index = 0; index < 10_000; index++) queue.add(`initial-${index}`, -100);
  queue.add("user", 100);
  expect(await queue.take()).toEqual({ key: "user", priority: 100 });
});

test("only so many keys of the first list are in hand at once, and the next follows when one is done", async () => {
  const { queue } = setUp(2);
  for (const key of ["a", "b", "c", "d"]) queue.add(key, -100);
  for (const key of ["a", "b"]) expect(await queue.take()).toEqual({ key, priority: -100 });
  const order: (string | undefined)[] = [];
  const workers = [queue.take(), queue.take()].map((taken) => taken.then((one) => order.push(one?.key)));
  queue.add("user", 100);
  await workers[0];
  expect(order).toEqual(["user"]);
  queue.done("user");
  queue.add("c", 0); // has become an observed change: no longer one of the first list
  await workers[1];
  expect(order).toEqual(["user", "c"]);
  const last = queue.take();
  queue.done("a");
  expect(await last).toEqual({ key: "d", priority: -100 });
});

test("among a crowd of user changes every fourth key is an observed change, and never an initial one", async () => {
  const { queue } = setUp();
  for (let index = 0; index < 9; index++)
    for (const band of [100, 0, -100] as const) queue.add(`${band}/${index}`, band);
  const order: string[] = [];
  for (let index = 0; index < 12; index++) order.push((await queue.take())?.key.split("/")[0] ?? "");
  const crowd = ["100", "100", "100", "0"];
  expect(order).toEqual([...crowd, ...crowd, ...crowd]);
});

test("a key keeps its priority and counts its failures across retries", async () => {
  const { clock, queue } = setUp();
  queue.add("a", 100);
  for (const failures of [1, 2]) {
    const taken = await queue.take();
    expect(taken).toEqual({ key: "a", priority: 100 });
    expect(queue.retry(taken as Taken, () => 50)).toBe(failures);
    queue.done("a");
    expect(queue.depth).toBe(0);
    clock.advance(50);
  }
});

test("closing frees the waiting workers", async () => {
  const { queue } = setUp();
  const waiting = queue.take();
  queue.close();
  expect(await waiting).toBeUndefined();
});
