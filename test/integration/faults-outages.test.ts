/** The control plane goes away: API server hung or killed, etcd killed, the operator killed between two writes. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import { LEASES, type Lease } from "../../operator/src/runtime/lease.ts";
import { type ArchiveWorld, archiveWorld } from "../testkit/archive-world.ts";
import { OPERATOR_NAMESPACE, OPERATOR_USER, startStandIn } from "../testkit/operator-under-test.ts";
import { type SupervisedOperator, superviseOperator } from "../testkit/supervised-operator.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const FULL = process.env["ARCHIVE_TEST_FULL"] === "1";
/** Longer than the renew deadline (10 s) and the lease (15 s). */
const OUTAGE_MS = FULL ? 60_000 : 20_000;
/** Below the renew deadline, with time left to renew on a busy machine. */
const STALL_MS = 4_000;
const WAIT = { deadlineMs: 120_000 };
const cleanUp = new AsyncDisposableStack();
let world: ArchiveWorld;
let operator: SupervisedOperator;

beforeAll(async () => {
  world = cleanUp.use(await archiveWorld({ namespace: "outages", deadlineMs: WAIT.deadlineMs }));
  const { adminPort } = cleanUp.use(await startStandIn(world.admin));
  const kubeconfig = await world.server.userKubeconfig(OPERATOR_USER, []);
  operator = cleanUp.use(await superviseOperator({ kubeconfig, adminPort }));
  await world.ready("alpha", "beta");
});
afterAll(async () => {
  await cleanUp.disposeAsync();
});

const passed = (sinceMs: number, durationMs: number) => performance.now() - sinceMs >= durationMs;
const lease = () =>
  world.admin.get<Lease>(LEASES, { namespace: OPERATOR_NAMESPACE, name: "archive-operator" }, world.signal);
const leads = async () =>
  (await operator.get("/metrics")).text.includes('leader_election_master_status{name="archive-operator"} 1');
/** Ready, leading, and the record in the cluster names the process that runs now. */
const leader = () =>
  waitUntil(
    "an operator that leads",
    async () => {
      const [found, { status }, leading] = [await lease(), await operator.get("/readyz"), await leads()];
      const isRunning = found?.spec?.holderIdentity?.startsWith(`operator-${operator.ends.length}_`);
      return status === 200 && leading && isRunning ? found : undefined;
    },
    WAIT,
  );

/** What is edited behind its back comes back, and what is new becomes ready. */
async function works(name: string): Promise<void> {
  await world.edit("Service", "alpha", { metadata: { labels: { "app.kubernetes.io/managed-by": "vandal" } } });
  await world.ready(name);
  const isRepaired = async () =>
    (await world.get("Service", "alpha"))?.metadata.labels?.["app.kubernetes.io/managed-by"] !== "vandal";
  await waitUntil("the label to be repaired", isRepaired, WAIT);
}

test("an API server that hangs for less than the renew deadline costs neither leadership nor a write", async () => {
  const before = await leader();
  const writes = await world.quiet();
  const sinceMs = performance.now();
  world.server.pause();
  await waitUntil("the stall to be over", () => passed(sinceMs, STALL_MS), WAIT);
  world.server.resume();
  const renewed = async () => (await lease())?.spec?.renewTime !== before.spec?.renewTime;
  await waitUntil("the lease to be renewed", renewed, WAIT);
  expect(operator.ends).toEqual([]);
  expect((await leader()).spec?.leaseTransitions).toBe(before.spec?.leaseTransitions);
  expect(await world.quiet()).toBe(writes);
});

test(`an API server that is gone for ${OUTAGE_MS / 1000} s ends the leader; its successor finds all in order and writes nothing`, {
  timeout: 3 * WAIT.deadlineMs,
}, async () => {
  const writes = await world.quiet();
  const identities = [(await world.node("alpha"))?.status?.nodeID, (await world.node("beta"))?.status?.nodeID];
  const sinceMs = performance.now();
  await world.server.kill("kube-apiserver");
  await waitUntil("the leader to give up", () => operator.ends.length === 1, WAIT);
  expect(operator.ends).toEqual([1]);
  // Losing takes the whole deadline: whoever gives up at the first failed renewal would restart for every hiccup.
  expect(performance.now() - sinceMs).toBeGreaterThan(5_000);
  const notReady = async () => (await operator.get("/readyz")).text;
  await waitUntil(
    "the next process to say what it lacks",
    async () => (await notReady()).includes("not listed yet"),
    WAIT,
  );
  expect((await operator.get("/healthz")).status).toBe(200);
  await waitUntil("the outage to be over", () => passed(sinceMs, OUTAGE_MS), WAIT);
  await world.server.startAgain("kube-apiserver", world.signal);
  await leader();
  expect(operator.ends).toEqual([1]); // whoever waits for an API server does not end
  expect(await world.quiet()).toBe(writes);
  await world.ready("alpha", "beta");
  expect([(await world.node("alpha"))?.status?.nodeID, (await world.node("beta"))?.status?.nodeID]).toEqual(identities);
  await works("gamma");
});

test("an etcd that was killed and comes back costs no object and no needless write", async () => {
  const writes = await world.quiet();
  await world.server.kill("etcd");
  const before = await failures();
  await waitUntil("the operator to notice", async () => (await failures()) > before, WAIT);
  await world.server.startAgain("etcd", world.signal);
  await leader();
  expect(await world.quiet()).toBe(writes);
  await works("delta");
});

/** Requests to the API server that the running process could not get through. */
async function failures(): Promise<number> {
  const { text } = await operator.get("/metrics");
  const counts = text.matchAll(/^rest_client_requests_total\{code="(?:<error>|5\d\d)"[^}]*\} (\d+)/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

test("an operator killed between two writes leaves nothing half-made: the next one makes each missing child once", async () => {
  const names = Array.from({ length: FULL ? 30 : 4 }, (_, index) => `killed-${index}`);
  const before = (await world.quiet()) + 8;
  const ended = operator.ends.length;
  for (const name of names) await world.create(name);
  await waitUntil("the operator to be in the middle", async () => (await world.writes()).length > before, WAIT);
  operator.kill();
  await waitUntil("it to be gone", () => operator.ends.length > ended, WAIT);
  expect(operator.ends.at(-1)).toBe("SIGKILL");
  const known = await Promise.all(
    names.map(async (name) => (await world.get("Secret", `${name}-identity`))?.metadata.uid),
  );
  await world.ready(...names);
  await world.quiet();
  const after = await Promise.all(
    names.map(async (name) => (await world.get("Secret", `${name}-identity`))?.metadata.uid),
  );
  expect(after.filter((uid, index) => known[index] !== undefined && known[index] !== uid)).toEqual([]);
  const made = (await world.writes())
    .filter((one) => one.responseStatus?.code === 201 && one.objectRef?.resource !== "events")
    .map(({ objectRef }) => `${objectRef?.resource}/${objectRef?.name}`)
    .filter((child) => child.includes("/killed-"));
  expect(made.length).toBeGreaterThan(8 * names.length);
  expect(made.filter((child, index) => made.indexOf(child) !== index)).toEqual([]);
  expect((await world.get<KubeObject>("StatefulSet", "killed-0"))?.metadata.generation).toBe(1);
});
