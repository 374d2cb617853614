/** What the series of a kind say that is watched in several namespaces, or that the cluster need not have. */
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { createReflectorMetrics } from "./reflector-metrics.ts";

function setUp() {
  const registry = new Registry();
  const value = async (name: string, kind: string) => {
    const { values } = (await registry.getSingleMetric(name)?.get()) ?? { values: [] };
    return values.find(({ labels }) => labels["kind"] === kind)?.value;
  };
  return {
    start: createReflectorMetrics(registry),
    objects: (kind: string) => value("archivestream_cache_objects", kind),
    age: (kind: string) => value("archivestream_reflector_last_event_age_seconds", kind),
    lists: (kind: string) => value("archivestream_reflector_lists_total", kind),
  };
}

test("the namespaces of a kind are counted together, and the most silent of them gives the age", async () => {
  const { start, objects, age, lists } = setUp();
  const first = start({ kind: "Pod", size: () => 3, silentForMs: () => 900_000 });
  const second = start({ kind: "Pod", size: () => 4, silentForMs: () => 1_000 });
  start({ kind: "Secret", size: () => 1, silentForMs: () => 2_000 });
  first.list();
  second.list();
  expect([await objects("Pod"), await age("Pod"), await lists("Pod")]).toEqual([7, 900, 2]);
  expect([await objects("Secret"), await age("Secret"), await lists("Secret")]).toEqual([1, 2, 0]);
});

test("a kind of which nothing is to be heard has no age, until it is there", async () => {
  const { start, objects, age } = setUp();
  let silentForMs: number | undefined = 5_000;
  start({ kind: "ServiceMonitor", size: () => 0, silentForMs: () => silentForMs });
  expect(await age("ServiceMonitor")).toBe(5);
  silentForMs = undefined;
  expect([await objects("ServiceMonitor"), await age("ServiceMonitor")]).toEqual([0, undefined]);
});
