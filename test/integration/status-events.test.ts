/** Events of an ArchiveNode tell each change once, also while the cache still shows the status from before. */
import type { ArchiveNode, ArchiveNodeStatus } from "@archivestream/crds";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createAnnouncedStatus } from "../../operator/src/announced-status.ts";
import { RESOURCES } from "../../operator/src/controllers/resource-types.ts";
import { systemClock } from "../../operator/src/kube/clock.ts";
import { NO_KUBE_METRICS } from "../../operator/src/kube/metrics.ts";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import { createStatusWriter } from "../../operator/src/kube/status.ts";
import { createEventRecorder, EVENTS } from "../../operator/src/runtime/event-recorder.ts";
import { SILENT } from "../../operator/src/runtime/log.ts";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { newNode, putKinds } from "../testkit/operator-under-test.ts";
import { type ProxiedNamespace, proxiedNamespace } from "../testkit/proxied-namespace.ts";

let server: ApiServer;

beforeAll(async () => {
  server = await startApiServer({ signal: AbortSignal.timeout(150_000) });
});
afterAll(async () => {
  await server.stop();
});

interface StoredEvent extends KubeObject {
  readonly note: string;
  readonly series?: { readonly count: number };
}

function announcing({ client, namespace, past, signal }: ProxiedNamespace) {
  const clock = systemClock;
  const recorder = { client, clock, log: SILENT, controller: "archivestream.io/operator", instance: "operator-0" };
  const writer = { client, clock, metrics: NO_KUBE_METRICS, resource: RESOURCES.ArchiveNode, fieldManager: "status" };
  return {
    write: createAnnouncedStatus({
      write: createStatusWriter({ ...writer, minIntervalMs: 0 }),
      announce: createEventRecorder(recorder),
    }),
    told: async () => {
      const { items } = await past.list<StoredEvent>(EVENTS, { namespace }, signal);
      return items.map(({ note, series }) => (series === undefined ? note : `${note} (${series.count} times)`)).sort();
    },
  };
}

function ready(status: "True" | "False", message: string): ArchiveNodeStatus {
  const reason = status === "True" ? "Ready" : "NotAvailable";
  const lastTransitionTime = "2026-11-24T00:00:00Z";
  return {
    version: { current: "1.0.0" },
    conditions: [{ type: "Ready", status, reason, message, lastTransitionTime, observedGeneration: 1 }],
  };
}

test("a status is announced when it was written, and not again while the cache lags", async () => {
  await using world = await proxiedNamespace(server);
  const { past, namespace, signal } = world;
  await putKinds(past, signal);
  const cached = await past.create(
    RESOURCES.ArchiveNode,
    newNode(namespace, "alpha") as ArchiveNode & KubeObject,
    signal,
  );
  const { write, told } = announcing(world);
  for (let look = 0; look < 3; look++) await write(cached, ready("True", "all is well"), signal);
  expect(await told()).toEqual(["Ready: all is well"]);
  await write(cached, ready("True", "all is very well"), signal);
  expect(await told()).toEqual(["Ready: all is well"]);
  for (let look = 0; look < 3; look++) await write(cached, ready("False", "0 of 1 pods ready"), signal);
  expect(await told()).toEqual(["Ready: 0 of 1 pods ready", "Ready: all is well"]);
});
