/** A status is written when it says something new, and no sooner than it must; counted at the proxy before a real API server. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { NO_KUBE_METRICS } from "../../operator/src/kube/metrics.ts";
import type { KubeObject, ResourceType } from "../../operator/src/kube/objects.ts";
import { createStatusWriter } from "../../operator/src/kube/status.ts";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { createFakeClock } from "../testkit/fake-clock.ts";
import { type ProxiedNamespace, proxiedNamespace } from "../testkit/proxied-namespace.ts";

let server: ApiServer;

beforeAll(async () => {
  server = await startApiServer({ mayBeGiven: true, signal: AbortSignal.timeout(150_000) });
});
afterAll(async () => {
  await server.stop();
});

const DEPLOYMENTS: ResourceType = {
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
  namespaced: true,
};

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly lastTransitionTime: string;
}

interface Deployment extends KubeObject {
  readonly status?: { readonly conditions?: readonly Condition[]; readonly readyReplicas?: number } | undefined;
}

/** A Deployment, as a kind with a status that no controller of this API server touches. */
async function statusWorld(world: ProxiedNamespace) {
  const clock = createFakeClock();
  const write = createStatusWriter<Deployment, NonNullable<Deployment["status"]>>({
    client: world.client,
    clock,
    metrics: NO_KUBE_METRICS,
    resource: DEPLOYMENTS,
    fieldManager: "archivestream-status",
  });
  const labels = { app: "subject" };
  const pod = { metadata: { labels }, spec: { containers: [{ name: "c", image: "example.test/none" }] } };
  await world.past.create(
    DEPLOYMENTS,
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "subject", namespace: world.namespace },
      spec: { selector: { matchLabels: labels }, template: pod },
    } as KubeObject,
    world.signal,
  );
  const live = async () => {
    const key = { namespace: world.namespace, name: "subject" };
    return (await world.past.get<Deployment>(DEPLOYMENTS, key, world.signal)) as Deployment;
  };
  const status = (ready: "True" | "False", reason: string, second: number): NonNullable<Deployment["status"]> => ({
    conditions: [
      {
        type: "Ready",
        status: ready,
        reason,
        lastTransitionTime: `2026-11-24T00:00:${String(second).padStart(2, "0")}Z`,
      },
    ],
  });
  return { clock, write, live, status };
}

test("a status that differs in times alone is not written, by a lagging, a fresh or a new writer", async () => {
  await using world = await proxiedNamespace(server);
  const { clock, write, live, status } = await statusWorld(world);
  const before = await live();
  expect(await write(before, status("False", "Starting", 1), world.signal)).toEqual({ outcome: "written" });
  expect(await write(before, status("False", "Starting", 2), world.signal)).toEqual({ outcome: "unchanged" });
  clock.advance(60_000);
  expect(await write(await live(), status("False", "Starting", 3), world.signal)).toEqual({ outcome: "unchanged" });
  const restarted = createStatusWriter<Deployment, NonNullable<Deployment["status"]>>({
    client: world.client,
    clock,
    metrics: NO_KUBE_METRICS,
    resource: DEPLOYMENTS,
    fieldManager: "archivestream-status",
  });
  expect(await restarted(await live(), status("False", "Starting", 4), world.signal)).toEqual({ outcome: "unchanged" });
  expect(world.proxy.writes.map(({ path }) => path.split("/").at(-1))).toEqual(["status"]);
});

test("changes within a second are gathered; a change of Ready is not held back", async () => {
  await using world = await proxiedNamespace(server);
  const { clock, write, live, status } = await statusWorld(world);
  await write(await live(), status("False", "Starting", 1), world.signal);
  clock.advance(400);
  expect(await write(await live(), status("False", "Pulling", 1), world.signal)).toEqual({
    outcome: "deferred",
    delayMs: 600,
  });
  expect(world.proxy.writes).toHaveLength(1);
  expect((await write(await live(), status("True", "Serving", 2), world.signal)).outcome).toBe("written");
  expect((await write(await live(), status("True", "Busy", 2), world.signal)).outcome).toBe("deferred");
  clock.advance(1_000);
  expect((await write(await live(), status("True", "Busy", 2), world.signal)).outcome).toBe("written");
  expect((await live()).status?.conditions?.[0]).toMatchObject({ status: "True", reason: "Busy" });
});

test("a status that somebody else changed is written again; one of an earlier incarnation is refused", async () => {
  await using world = await proxiedNamespace(server);
  const { clock, write, live, status } = await statusWorld(world);
  const before = await live();
  await write(before, status("True", "Serving", 1), world.signal);
  await world.past.patch(
    { resource: DEPLOYMENTS, key: { namespace: world.namespace, name: "subject" } },
    { status: { conditions: null } },
    { contentType: "application/merge-patch+json", fieldManager: "somebody", subresource: "status" },
    world.signal,
  );
  clock.advance(1_000);
  expect((await write(await live(), status("True", "Serving", 1), world.signal)).outcome).toBe("written");
  expect((await live()).status?.conditions).toHaveLength(1);
  const earlier = { ...before, metadata: { ...before.metadata, uid: "00000000-0000-4000-8000-000000000000" } };
  await expect(write(earlier, status("False", "Gone", 2), world.signal)).rejects.toMatchObject({ code: "CONFLICT" });
});
