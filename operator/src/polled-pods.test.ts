/** Which pods are asked, with which documents; and that nothing is made anew while nothing changes. */
import { expect, test } from "vitest";
import { archiveNode } from "../../test/testkit/archive-node-builder.ts";
import type { PodObject } from "./controllers/archive-node/observe.ts";
import type { Documents } from "./controllers/issued-documents.ts";
import { createPolledPods } from "./polled-pods.ts";

function pod(name: string, metadata: object = {}, podIP = "198.18.0.1"): PodObject {
  const labels = { "archivestream.io/node": "alpha" };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "n", uid: `uid-of-${name}`, labels, ...metadata },
    status: { podIP, conditions: [{ type: "Ready", status: "True" }] },
  };
}

function setUp(...given: readonly PodObject[]) {
  const state = { pods: given, documents: undefined as Documents | undefined };
  const alpha = archiveNode({ name: "alpha", namespace: "n" });
  const nodes = { get: ({ name }: { readonly name: string }) => (name === "alpha" ? alpha : undefined) };
  const list = createPolledPods({ pods: { list: () => state.pods }, nodes, issued: () => state.documents }, 8444);
  return { state, list };
}

test("pods are asked by address and named by their DNS name", () => {
  expect(setUp(pod("alpha-0")).list()).toEqual([
    {
      pod: "n/alpha-0",
      podName: "alpha-0",
      node: "n/alpha",
      uid: "uid-of-alpha-0",
      ready: true,
      address: "198.18.0.1",
      port: 8444,
      serverName: "alpha-0.alpha-headless.n.svc",
      documents: undefined,
    },
  ]);
});

test.each([
  ["without an address", { ...pod("alpha-0"), status: {} }],
  ["of no ArchiveNode", pod("alpha-0", { labels: {} })],
  ["of an ArchiveNode that is not ours", pod("beta-0", { labels: { "archivestream.io/node": "beta" } })],
  ["that are going", pod("alpha-0", { deletionTimestamp: "2026-11-24T00:00:00Z" })],
])("pods %s are not asked", (_what, one) => {
  expect(setUp(one).list()).toEqual([]);
});

test("a pod is ready when the kubelet says so", () => {
  const starting = {
    ...pod("alpha-0"),
    status: { podIP: "198.18.0.1", conditions: [{ type: "Ready", status: "False" }] },
  };
  expect(setUp(starting, { ...pod("alpha-1"), status: { podIP: "198.18.0.1" } }).list()).toMatchObject([
    { ready: false },
    { ready: false },
  ]);
});

test("what was made of a pod stays the same object until pod or documents change", () => {
  const { state, list } = setUp(pod("alpha-0"), pod("alpha-1"));
  const [first, second] = list();
  expect(list()).toEqual([first, second]);
  expect(list()[0]).toBe(first);
  state.pods = [pod("alpha-0", {}, "198.18.0.2"), ...state.pods.slice(1)];
  expect(list()[0]).toMatchObject({ address: "198.18.0.2" });
  expect(list()[1]).toBe(second);
  state.documents = {} as Documents; // only handed through
  expect(list()[1]?.documents).toBe(state.documents);
});
