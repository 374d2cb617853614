/** What FederationPeers that people write come to, against a real API server: who counts, who is meant, what is awaited. */
import type { FederationPeer, FederationPeerConditionType } from "@archivestream/crds";
import { ADMIN_PATHS, DOCUMENT_FILES } from "@archivestream/node/contract";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import { type ArchiveWorld, archiveWorld } from "../testkit/archive-world.ts";
import { put, type RunningOperator, startOperator } from "../testkit/operator-under-test.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const DEADLINE = { deadlineMs: 60_000 };
const NAMESPACE = "archives";
const [SOMEBODY, CLAIMED] = ["a".repeat(64), "b".repeat(64)] as const;
const BASE_PATH = "/api/v1/federation";
const cleanUp = new AsyncDisposableStack();
let world: ArchiveWorld;
let operator: RunningOperator;

beforeAll(async () => {
  world = cleanUp.use(await archiveWorld({ namespace: NAMESPACE, ...DEADLINE }));
  operator = cleanUp.use(await startOperator({ server: world.server, admin: world.admin }));
  await world.create("beta", { storage: { retention: "Delete" } });
  await world.ready("alpha", "beta");
});
afterAll(async () => {
  await cleanUp.disposeAsync();
});

const write = (name: string, spec: FederationPeer["spec"]) => {
  const kind = { apiVersion: "archivestream.io/v1alpha1", kind: "FederationPeer" };
  return put(world.admin, { ...kind, metadata: { namespace: NAMESPACE, name }, spec } as KubeObject, world.signal);
};

async function condition(name: string, type: FederationPeerConditionType) {
  const stored = await world.get<FederationPeer & KubeObject>("FederationPeer", name);
  return stored?.status?.conditions?.find((one) => one.type === type);
}

const reason = (name: string, type: FederationPeerConditionType, wanted: string) =>
  waitUntil(
    `${type}/${wanted} of ${name}`,
    async () => {
      const found = await condition(name, type);
      return found?.reason === wanted ? found : undefined;
    },
    DEADLINE,
  );

const trusted = async () => {
  const secret = await world.get<KubeObject & { data: Record<string, string> }>("Secret", "alpha-trust");
  return Buffer.from(secret?.data[DOCUMENT_FILES.trust] ?? "", "base64").toString();
};
const federation = async () =>
  (await world.get<KubeObject & { data: Record<string, string> }>("ConfigMap", "alpha-federation"))?.data[
    DOCUMENT_FILES.federation
  ] ?? "";

test("of two objects for one archive the first counts, the other says so, and takes its place when it goes", async () => {
  await write("first", { nodeID: SOMEBODY, endpoints: [{ name: "main", url: "https://one.example" }] });
  await write("second", { nodeID: SOMEBODY, endpoints: [{ name: "main", url: "https://two.example" }] });
  expect((await reason("second", "Shadowed", "DuplicateNodeID")).message).toMatch(/first .*delete one/);
  expect((await reason("second", "Ready", "DuplicateNodeID")).status).toBe("False");
  await waitUntil("the first one's address", async () => (await federation()).includes("one.example"), DEADLINE);
  expect(await condition("first", "Shadowed")).toBeUndefined();
  expect(await federation()).not.toContain("two.example");
  await world.remove("FederationPeer", "first");
  const isAlone = async () => (await condition("second", "Shadowed")) === undefined;
  await waitUntil("the second one to count", isAlone, DEADLINE);
  await waitUntil("the second one's address", async () => (await federation()).includes("two.example"), DEADLINE);
});

test("a suspended peer stays trusted and is not dialled, and says how to go on", async () => {
  await world.edit("FederationPeer", "second", { spec: { suspend: true } });
  expect((await reason("second", "Ready", "Suspended")).message).toContain("set spec.suspend to false");
  await reason("second", "Suspended", "SuspendedByUser");
  await waitUntil("the document to say so", async () => (await federation()).includes('"suspend":true'), DEADLINE);
  expect(await trusted()).toContain(SOMEBODY);
  await world.edit("FederationPeer", "second", { spec: { suspend: null } });
  const goesOn = async () => (await condition("second", "Suspended")) === undefined;
  await waitUntil("the condition to go", goesOn, DEADLINE);
  await waitUntil("the document to follow", async () => !(await federation()).includes('"suspend"'), DEADLINE);
});

test("a peer known by its address only says who claims to be there, and trusts nobody", async () => {
  await write("unknown", { admission: "Pending", endpoints: [{ name: "main", url: "https://three.example" }] });
  await waitUntil("pods to be told", async () => (await federation()).includes("three.example"), DEADLINE);
  const address = `https://three.example${BASE_PATH}`;
  operator.standIn.reports.set(ADMIN_PATHS.peers, { peers: [], addresses: [{ address, claims: CLAIMED }] });
  const says = (text: string) => async () => (await condition("unknown", "Accepted"))?.message.includes(text) === true;
  await waitUntil("the claim", says(`claims ${CLAIMED}; set spec.nodeID to trust it`), DEADLINE);
  expect(await condition("unknown", "Accepted")).toMatchObject({ status: "False", reason: "NodeIDRequired" });
  expect(await trusted()).not.toContain(CLAIMED);
});

test("a peer that stands for an ArchiveNode follows its address and, when it is made anew, its key", async () => {
  await write("to-beta", { nodeRef: { name: "beta" } });
  const before = (await world.node("beta"))?.status?.nodeID ?? "";
  await waitUntil("beta's key", async () => (await trusted()).includes(before), DEADLINE);
  await world.edit("ArchiveNode", "beta", { spec: { endpoint: { advertised: "https://beta.example" } } });
  await waitUntil("beta's new address", async () => (await federation()).includes("beta.example"), DEADLINE);
  await world.remove("ArchiveNode", "beta");
  expect((await reason("to-beta", "Accepted", "NodeNotFound")).message).toContain("create it or correct the name");
  await waitUntil("the old key to go", async () => !(await trusted()).includes(before), DEADLINE);
  const isGone = async () => (await world.get("Secret", "beta-identity")) === undefined;
  await waitUntil("the identity to be gone", isGone, DEADLINE);
  await world.ready("beta");
  const after = (await world.node("beta"))?.status?.nodeID ?? "";
  expect(after).not.toBe(before);
  await waitUntil("beta's new key", async () => (await trusted()).includes(after), DEADLINE);
  await waitUntil("beta's Service again", async () => !(await federation()).includes("beta.example"), DEADLINE);
});

test("a restart with all these peers present writes nothing", async () => {
  const writes = await world.quiet();
  const asked = () => operator.standIn.calls.get(`GET ${ADMIN_PATHS.peers}`) ?? 0;
  const before = asked();
  await operator.restart();
  await waitUntil("both pods to be asked", () => asked() >= before + 2, DEADLINE);
  expect(await world.quiet()).toBe(writes);
});
