/** The identity of a node is made once: it outlives operator and ArchiveNode, and is never replaced; against a real API server. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import { type ArchiveWorld, archiveWorld } from "../testkit/archive-world.ts";
import { type RunningOperator, startOperator } from "../testkit/operator-under-test.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const DEADLINE = { deadlineMs: 60_000 };
const cleanUp = new AsyncDisposableStack();
let world: ArchiveWorld;
let operator: RunningOperator;

beforeAll(async () => {
  world = cleanUp.use(await archiveWorld({ namespace: "identities", ...DEADLINE }));
  operator = cleanUp.use(await startOperator({ server: world.server, admin: world.admin }));
});
afterAll(async () => {
  await cleanUp.disposeAsync();
});

test("a changed identity is reported and never replaced", async () => {
  await world.ready("alpha", "beta");
  const stolen = (await world.get<KubeObject & { data: object }>("Secret", "alpha-identity"))?.data;
  const own = (await world.get<KubeObject & { data: object }>("Secret", "beta-identity"))?.data;
  await world.edit("Secret", "beta-identity", { data: stolen });
  await world.reason("beta", "Stalled", "IdentityLost");
  await world.edit("Secret", "beta-identity", { data: { "identity.key": Buffer.from("garbage").toString("base64") } });
  await world.quiet();
  expect(await world.condition("beta", "Ready")).toMatchObject({ status: "False", reason: "Stalled" });
  await world.edit("Secret", "beta-identity", { data: own });
  await world.ready("beta");
});

test("a lost identity is reported and never replaced", async () => {
  const nodeID = (await world.node("beta"))?.status?.nodeID;
  await world.remove("Secret", "beta-identity");
  await world.reason("beta", "Stalled", "IdentityLost");
  await operator.restart();
  await world.quiet();
  expect(await world.get("Secret", "beta-identity")).toBeUndefined();
  expect((await world.node("beta"))?.status?.nodeID).toBe(nodeID);
  expect((await world.condition("beta", "Stalled"))?.message).toContain("restore the Secret");
});

test("with Retain, an ArchiveNode of the same name takes the identity up again", async () => {
  await world.ready("gamma");
  const nodeID = (await world.node("gamma"))?.status?.nodeID;
  const uid = (await world.node("gamma"))?.metadata.uid;
  await world.remove("ArchiveNode", "gamma");
  await waitUntil(
    "the StatefulSet to be collected",
    async () => (await world.get("StatefulSet", "gamma")) === undefined,
    DEADLINE,
  );
  expect(await world.get("Secret", "gamma-identity")).toBeDefined();
  await world.ready("gamma");
  expect((await world.node("gamma"))?.metadata.uid).not.toBe(uid);
  expect((await world.node("gamma"))?.status?.nodeID).toBe(nodeID);
});

test("with Delete, the identity goes with the node", async () => {
  await world.create("delta", { storage: { retention: "Delete" } });
  await world.ready("delta");
  await world.remove("ArchiveNode", "delta");
  await waitUntil(
    "the identity to be collected",
    async () => (await world.get("Secret", "delta-identity")) === undefined,
    DEADLINE,
  );
});
