/** A user's change overtakes thousands of keys that a start has queued, against a real API server. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../operator/src/kube/clock.ts";
import { NO_CONTROLLER_METRICS } from "../../operator/src/runtime/controller-metrics.ts";
import { SILENT } from "../../operator/src/runtime/log.ts";
import { createManager, source } from "../../operator/src/runtime/manager.ts";
import { DONE } from "../../operator/src/runtime/reconciler.ts";
import { createReflector } from "../../operator/src/runtime/reflector.ts";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { CONFIG_MAPS } from "../testkit/kube-connection.ts";
import { type ConfigMap, proxiedNamespace } from "../testkit/proxied-namespace.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const DEADLINE = { deadlineMs: 40_000 };
/** Each object stands for this many keys, so that 10,000 of them wait without 10,000 objects. */
const KEYS_PER_OBJECT = 100;
const OBJECTS = 100;
const WORKERS = 8;
/** The others are kept for changes. */
const WORKERS_FOR_FIRST_LIST = WORKERS / 2;
let server: ApiServer;

beforeAll(async () => {
  server = await startApiServer({ mayBeGiven: true, signal: AbortSignal.timeout(150_000) });
});
afterAll(async () => {
  await server.stop();
});

function keysOf({ metadata }: ConfigMap) {
  const { namespace, name } = metadata;
  if (name === "users") return [{ namespace, name }];
  return Array.from({ length: KEYS_PER_OBJECT }, (_, index) => ({ namespace, name: `${name}-${index}` }));
}

test(`a user's change is worked at once though ${OBJECTS * KEYS_PER_OBJECT} keys of the first list wait`, async () => {
  await using world = await proxiedNamespace(server);
  const { namespace, past, signal } = world;
  const create = (name: string) =>
    past.create(CONFIG_MAPS, { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace } }, signal);
  await Promise.all([...Array.from({ length: OBJECTS }, (_, index) => create(`many-${index}`)), create("users")]);

  const { client } = await world.another();
  const common = { clock: systemClock, log: SILENT };
  const manager = createManager({ ...common, metrics: NO_CONTROLLER_METRICS, random: Math.random });
  const reflector = manager.addReflector(
    createReflector<ConfigMap>({ ...common, client, namespace, resource: CONFIG_MAPS }),
  );
  const order: string[] = [];
  const opened = Promise.withResolvers<void>();
  manager.addController({
    name: "test",
    workers: WORKERS,
    reconcile: async ({ name }) => {
      order.push(name);
      await opened.promise;
      return DONE;
    },
    sources: [source({ reflector, keysOf, priority: 100 })],
  });
  const stop = new AbortController();
  const running = manager.run(stop.signal);
  const isBusy = () => order.length === WORKERS_FOR_FIRST_LIST;
  await waitUntil("half of the workers to be busy with keys of the first list", isBusy, DEADLINE);
  expect(order).not.toContain("users");

  await past.patch<ConfigMap>(
    { resource: CONFIG_MAPS, key: { namespace, name: "users" } },
    { data: { changed: "by a user" } },
    { contentType: "application/merge-patch+json", fieldManager: "user" },
    signal,
  );
  // Nothing in hand is finished before `opened`.
  await waitUntil("the change to be worked", () => order.includes("users"), DEADLINE);
  expect(order.indexOf("users")).toBe(WORKERS_FOR_FIRST_LIST);
  opened.resolve();
  await waitUntil("all keys to be worked", () => order.length > OBJECTS * KEYS_PER_OBJECT, DEADLINE);
  stop.abort();
  await running;
});
