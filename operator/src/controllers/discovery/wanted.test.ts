/** What becomes of a discovered peer's object, by what the nodes of its namespace say and may. */
import type { ArchiveNode } from "@archivestream/crds";
import { expect, test } from "vitest";
import { allotmentOf } from "./allotment.ts";
import { Silence } from "./silence.ts";
import { type DiscoveryView, discoveredName, nextStep, type StoredPeer, type Witness } from "./wanted.ts";

const ID = "a".repeat(64);

function witness(name: string, discovery: ArchiveNode["spec"]["discovery"], ...nodeIDs: readonly string[]): Witness {
  const metadata = { namespace: "archives", name, uid: `uid-${name}` };
  const object = { apiVersion: "archivestream.io/v1alpha1", kind: "ArchiveNode", metadata, spec: { discovery } };
  const node = object as unknown as ArchiveNode;
  const found = { endpoints: ["https://peer.example"], capabilities: [], source: "gossip" as const };
  const discoveries = { discoveries: nodeIDs.map((nodeID) => ({ nodeID, ...found })), overBudget: false };
  const reports = [{ discoveries }];
  const inFlight = [{ ...object, metadata: { name, ownerReferences: [ownerOf(name)] }, spec: { nodeID: ID } }];
  return { node, reports, allotment: allotmentOf({ node, reports, peers: [], inFlight }) };
}

const ownerOf = (name: string) => ({ apiVersion: "", kind: "ArchiveNode", name, uid: `uid-${name}` });
const full = (one: Witness): Witness => ({ ...one, allotment: { kept: new Set(), isExceeded: true } });
const silentNow = (...names: readonly string[]) => new Set(names.map((name) => `uid-${name}`));

const view = (witnesses: readonly Witness[], stored?: StoredPeer): DiscoveryView => ({
  ...{ nodeID: ID, namespace: "archives", witnesses, peers: [], stored },
});

function stored(witnesses: readonly Witness[], admission?: "Approved" | "Blocked"): StoredPeer {
  const step = nextStep(view(witnesses));
  if (step.do !== "apply") throw new Error("nothing to store");
  return { ...step.object, spec: { ...step.object.spec, ...(admission && { admission }) } } as StoredPeer;
}

function ownersAfter(given: DiscoveryView, expired?: ReadonlySet<string>): readonly string[] {
  const step = nextStep(given, expired);
  return step.do === "apply" ? (step.object.metadata.ownerReferences ?? []).map(({ name }) => name) : [step.do];
}

const ONE = witness("one", { mode: "Propose" }, ID);

test("a name is a digest in base32, the same each time", () => {
  expect(discoveredName(ID)).toMatch(/^gp-[a-z2-7]{24}$/);
  expect(discoveredName(ID)).not.toBe(discoveredName("b".repeat(64)));
});

test("every node that vouches owns the object, but not one that denies, has no room or only observes", () => {
  const witnesses = [
    ONE,
    witness("two", { mode: "AutoAdmit" }, ID),
    witness("denies", { mode: "Propose", deny: [ID] }, ID),
    full(witness("full", { mode: "Propose" }, ID)),
    witness("observes", { mode: "Observe" }, ID),
  ];
  expect(stored(witnesses).metadata.ownerReferences?.map(({ name }) => name)).toEqual(["one", "two"]);
  expect(nextStep(view(witnesses, stored(witnesses)))).toEqual({ do: "nothing" });
});

test("without room nowhere nothing is made", () => {
  expect(nextStep(view([full(ONE)]))).toEqual({ do: "nothing" });
});

test("an empty report takes nothing away until the node was silent for too long", () => {
  const silent = [witness("one", { mode: "Propose" })];
  expect(nextStep(view(silent, stored([ONE])))).toEqual({ do: "nothing" });
  expect(nextStep(view(silent, stored([ONE])), silentNow("one"))).toEqual({ do: "remove" });
  for (const admission of ["Approved", "Blocked"] as const)
    expect(nextStep(view(silent, stored([ONE], admission)), silentNow("one"))).toEqual({ do: "nothing" });
});

test("of two owners the one that was silent for too long goes, and the object stays", () => {
  const both = [ONE, witness("two", { mode: "Propose" }, ID)];
  const now = [witness("one", { mode: "Propose" }), witness("two", { mode: "Propose" }, ID)];
  expect(ownersAfter(view(now, stored(both)))).toEqual(["nothing"]);
  expect(ownersAfter(view(now, stored(both)), silentNow("one"))).toEqual(["two"]);
});

test("time is counted by each node's own patience, from the first look at its silence", () => {
  const before = stored([ONE, witness("two", { mode: "Propose" }, ID)]);
  const silent = [witness("one", { mode: "Propose", ttl: "1h" }), witness("two", { mode: "Propose", ttl: "2h" })];
  const silence = new Silence();
  const hourMs = 3_600_000;
  expect(silence.look("a", view(silent, before), 5)).toEqual({ expired: new Set(), leftMs: hourMs });
  expect(silence.look("a", view(silent, before), 5 + hourMs)).toEqual({ expired: silentNow("one"), leftMs: hourMs });
  const speaking = [ONE, silent[1] as Witness];
  silence.look("a", view(speaking, before), 6 + hourMs);
  expect(silence.look("a", view(silent, before), 7 + hourMs).expired.size).toBe(0);
});

test("a denied peer goes at once while nobody decided on it, unless another node vouches", () => {
  const denying = witness("one", { mode: "Propose", deny: [ID] });
  const two = witness("two", { mode: "Propose" }, ID);
  expect(nextStep(view([denying], stored([ONE])))).toEqual({ do: "remove" });
  expect(nextStep(view([denying], stored([ONE], "Approved")))).toEqual({ do: "nothing" });
  expect(ownersAfter(view([denying, two], stored([ONE, two])))).toEqual(["two"]);
});

test("a node whose room was taken away lets go of what waits for a decision", () => {
  expect(nextStep(view([full(ONE)], stored([ONE])))).toEqual({ do: "remove" });
});

test("a node that has not reported yet, or cuts its list short, still vouches for what it owns", () => {
  const starting = { ...ONE, reports: [] };
  const cut = { ...ONE, reports: [{ discoveries: { discoveries: [], overBudget: true } }] };
  for (const one of [starting, cut]) {
    expect(nextStep(view([one], stored([ONE])), silentNow("one"))).toEqual({ do: "nothing" });
  }
});

test("another address is written while nobody decided, and stays as it was approved", () => {
  const [page] = ONE.reports;
  const elsewhere = page?.discoveries?.discoveries.map((one) => ({ ...one, endpoints: ["https://other.example"] }));
  const moved = { ...ONE, reports: [{ discoveries: { discoveries: elsewhere ?? [], overBudget: false } }] };
  const step = nextStep(view([moved], stored([ONE])));
  expect(step.do === "apply" && step.object.spec.endpoints).toEqual([{ name: "e1", url: "https://other.example" }]);
  expect(nextStep(view([moved], stored([ONE], "Approved")))).toEqual({ do: "nothing" });
});
