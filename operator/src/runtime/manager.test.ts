/** When a manager begins, and when it looks at every object again; under a clock that the test moves. */
import { expect, test } from "vitest";
import { createFakeClock } from "../../../test/testkit/fake-clock.ts";
import { waitUntil } from "../../../test/testkit/wait-until.ts";
import type { KubeObject } from "../kube/objects.ts";
import { ObjectCache } from "./cache.ts";
import { NO_CONTROLLER_METRICS } from "./controller-metrics.ts";
import { SILENT } from "./log.ts";
import { createManager, source } from "./manager.ts";
import { DONE } from "./reconciler.ts";
import type { Reflector } from "./reflector.ts";

const DEADLINE = { deadlineMs: 20_000, everyMs: 1 };
const OBJECTS = 300;
const RESYNC_MS = 600_000;

/** A manager of one kind whose cache is full from the start. */
function setUp(given: { readonly startJitterMs?: number; readonly resyncMs?: number }) {
  const clock = createFakeClock();
  const cache = new ObjectCache<KubeObject>(() => {});
  cache.replace(
    Array.from({ length: OBJECTS }, (_, index) => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { namespace: "n", name: `o-${index}`, uid: `5f0c-${index}`, resourceVersion: "1" },
    })),
  );
  let started = 0;
  const reflector: Reflector<KubeObject> = {
    resource: { group: "", version: "v1", kind: "ConfigMap", plural: "configmaps", namespaced: true },
    cache,
    metadataOnly: false,
    optional: false,
    state: "watching",
    lastContactMs: 0,
    freshForMs: 600_000,
    run: async (signal) => {
      started += 1;
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    },
  };
  const manager = createManager({
    clock,
    log: SILENT,
    metrics: NO_CONTROLLER_METRICS,
    random: () => 0.5,
    ...(given.startJitterMs === undefined ? {} : { startJitterMs: given.startJitterMs }),
  });
  manager.addReflector(reflector);
  const reconciled: string[] = [];
  const controller = manager.addController({
    name: "test",
    reconcile: async ({ name }) => {
      reconciled.push(name);
      return DONE;
    },
    sources: [source({ reflector, ...(given.resyncMs === undefined ? {} : { resyncMs: given.resyncMs }) })],
  });
  const stop = new AbortController();
  const running = manager.run(stop.signal);
  return {
    clock,
    reconciled,
    started: () => started,
    settled: () => waitUntil("the controller to be idle", () => controller.idle && clock.waiting > 0, DEADLINE),
    end: async () => {
      stop.abort();
      await running;
    },
  };
}

test("the start waits for its share of the jitter, and then lists", async () => {
  const world = setUp({ startJitterMs: 2_000 });
  world.clock.advance(999);
  await waitUntil("the wait to go on", () => world.clock.waiting > 0, DEADLINE);
  expect(world.started()).toBe(0);
  world.clock.advance(1);
  await waitUntil("the reflector to start", () => world.started() === 1, DEADLINE);
  await world.end();
});

test("a stop during the jitter ends at once, and without one the start is at once", async () => {
  const waiting = setUp({ startJitterMs: 2_000 });
  await waiting.end();
  expect(waiting.reconciled).toEqual([]);
  const plain = setUp({});
  await waitUntil("the reflector to start", () => plain.started() === 1, DEADLINE);
  await plain.end();
});

test("a resync looks at every object once, a few at a time, each at the same moment of every period", async () => {
  const world = setUp({ resyncMs: RESYNC_MS });
  await waitUntil("the first list to be worked", () => world.reconciled.length === OBJECTS, DEADLINE);
  const period = async () => {
    const slices: string[][] = [];
    for (let slice = 0; slice < 60; slice++) {
      world.reconciled.length = 0;
      world.clock.advance(RESYNC_MS / 60);
      await world.settled();
      slices.push([...world.reconciled].sort());
    }
    return slices;
  };
  const first = await period();
  expect(new Set(first.flat()).size).toBe(OBJECTS);
  expect(first.flat()).toHaveLength(OBJECTS);
  expect(Math.max(...first.map((slice) => slice.length))).toBeLessThan(OBJECTS / 10);
  expect(await period()).toEqual(first);
  await world.end();
});
