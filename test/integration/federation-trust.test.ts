/**
 * Whom a node trusts, against a real API server: allow lists in Secrets and approved peers become the entries of its trust
 * document, in seconds; a list that is lost shuts out nobody; a pod that lags is named.
 *
 * The operator looks at everything again only every half an hour here, and pods are handed documents by nobody else: what
 * arrives in seconds has come by the watch of the Secret and by the admin port.
 */
import type { FederationPeer } from "@archivestream/crds";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import { type ArchiveWorld, archiveWorld } from "../testkit/archive-world.ts";
import { reportCalm } from "../testkit/calm-federation.ts";
import { type FederationObjects, federationObjects } from "../testkit/federation-objects.ts";
import { type RunningOperator, startOperator } from "../testkit/operator-under-test.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const DEADLINE = { deadlineMs: 60_000 };
/** Seconds, not the minute in which a kubelet brings a changed Secret, and not the next resync. */
const SOON = { deadlineMs: 20_000 };
const NAMESPACE = "trusting";
const [A, B, C, D] = ["a", "b", "c", "d"].map((digit) => digit.repeat(64)) as [string, string, string, string];
const cleanUp = new AsyncDisposableStack();
let world: ArchiveWorld;
let objects: FederationObjects;
let operator: RunningOperator;

beforeAll(async () => {
  world = cleanUp.use(await archiveWorld({ namespace: NAMESPACE, ...DEADLINE }));
  objects = federationObjects(world);
  operator = cleanUp.use(await startOperator({ server: world.server, admin: world.admin, remount: false }));
  reportCalm(operator.standIn);
  await objects.allowList("partners", `# agreed in May\n${A}\n${B} # the library\n`);
  await objects.allowList("friends", `${B}\n${C}\n`);
  await world.create("alpha", {
    trust: { mode: "Private", allowListRefs: [{ name: "partners" }, { name: "friends" }] },
  });
  await world.ready("alpha");
});
afterAll(async () => {
  await cleanUp.disposeAsync();
});

const entries = async () => (await objects.trust("alpha")).entries.map(({ nodeID }) => nodeID);
const trustStatus = async () => (await world.node("alpha"))?.status?.trust;

/** Waits until the pods of alpha enforce exactly these ids, by the status. */
async function enforced(...ids: readonly string[]): Promise<void> {
  const isEnforced = async () => {
    const [{ sequence }, status] = [await objects.trust("alpha"), await trustStatus()];
    return (await entries()).join() === ids.join() && status?.observedSequence === sequence;
  };
  await waitUntil(`${ids.length} ids to be enforced`, isEnforced, SOON);
}

/** Waits for a reason of TrustSynced, and gives back the message. */
async function trustMessage(reason: string): Promise<string> {
  await world.reason("alpha", "TrustSynced", reason);
  return (await world.condition("alpha", "TrustSynced"))?.message ?? "";
}

test("lists that overlap become one entry for each id", async () => {
  await enforced(A, B, C);
  expect((await trustStatus())?.entries).toBe(3);
  expect(await trustMessage("Synced")).toMatch(/^all pods have sequence \d+$/);
});

test("a change in a Secret reaches the pods in seconds; an id goes when no list has it any more", async () => {
  await objects.allowList("partners", A);
  await world.quiet();
  expect(await entries()).toEqual([A, B, C]);
  await objects.allowList("friends", C);
  await enforced(A, C);
  await objects.allowList("friends", `${C}\n${D}`);
  await enforced(A, C, D);
});

test("an approved peer's object narrows what a list says of the same id; a blocked one revokes it", async () => {
  const pins = [`sha256:${"1".repeat(64)}`];
  const endpoints = [{ name: "main", url: "https://archive.example.org" }];
  await objects.peer("partner", { nodeID: A, endpoints, trust: { pins } });
  const pinned = async () => (await objects.trust("alpha")).entries.find(({ nodeID }) => nodeID === A);
  await waitUntil("the pins", async () => ((await pinned())?.pins.length ?? 0) > 0, SOON);
  const uid = (await world.get<FederationPeer & KubeObject>("FederationPeer", "partner"))?.metadata.uid;
  expect(await pinned()).toEqual({ nodeID: A, pins, peerUID: uid });
  await world.edit("FederationPeer", "partner", { spec: { admission: "Blocked" } });
  await enforced(C, D);
  expect((await objects.trust("alpha")).revoked).toEqual([A]);
  await world.remove("FederationPeer", "partner");
  await enforced(A, C, D);
});

test("a list that is damaged, of another type or gone is named, and shuts out nobody", async () => {
  await objects.allowList("friends", `${C}\nnot a node id\n`);
  expect(await trustMessage("SecretInvalid")).toContain("friends: line 2 is not a node id");
  await world.remove("Secret", "friends");
  expect(await trustMessage("SecretNotFound")).toContain("friends is not there; create it");
  await objects.allowList("friends", C, "Opaque");
  expect(await trustMessage("SecretInvalid")).toContain("its type is Opaque");
  expect(await entries()).toEqual([A, C, D]);
  expect((await world.condition("alpha", "Ready"))?.reason).toBe("TrustNotSynced");
});

test("after a restart a lost list still shuts out nobody, and an id leaves with the list that is in order", async () => {
  const writes = await world.quiet();
  await operator.restart();
  expect(await world.quiet()).toBe(writes);
  expect(await entries()).toEqual([A, C, D]);
  await objects.allowList("partners", B);
  await enforced(B, C, D);
  await world.remove("Secret", "friends");
  await objects.allowList("friends", D);
  await enforced(B, D);
  expect(await trustMessage("Synced")).toContain("all pods");
  await world.until("alpha", "Ready", "True");
});

test("a pod that does not take the document is named until it does", async () => {
  operator.standIn.held.add(`${NAMESPACE}/alpha-0`);
  await objects.peer("newcomer", { nodeID: C, endpoints: [{ name: "main", url: "https://new.example.org" }] });
  const { sequence } = (await waitUntil(
    "the entry",
    async () => {
      const document = await objects.trust("alpha");
      return document.entries.some(({ nodeID }) => nodeID === C) ? document : undefined;
    },
    SOON,
  )) as { sequence: number };
  const lag = `pod alpha-0 has sequence ${sequence - 1} of ${sequence}`;
  expect(await trustMessage("Propagating")).toContain(lag);
  expect(await trustStatus()).toMatchObject({ sequence, observedSequence: sequence - 1 });
  expect((await world.condition("alpha", "Ready"))?.message).toContain(lag);
  const trusted = async () => {
    const peer = await world.get<FederationPeer & KubeObject>("FederationPeer", "newcomer");
    return peer?.status?.conditions?.find(({ type }) => type === "Trusted")?.reason;
  };
  await waitUntil("the peer to tell it", async () => (await trusted()) === "Propagating", SOON);
  operator.standIn.held.clear();
  await enforced(B, C, D);
  await world.until("alpha", "Ready", "True");
  await waitUntil("the peer to be trusted", async () => (await trusted()) === "Trusted", SOON);
});
