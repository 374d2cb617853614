import type { ArchiveNode } from "@archivestream/crds";
import { expect, test } from "vitest";
import { CreationBudget } from "./budget.ts";
import { type DiscoveryView, discoveredName, nextStep, type StoredPeer, type Witness } from "./wanted.ts";

const ID = "a".repeat(64);

function witness(name: string, discovery: ArchiveNode["spec"]["discovery"], ...nodeIDs: readonly string[]): Witness {
  const metadata = { namespace: "archives", name, uid: `uid-${name}` };
  const node = { apiVersion: "archivestream.io/v1alpha1", kind: "ArchiveNode", metadata, spec: { discovery } };
  const found = { endpoints: ["https://peer.example"], capabilities: [], source: "gossip" as const };
  const discoveries = { discoveries: nodeIDs.map((nodeID) => ({ nodeID, ...found })), overBudget: false };
  return { node: node as unknown as ArchiveNode, reports: [{ discoveries }] };
}

const view = (witnesses: readonly Witness[], stored?: StoredPeer): DiscoveryView => ({
  ...{ nodeID: ID, namespace: "archives", witnesses, peers: [], stored },
});

function stored(witnesses: readonly Witness[], admission?: "Approved" | "Blocked"): StoredPeer {
  const step = nextStep(view(witnesses));
  if (step.do !== "apply") throw new Error("nothing to store");
  return { ...step.object, spec: { ...step.object.spec, ...(admission && { admission }) } } as StoredPeer;
}

test("a name is a digest in base32, the same each time", () => {
  expect(discoveredName(ID)).toMatch(/^gp-[a-z2-7]{24}$/);
  expect(discoveredName(ID)).not.toBe(discoveredName("b".repeat(64)));
});

test("every node that vouches owns the object, but not one that denies or only observes", () => {
  const witnesses = [
    witness("one", { mode: "Propose" }, ID),
    witness("two", { mode: "AutoAdmit" }, ID),
    witness("denies", { mode: "Propose", deny: [ID] }, ID),
    witness("observes", { mode: "Observe" }, ID),
  ];
  expect(stored(witnesses).metadata.ownerReferences?.map(({ name }) => name)).toEqual(["one", "two"]);
  expect(nextStep(view(witnesses, stored(witnesses)))).toEqual({ do: "nothing" });
});

test("an object that nobody vouches for expires while it is Pending, and stays once it was decided on", () => {
  const before = [witness("one", { mode: "Propose" }, ID)];
  const silent = [witness("one", { mode: "Propose" })];
  expect(nextStep(view(silent, stored(before)))).toEqual({ do: "expire" });
  expect(nextStep(view(silent, stored(before, "Approved")))).toEqual({ do: "nothing" });
  expect(nextStep(view(silent, stored(before, "Blocked")))).toEqual({ do: "nothing" });
});

test("a node that has not reported yet still vouches for what it owns", () => {
  const before = [witness("one", { mode: "Propose" }, ID)];
  const starting = before.map((one) => ({ ...one, reports: [] }));
  expect(nextStep(view(starting, stored(before)))).toEqual({ do: "nothing" });
});

test("twenty objects may be made at once, then one per second", () => {
  const budget = new CreationBudget();
  const waits = Array.from({ length: 21 }, () => budget.take(1_000_000));
  expect(waits.slice(0, 20)).toEqual(Array(20).fill(0));
  expect(waits[20]).toBe(1_000);
  expect(budget.take(1_001_000)).toBe(0);
});
