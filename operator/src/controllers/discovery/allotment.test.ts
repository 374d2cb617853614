/** A node keeps exactly as many discovered peers as it may, whoever offers more. */
import type { ArchiveNode, FederationPeer } from "@archivestream/crds";
import { expect, test } from "vitest";
import { resolvePeer } from "../resolved-peers.ts";
import { type AllotmentInput, allotmentOf } from "./allotment.ts";

const id = (number: number) => number.toString(16).padStart(64, "0");

interface World {
  readonly discovery: ArchiveNode["spec"]["discovery"];
  readonly offered?: readonly number[];
  readonly overBudget?: boolean;
  readonly held?: readonly (readonly [number, admission?: "Approved" | "Blocked" | undefined, second?: number])[];
  readonly authored?: readonly number[];
  readonly inFlight?: readonly number[];
}

function world({
  discovery,
  offered,
  overBudget = false,
  held = [],
  authored = [],
  inFlight = [],
}: World): AllotmentInput {
  const metadata = { namespace: "archives", name: "one", uid: "uid-one" };
  const node = { apiVersion: "archivestream.io/v1alpha1", kind: "ArchiveNode", metadata, spec: { discovery } };
  const ownerReferences = [{ apiVersion: node.apiVersion, kind: node.kind, name: "one", uid: "uid-one" }];
  const peer = (number: number, rest: object, spec: object) => {
    const named = { namespace: "archives", name: `p${number}`, uid: `uid-${number}`, ...rest };
    const kind = { apiVersion: node.apiVersion, kind: "FederationPeer" };
    return { ...kind, metadata: named, spec: { nodeID: id(number), ...spec } } as unknown as FederationPeer;
  };
  const discovered = held.map(([number, admission, second = 0]) => {
    const creationTimestamp = `2026-01-01T00:00:${String(second).padStart(2, "0")}Z`;
    return peer(number, { ownerReferences, creationTimestamp }, { origin: "Discovered", admission });
  });
  const found = { endpoints: ["https://peer.example"], capabilities: [], source: "gossip" as const };
  const discoveries = offered && {
    discoveries: offered.map((number) => ({ nodeID: id(number), ...found })),
    overBudget,
  };
  return {
    node: node as unknown as ArchiveNode,
    reports: [discoveries === undefined ? {} : { discoveries }],
    peers: [...discovered, ...authored.map((number) => peer(number, {}, {}))].map((one) =>
      resolvePeer(one, () => undefined),
    ),
    inFlight: inFlight.map((number) => peer(number, { ownerReferences }, {})) as unknown as AllotmentInput["inFlight"],
  };
}

const keptBy = (given: World) => [...allotmentOf(world(given)).kept].map((one) => Number.parseInt(one, 16));
const isExceeded = (given: World) => allotmentOf(world(given)).isExceeded;

test("as many as there is room for, the same ones each time, and what was made comes before what is offered", () => {
  const given = { discovery: { mode: "Propose", maxPeers: 3 }, held: [[9]], offered: [7, 2, 9, 5] } as const;
  expect(keptBy(given)).toEqual([9, 2, 5]);
  expect(isExceeded(given)).toBe(true);
  expect(isExceeded({ ...given, offered: [9, 2, 5] })).toBe(false);
});

test("an object that the cache does not show yet takes its place", () => {
  const given = { discovery: { mode: "Propose", maxPeers: 1 }, offered: [1], inFlight: [8] } as const;
  expect(keptBy(given)).toEqual([8]);
});

test("who decided on a peer keeps it, and of the others the oldest stay, when the limit is lowered", () => {
  const held = [
    [1, undefined, 30],
    [2, "Approved", 40],
    [3, undefined, 10],
    [4, "Blocked", 50],
  ] as const;
  expect(keptBy({ discovery: { mode: "Propose", maxPeers: 3 }, held, offered: [] })).toEqual([2, 4, 3]);
  expect(keptBy({ discovery: { mode: "Propose", maxPeers: 1 }, held, offered: [] })).toEqual([2, 4]);
});

test("denied peers and those that somebody wrote down take no room and exceed nothing", () => {
  const discovery = { mode: "Propose", maxPeers: 1, deny: [id(1)] } as const;
  expect(keptBy({ discovery, offered: [1, 2, 3], authored: [2] })).toEqual([3]);
  expect(isExceeded({ discovery, offered: [1, 2, 3], authored: [2] })).toBe(false);
});

test("a node that cuts its list short has more than it may; one that has not reported says nothing", () => {
  const discovery = { mode: "Propose" } as const;
  expect(isExceeded({ discovery, offered: [1], overBudget: true })).toBe(true);
  expect(isExceeded({ discovery })).toBeUndefined();
});

test.for(["Disabled", "Observe"] as const)("mode %s keeps nothing and exceeds nothing", (mode) => {
  const given = { discovery: { mode, maxPeers: 1 }, offered: [1, 2], held: [[3]] } as const;
  expect(keptBy(given)).toEqual([]);
  expect(isExceeded(given)).toBe(false);
});
