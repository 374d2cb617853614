/**
 * The operator's wall clock jumps forward and back while everybody else's goes on: leadership, keys, certificates.
 *
 * Only what people read and what certificates say goes by the wall clock; everything the operator decides goes by the
 * monotonic one.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Clock, systemClock } from "../../operator/src/kube/clock.ts";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import { LEASES, type Lease } from "../../operator/src/runtime/lease.ts";
import { type ArchiveWorld, archiveWorld } from "../testkit/archive-world.ts";
import { OPERATOR_NAMESPACE, startOperator } from "../testkit/operator-under-test.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const WAIT = { deadlineMs: 120_000 };
const DAY_MS = 24 * 3_600_000;
/** Keys live 90 days and are renewed at two thirds of that. */
const AHEAD_MS = 70 * DAY_MS;
/** Instead of 30 minutes, so that the operator looks at everything while the test does. */
const RESYNC_MS = 4_000;
const cleanUp = new AsyncDisposableStack();
let world: ArchiveWorld;
let aheadMs = 0;
const clock: Clock = { ...systemClock, now: () => Date.now() + aheadMs };

beforeAll(async () => {
  world = cleanUp.use(await archiveWorld({ namespace: "clocks", deadlineMs: WAIT.deadlineMs }));
  const config = { leaderElection: true, resyncMs: RESYNC_MS };
  cleanUp.use(await startOperator({ server: world.server, admin: world.admin, config, clock }));
  await world.ready("alpha");
});
afterAll(async () => {
  await cleanUp.disposeAsync();
});

const certificate = async () => (await world.node("alpha"))?.status?.certificate;
const version = async (secret: string) => (await world.get<KubeObject>("Secret", secret))?.metadata.resourceVersion;
const lease = async () =>
  (await world.admin.get<Lease>(LEASES, { namespace: OPERATOR_NAMESPACE, name: "archive-operator" }, world.signal))
    ?.spec;

test("a clock that jumps ten weeks ahead renews each key once and costs no leadership; set right again, all is made valid again", async () => {
  const before = await certificate();
  const held = await lease();
  aheadMs = AHEAD_MS;
  await waitUntil("the keys to be renewed", async () => (await certificate())?.serial !== before?.serial, WAIT);
  const ahead = await certificate();
  await world.quiet();
  expect(await certificate()).toEqual(ahead);
  expect(await lease()).toMatchObject({
    holderIdentity: held?.holderIdentity,
    leaseTransitions: held?.leaseTransitions,
  });

  aheadMs = 0;
  // What was made in the future is not valid yet: pods and operator would refuse each other for ten weeks.
  const isNow = async () => Date.parse((await certificate())?.notAfter ?? "") < Date.now() + 91 * DAY_MS;
  await waitUntil("keys that are valid today", isNow, WAIT);
  await world.ready("alpha");
  await world.quiet(); // the other Secret may follow a moment later
  const versions = await Promise.all([version("alpha-keys"), version("alpha-admin-tls")]);
  await world.quiet();
  expect(await Promise.all([version("alpha-keys"), version("alpha-admin-tls")])).toEqual(versions);
  expect((await lease())?.leaseTransitions).toBe(held?.leaseTransitions);
});
