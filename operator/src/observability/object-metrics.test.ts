/** Counts follow the objects, known series are there from the start, and what is gone is no longer shown. */
import type { ArchiveNode, FederationPeer } from "@archivestream/crds";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { createObjectMetrics } from "./object-metrics.ts";

const METADATA = {
  namespace: "a",
  uid: "u",
  resourceVersion: "1",
  generation: 1,
  creationTimestamp: "2026-01-01T00:00:00Z",
};

function node(
  name: string,
  ready: string | undefined,
  trust?: NonNullable<ArchiveNode["status"]>["trust"],
): ArchiveNode {
  const conditions = ready === undefined ? [] : [{ type: "Ready", status: ready }];
  return {
    apiVersion: "archivestream.io/v1alpha1",
    kind: "ArchiveNode",
    metadata: { ...METADATA, name },
    spec: {},
    ...(ready === undefined ? {} : { status: { conditions, ...(trust === undefined ? {} : { trust }) } }),
  } as unknown as ArchiveNode; // what a test does not look at is left out
}

function peer(spec: object, ready?: string): FederationPeer {
  const status = ready === undefined ? {} : { status: { conditions: [{ type: "Ready", status: ready }] } };
  return {
    apiVersion: "archivestream.io/v1alpha1",
    kind: "FederationPeer",
    metadata: { ...METADATA, name: "p" },
    spec,
    ...status,
  } as unknown as FederationPeer;
}

function setUp(given: { nodes?: ArchiveNode[]; peers?: FederationPeer[] } = {}) {
  const registry = new Registry();
  const objects = { nodes: given.nodes ?? [], peers: given.peers ?? [] };
  createObjectMetrics(registry, {
    archiveNodes: () => objects.nodes,
    federationPeers: () => objects.peers,
    syncPolicies: () => [],
  });
  return { objects, lines: async () => (await registry.metrics()).split("\n") };
}

const readyLine = (status: string, count: number) =>
  `archivestream_condition{kind="ArchiveNode",type="Ready",status="${status}"} ${count}`;

test("conditions are counted by kind, type and status; a node without a status is Unknown", async () => {
  const { lines } = setUp({
    nodes: [node("x", "True"), node("y", "True"), node("z", "False"), node("new", undefined)],
  });
  expect(await lines()).toEqual(
    expect.arrayContaining([readyLine("True", 2), readyLine("False", 1), readyLine("Unknown", 1)]),
  );
});

test("every series with known labels is there while there are no objects", async () => {
  const { lines } = setUp();
  expect(await lines()).toEqual(
    expect.arrayContaining([
      readyLine("True", 0),
      'archivestream_condition{kind="ArchiveNode",type="Stalled",status="True"} 0',
      'archivestream_condition{kind="FederationPeer",type="Ready",status="False"} 0',
      'archivestream_condition{kind="SyncPolicy",type="Ready",status="Unknown"} 0',
      'archivestream_peers{origin="Discovered",admission="Blocked",ready="True"} 0',
    ]),
  );
});

test.each([
  ["an authored peer is approved unless it says otherwise", {}, "True", "Authored", "Approved"],
  ["a discovered one is pending", { origin: "Discovered" }, undefined, "Discovered", "Pending"],
  ["what it says counts", { origin: "Discovered", admission: "Blocked" }, "False", "Discovered", "Blocked"],
])("%s", async (_name, spec, ready, origin, admission) => {
  const { lines } = setUp({ peers: [peer(spec, ready)] });
  const shown = (await lines()).filter((line) => line.startsWith("archivestream_peers{") && !line.endsWith(" 0"));
  expect(shown).toEqual([
    `archivestream_peers{origin="${origin}",admission="${admission}",ready="${ready ?? "Unknown"}"} 1`,
  ]);
});

test("the sequences of trust documents are shown by node, and go with it", async () => {
  const { objects, lines } = setUp({ nodes: [node("x", "True", { sequence: 3, observedSequence: 2, entries: 0 })] });
  expect(await lines()).toEqual(
    expect.arrayContaining([
      'archivestream_trust_sequence{node="a/x"} 3',
      'archivestream_trust_observed_sequence{node="a/x"} 2',
    ]),
  );
  objects.nodes = [node("y", "False", { sequence: 1, entries: 0 })];
  const trust = (await lines()).filter((line) => /^archivestream_trust_\w+\{/.test(line));
  expect(trust).toEqual(['archivestream_trust_sequence{node="a/y"} 1']);
  expect(await lines()).toEqual(expect.arrayContaining([readyLine("True", 0), readyLine("False", 1)]));
});
