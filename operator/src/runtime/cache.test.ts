/** After any history the cache equals the truth, and its listeners can rebuild it. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { KubeObject } from "../kube/objects.ts";
import { ObjectCache } from "./cache.ts";

const object = fc
  .record({ name: fc.constantFrom("a", "b", "c"), version: fc.nat(5), uid: fc.constantFrom("u1", "u2") })
  .map(
    ({ name, version, uid }): KubeObject => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name, namespace: "n", uid, resourceVersion: `${uid}-${version}` },
    }),
  );
const step = fc.oneof(
  fc.record({ kind: fc.constant("upsert" as const), object }),
  fc.record({ kind: fc.constant("remove" as const), object }),
  fc.record({
    kind: fc.constant("replace" as const),
    objects: fc.uniqueArray(object, { selector: (each) => each.metadata.name }),
  }),
);

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

function play(cache: ObjectCache<KubeObject>, truth: Map<string, KubeObject>, each: Step): void {
  if (each.kind === "replace") {
    cache.replace(each.objects);
    truth.clear();
    for (const one of each.objects) truth.set(one.metadata.name, one);
    return;
  }
  const { name } = each.object.metadata;
  if (each.kind === "upsert") {
    cache.upsert(each.object);
    truth.set(name, each.object);
  } else {
    cache.remove(each.object);
    truth.delete(name);
  }
}

test("listeners can rebuild the cache from changes alone", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const cache = new ObjectCache<KubeObject>((error) => expect.unreachable(String(error)));
      const rebuilt = new Map<string, KubeObject>();
      const truth = new Map<string, KubeObject>();
      cache.onChange((change) => {
        if (change.type === "deleted") expect(rebuilt.delete(change.object.metadata.name)).toBe(true);
        else rebuilt.set(change.object.metadata.name, change.object);
      });
      for (const each of steps) {
        play(cache, truth, each);
      }
      const byName = (list: Iterable<KubeObject>) =>
        [...list].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
      expect(byName(cache.list())).toEqual(byName(truth.values()));
      expect(byName(rebuilt.values())).toEqual(byName(truth.values()));
    }),
  );
});

test("objects are frozen all the way down", () => {
  const cache = new ObjectCache<KubeObject>(() => {});
  cache.upsert({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", labels: { x: "1" } } });
  expect(() => Object.assign(cache.get({ name: "a" })?.metadata.labels ?? {}, { x: "2" })).toThrow(TypeError);
});

test("a listener that throws harms nobody", () => {
  const failures: unknown[] = [];
  const cache = new ObjectCache<KubeObject>((error) => failures.push(error));
  cache.onChange(() => {
    throw new Error("listener");
  });
  cache.upsert({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } });
  expect(cache.size).toBe(1);
  expect(failures).toHaveLength(1);
});
