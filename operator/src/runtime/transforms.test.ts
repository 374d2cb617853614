/** What enters a cache: the object's meaning whole, its ballast not, and what objects repeat only once. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { KubeObject } from "../kube/objects.ts";
import { SharedParts, transformAtTheDoor } from "./transforms.ts";

function child(name: string, owner: string, extra: object = {}): KubeObject & { readonly spec: object } {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name,
      namespace: "n",
      labels: { app: "archive-node", node: owner },
      ownerReferences: [{ apiVersion: "v1", kind: "Owner", name: owner, uid: `uid-of-${owner}` }],
      ...extra,
    },
    spec: { ports: [{ port: 80 }] },
  };
}

test("ballast is dropped and nothing else", () => {
  const annotations = { mine: "1", "kubectl.kubernetes.io/last-applied-configuration": "{}" };
  const object = child("a", "alpha", { managedFields: [{ manager: "m" }], annotations });
  expect(transformAtTheDoor(object)).toEqual(child("a", "alpha", { annotations: { mine: "1" } }));
  expect(object.metadata.managedFields).toHaveLength(1);
});

test("children of one owner share labels and owner references, those of another do not", () => {
  const { transform } = new SharedParts(10);
  const [a, b, other] = [child("a", "alpha"), child("b", "alpha"), child("c", "beta")].map(transform);
  expect(b?.metadata.labels).toBe(a?.metadata.labels);
  expect(b?.metadata.ownerReferences).toBe(a?.metadata.ownerReferences);
  expect(other?.metadata.labels).not.toBe(a?.metadata.labels);
  expect(other).toEqual(child("c", "beta"));
});

test("sharing never changes what an object says, however little is remembered", () => {
  const names = fc.constantFrom("alpha", "beta", "gamma", "delta");
  fc.assert(
    fc.property(fc.array(names, { maxLength: 40 }), fc.integer({ min: 1, max: 3 }), (owners, limit) => {
      const { transform } = new SharedParts(limit);
      for (const [index, owner] of owners.entries()) {
        expect(transform(child(String(index), owner))).toEqual(child(String(index), owner));
      }
    }),
  );
});
