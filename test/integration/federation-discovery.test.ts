/** From a discovery that a pod reports to a FederationPeer that a person decides on, against a real API server. */
import type { FederationPeer } from "@archivestream/crds";
import { ADMIN_PATHS } from "@archivestream/node/contract";
import { afterAll, beforeAll, expect, test } from "vitest";
import { discoveredName } from "../../operator/src/controllers/discovery/wanted.ts";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import { type ArchiveWorld, archiveWorld } from "../testkit/archive-world.ts";
import { put, type RunningOperator, startOperator } from "../testkit/operator-under-test.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const DEADLINE = { deadlineMs: 60_000 };
const NAMESPACE = "archives";
const [FOUND, DENIED, UNSEEN] = ["a", "b", "c"].map((digit) => digit.repeat(64)) as [string, string, string];
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

const peer = (nodeID: string) => world.get<FederationPeer & KubeObject>("FederationPeer", discoveredName(nodeID));

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
  await waitUntil("the pod to be asked twice", () => asked() >= before + 2, DEADLINE);
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

test("an approval survives the next write, reaches the trust document, and stays when pods report it no more", async () => {
  await world.edit("FederationPeer", discoveredName(FOUND), { spec: { admission: "Approved" } });
  report("https://two.example", FOUND);
  await waitUntil(
    "the new address",
    async () => (await peer(FOUND))?.spec.endpoints?.[0]?.url === "https://two.example",
    DEADLINE,
  );
  expect((await peer(FOUND))?.spec.admission).toBe("Approved");
  const trusted = async () => {
    const secret = await world.get<KubeObject & { data: Record<string, string> }>("Secret", "alpha-trust");
    return Buffer.from(secret?.data["allowlist.json"] ?? "", "base64")
      .toString()
      .includes(FOUND);
  };
  await waitUntil("the id in the trust document", trusted, DEADLINE);
  report("https://two.example");
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

test("a node that only observes writes nothing", async () => {
  await world.edit("ArchiveNode", "alpha", { spec: { discovery: { mode: "Observe" } } });
  report("https://three.example", UNSEEN);
  await looked();
  expect(await peer(UNSEEN)).toBeUndefined();
});
