/** From a discovery that a pod reports to a FederationPeer that a person decides on, against a real API server. */
import type { FederationPeer } from "@archivestream/crds";
import { ADMIN_PATHS } from "@archivestream/node/contract";
import { afterAll, beforeAll, expect, test } from "vitest";
import { discoveredName } from "../../operator/src/controllers/discovery/wanted.ts";
import { RESOURCES } from "../../operator/src/controllers/resource-types.ts";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import { EVENTS } from "../../operator/src/runtime/event-recorder.ts";
import { type ArchiveWorld, archiveWorld } from "../testkit/archive-world.ts";
import { put, type RunningOperator, startOperator } from "../testkit/operator-under-test.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const DEADLINE = { deadlineMs: 60_000 };
const NAMESPACE = "archives";
const [FOUND, DENIED, UNSEEN] = ["a", "b", "c"].map((digit) => digit.repeat(64)) as [string, string, string];
/** More than may be made at once. */
const MANY = Array.from({ length: 30 }, (_, index) => `${index + 10}`.repeat(32));
const cleanUp = new AsyncDisposableStack();
let world: ArchiveWorld;
let operator: RunningOperator;

beforeAll(async () => {
  world = cleanUp.use(await archiveWorld({ namespace: NAMESPACE, ...DEADLINE }));
  operator = cleanUp.use(await startOperator({ server: world.server, admin: world.admin }));
  await world.create("alpha", { discovery: { mode: "Propose", deny: [DENIED] } });
  await world.ready("alpha");
});
afterAll(async () => {
  await cleanUp.disposeAsync();
});

type StoredPeer = FederationPeer & KubeObject;

const peer = (nodeID: string) => world.get<StoredPeer>("FederationPeer", discoveredName(nodeID));
const discovered = async () =>
  (await world.admin.list<StoredPeer>(RESOURCES.FederationPeer, { namespace: NAMESPACE }, world.signal)).items.filter(
    ({ spec }) => spec.origin === "Discovered",
  );
const discovery = (change: object) => world.edit("ArchiveNode", "alpha", { spec: { discovery: change } });

function report(url: string, ...nodeIDs: readonly string[]): void {
  operator.standIn.reports.set(ADMIN_PATHS.discoveries, {
    discoveries: nodeIDs.map((nodeID) => ({ nodeID, endpoints: [url], capabilities: [], source: "gossip" })),
    overBudget: false,
  });
}

/** Waits until the pod was asked again, and the operator has done what follows. */
async function looked(): Promise<number> {
  const asked = () => operator.standIn.calls.get(`GET ${ADMIN_PATHS.discoveries}`) ?? 0;
  const before = asked();
  await waitUntil("the pod to be asked", () => asked() > before, DEADLINE);
  return world.quiet();
}

test("a reported peer becomes a Pending object, a denied one does not, and another look writes nothing", async () => {
  report("https://one.example", FOUND, DENIED);
  const found = await waitUntil("the object", () => peer(FOUND), DEADLINE);
  const uid = (await world.node("alpha"))?.metadata.uid;
  expect(found.spec).toEqual({
    nodeID: FOUND,
    origin: "Discovered",
    endpoints: [{ name: "e1", url: "https://one.example" }],
  });
  expect(found.metadata.labels).toEqual({ "archivestream.io/origin": "discovered" });
  expect(found.metadata.ownerReferences).toMatchObject([{ kind: "ArchiveNode", uid, blockOwnerDeletion: true }]);
  const writes = await looked();
  expect(await peer(DENIED)).toBeUndefined();
  expect(await looked()).toBe(writes);
  await operator.restart();
  expect(await looked()).toBe(writes);
});

test("a new address is written while nobody has decided", async () => {
  report("https://two.example", FOUND);
  const isMoved = async () => (await peer(FOUND))?.spec.endpoints?.[0]?.url === "https://two.example";
  await waitUntil("the new address", isMoved, DEADLINE);
});

