/** What becomes of objects that keep their controller busy: by themselves, by our own writes, by somebody else's. */
import { expect, test } from "vitest";
import { controllerUnderTest, KEY } from "../../../test/testkit/controller-under-test.ts";
import { OwnWrites } from "../kube/own-writes.ts";
import { DONE } from "./reconciler.ts";

test("an object that wakes itself over and over is slowed down, and holds no worker meanwhile", async () => {
  await using world = controllerUnderTest(async (key) => {
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
  const world = controllerUnderTest(
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
