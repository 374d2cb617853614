/** Events tell people and cost the API server little: series, budgets, lengths; counted at the proxy before a real one. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import { createEventRecorder, EVENTS } from "../../operator/src/runtime/event-recorder.ts";
import { SILENT } from "../../operator/src/runtime/log.ts";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { createFakeClock } from "../testkit/fake-clock.ts";
import { CONFIG_MAPS } from "../testkit/kube-connection.ts";
import { type ProxiedNamespace, proxiedNamespace } from "../testkit/proxied-namespace.ts";

let server: ApiServer;

beforeAll(async () => {
  server = await startApiServer({ mayBeGiven: true, signal: AbortSignal.timeout(150_000) });
});
afterAll(async () => {
  await server.stop();
});

/** Events about one ConfigMap, with a clock that the test moves. */
async function eventWorld(world: ProxiedNamespace) {
  const clock = createFakeClock();
  const record = createEventRecorder({
    client: world.client,
    clock,
    log: SILENT,
    controller: "archivestream.io/operator",
    instance: "operator-0",
  });
  const about = await world.past.create<KubeObject>(
    CONFIG_MAPS,
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "subject", namespace: world.namespace } },
    world.signal,
  );
  const tell = (note: string) =>
    record(about, { type: "Warning", reason: "Repaired", action: "Reconcile", note }, world.signal);
  const events = async () =>
    (await world.past.list<StoredEvent>(EVENTS, { namespace: world.namespace }, world.signal)).items;
  return { clock, about, tell, events };
}

interface StoredEvent extends KubeObject {
  readonly note: string;
  readonly series?: { readonly count: number };
  readonly regarding: { readonly uid?: string };
}

test("a repeated Event becomes a series that is written at most once a minute", async () => {
  await using world = await proxiedNamespace(server);
  const { clock, about, tell, events } = await eventWorld(world);
  for (let second = 0; second < 130; second++) {
    await tell("the Service was changed by somebody");
    clock.advance(1_000);
  }
  // The first, its first repetition, and one a minute.
  expect(world.proxy.writes.map(({ method }) => method)).toEqual(["POST", "PATCH", "PATCH", "PATCH"]);
  expect(await events()).toMatchObject([{ series: { count: 122 }, regarding: { uid: about.metadata.uid } }]);
  clock.advance(6 * 60_000);
  await tell("the Service was changed by somebody");
  expect(await events()).toHaveLength(2);
});

test("an object's Events are bounded by a burst and then a trickle; other objects have their own budget", async () => {
  await using world = await proxiedNamespace(server);
  const { clock, tell } = await eventWorld(world);
  for (let index = 0; index < 40; index++) await tell(`note ${index}`);
  expect(world.proxy.writes).toHaveLength(25);
  clock.advance(300_000);
  for (let index = 40; index < 50; index++) await tell(`note ${index}`);
  expect(world.proxy.writes).toHaveLength(26);
});

test("an Event that could not be written harms nothing, and its repetition is written whole", async () => {
  await using world = await proxiedNamespace(server);
  const { clock, tell, events } = await eventWorld(world);
  world.proxy.addFault({ matches: ({ method }) => method === "POST", fault: { kind: "answer", status: 500 } });
  await tell("lost");
  expect(await events()).toEqual([]);
  clock.advance(1_000);
  await tell("lost");
  expect(await events()).toHaveLength(1);
});

test("a note is cut at a character within the API's limit", async () => {
  await using world = await proxiedNamespace(server);
  const { tell, events } = await eventWorld(world);
  await tell("ü".repeat(2_000));
  const [event] = await events();
  expect(Buffer.byteLength(event?.note ?? "")).toBeGreaterThan(1_000);
  expect(event?.note).toMatch(/^ü+…$/);
});
