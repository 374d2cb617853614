/** What becomes of objects that keep their controller busy: by themselves, by our own writes, by somebody else's. */
import { expect, test } from "vitest";
import { controllerUnderTest, KEY } from "../../../test/testkit/controller-under-test.ts";
import { OwnWrites } from "../kube/own-writes.ts";
import { DONE } from "./reconciler.ts";

/** A reconcile that writes every time; each write comes back as an event, and `also` is what others do meanwhile. */
function setUpWriter(also: (version: number) => readonly string[], lastVersion = 50) {
  const ownWrites = new OwnWrites();
  let version = 0;
  const change = (resourceVersion: string) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { ...KEY, uid: "u", resourceVersion },
  });
  const wake = (resourceVersion: string) =>
    world.controller.wake(KEY, { priority: 0, object: change(resourceVersion), gone: false });
  const world = controllerUnderTest(
    async () => {
      version += 1;
      if (version > lastVersion) return DONE;
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
  expect(await world.metric("archivestream_hotloop_total")).toBe(1);
});

test("a loop of our own writes is slowed down and told, and holds no worker meanwhile", async () => {
  await using world = setUpWriter(() => [], 500);
  world.start();
  await world.settled();
  const tripped = world.runs.length;
  expect(tripped).toBeLessThan(40);
  expect(world.heldBack).toEqual([true]);
  expect(world.told.filter((line) => line.startsWith("Event of a: HeldBack"))).toHaveLength(1);
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

test.each([
  ["another generation", { generation: 8 }],
  ["another object of the same name", { uid: "v" }],
])("%s is worked on at once, however much the object was slowed down", async (_what, change) => {
  await using world = setUpWriter(() => [], 500);
  world.start();
  await world.settled();
  const tripped = world.runs.length;
  Object.assign(world.metadata, change);
  world.start();
  await world.settled();
  expect(world.runs.length).toBeGreaterThan(tripped);
  expect(world.runs.at(-1)?.atMs).toBe(0);
});

test("a hundred runs in a minute that others woke are not slowed down", async () => {
  await using world = controllerUnderTest(async () => DONE);
  for (let run = 0; run < 100; run += 1) await world.wake();
  expect(world.runs).toHaveLength(100);
  expect(world.heldBack).toEqual([]);
});

test("writing again because somebody else undid it is not counted as a loop of our own", async () => {
  await using world = setUpWriter((version) => [`undone-${version}`]);
  world.start();
  await world.settled();
  expect(world.runs.length).toBeGreaterThan(40);
  expect(await world.metric("archivestream_hotloop_total")).toBe(0);
});