test("an approval survives the next write, reaches the trust document, and stays when pods report it no more", async () => {
  await world.edit("FederationPeer", discoveredName(FOUND), { spec: { admission: "Approved" } });
  await world.edit("FederationPeer", discoveredName(FOUND), {
    metadata: { labels: { "archivestream.io/origin": null } },
  });
  report("https://three.example", FOUND);
  const isLabelled = async () => (await peer(FOUND))?.metadata.labels?.["archivestream.io/origin"] === "discovered";
  await waitUntil("the label to be back", isLabelled, DEADLINE);
  await looked();
  expect((await peer(FOUND))?.spec).toMatchObject({
    admission: "Approved",
    endpoints: [{ url: "https://two.example" }],
  });
  const trusted = async () => {
    const secret = await world.get<KubeObject & { data: Record<string, string> }>("Secret", "alpha-trust");
    return Buffer.from(secret?.data["allowlist.json"] ?? "", "base64")
      .toString()
      .includes(FOUND);
  };
  await waitUntil("the id in the trust document", trusted, DEADLINE);
  report("https://three.example");
  await looked();
  expect((await peer(FOUND))?.spec.admission).toBe("Approved");
});

test("an accepted authored object for the same archive removes the discovered one", async () => {
  const authored = {
    apiVersion: "archivestream.io/v1alpha1",
    kind: "FederationPeer",
    metadata: { namespace: NAMESPACE, name: "friend" },
    spec: { nodeID: FOUND, endpoints: [{ name: "main", url: "https://two.example" }] },
  };
  await put(world.admin, authored, world.signal);
  await waitUntil("the discovered one to go", async () => (await peer(FOUND)) === undefined, DEADLINE);
});

test("a node keeps exactly as many as it may, says that there are more, and stays ready", async () => {
  await discovery({ maxPeers: 2 });
  report("https://one.example", FOUND, ...MANY.slice(0, 4));
  await world.reason("alpha", "Stalled", "DiscoveryBudgetExceeded");
  await looked();
  expect(await discovered()).toHaveLength(2);
  expect((await world.condition("alpha", "Stalled"))?.message).toMatch(/maxPeers \(2\).*raise it, or name .*deny/);
  expect((await world.condition("alpha", "Ready"))?.status).toBe("True");
  const isTold = async () => {
    const { items } = await world.admin.list<KubeObject>(EVENTS, { namespace: NAMESPACE }, world.signal);
    return items.some((one) => JSON.stringify(one).includes("DiscoveryBudgetExceeded"));
  };
  await waitUntil("the Event", isTold, DEADLINE);
  const writes = await world.quiet();
  await operator.restart();
  expect(await looked()).toBe(writes);
});

test("a larger limit makes room at once", async () => {
  await discovery({ maxPeers: 4 });
  await waitUntil("all four", async () => (await discovered()).length === 4, DEADLINE);
  const isOver = async () => (await world.condition("alpha", "Stalled")) !== undefined;
  await waitUntil("Stalled to go", async () => !(await isOver()), DEADLINE);
});

test("an empty report removes nothing, a denied peer goes at once, and its place is given to another", async () => {
  report("https://one.example");
  const writes = await looked();
  expect(await discovered()).toHaveLength(4);
  expect(await looked()).toBe(writes);
  report("https://one.example", ...MANY.slice(0, 5));
  await world.reason("alpha", "Stalled", "DiscoveryBudgetExceeded");
  await discovery({ deny: [DENIED, MANY[0]] });
  await waitUntil("the denied one to go", async () => (await peer(MANY[0] ?? "")) === undefined, DEADLINE);
  await waitUntil("another one instead", () => peer(MANY[4] ?? ""), DEADLINE);
  expect(await discovered()).toHaveLength(4);
});

test("many that come together are made one after the other", async () => {
  const before = new Set((await discovered()).map(({ metadata }) => metadata.uid));
  await discovery({ maxPeers: 100, deny: [DENIED] });
  report("https://one.example", ...MANY);
  await waitUntil("all of them", async () => (await discovered()).length === MANY.length, DEADLINE);
  const made = (await discovered()).filter(({ metadata }) => !before.has(metadata.uid));
  const seconds = made.map(({ metadata }) => Date.parse(metadata.creationTimestamp ?? "") / 1_000);
  // Twenty at once, then one each second; the API server keeps whole seconds.
  expect(Math.max(...seconds) - Math.min(...seconds)).toBeGreaterThanOrEqual(made.length - 20 - 1);
});

test("a node that only observes writes nothing, and forgets nothing", async () => {
  await discovery({ mode: "Observe" });
  report("https://three.example", UNSEEN);
  await looked();
  expect(await peer(UNSEEN)).toBeUndefined();
  expect(await discovered()).toHaveLength(MANY.length);
});
