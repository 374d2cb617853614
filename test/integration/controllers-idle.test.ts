/** Steady state costs nothing: an operator with fifty nodes writes nothing while resyncs pass. */
import type { ArchiveNode } from "@archivestream/crds";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RESOURCES } from "../../operator/src/controllers/resource-types.ts";
import type { KubeClient } from "../../operator/src/kube/client.ts";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { startApiServerProxy } from "../testkit/api-server-proxy.ts";
import { connectTo } from "../testkit/kube-connection.ts";
import {
  newNode,
  operatorRequests,
  prepareCluster,
  put,
  type RunningOperator,
  startOperator,
  writesOf,
} from "../testkit/operator-under-test.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const NODES = 50;
const NAMESPACE = "many";
/** Instead of 30 minutes, so that several pass while the test looks. */
const RESYNC_MS = 2_000;
const RESYNCS = 5;
const signal = AbortSignal.timeout(600_000);
const cleanUp = new AsyncDisposableStack();
let server: ApiServer;
let admin: KubeClient;
let operator: RunningOperator;

beforeAll(async () => {
  server = await startApiServer({ controllerManager: true, auditLog: true, signal: AbortSignal.timeout(150_000) });
  cleanUp.defer(() => server.stop());
  admin = cleanUp.use(connectTo(cleanUp.use(await startApiServerProxy(server)).url)).client;
  await prepareCluster(admin, signal);
  await put(admin, { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } }, signal);
  operator = cleanUp.use(await startOperator({ server, admin, config: { resyncMs: RESYNC_MS } }));
});
afterAll(async () => {
  await cleanUp.disposeAsync();
});

/** Reconciles of ArchiveNodes so far, by the operator's own count. */
async function reconciles(): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${operator.healthPort()}/metrics`)).text();
  const counts = text.matchAll(/^controller_runtime_reconcile_total\{controller="archive-node",[^}]*\} (\d+)/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

test(`no write for ${NODES} ready nodes while ${RESYNCS} resyncs pass`, async () => {
  for (let index = 0; index < NODES; index++) {
    await admin.create(RESOURCES.ArchiveNode, newNode(NAMESPACE, `node-${index}`) as ArchiveNode & KubeObject, signal);
  }
  const everyoneReady = async () => {
    const { items } = await admin.list<ArchiveNode & KubeObject>(
      RESOURCES.ArchiveNode,
      { namespace: NAMESPACE },
      signal,
    );
    return (
      items.filter((node) => node.status?.conditions?.some((one) => one.type === "Ready" && one.status === "True"))
        .length === NODES
    );
  };
  await waitUntil("all nodes to be ready", everyoneReady, { deadlineMs: 150_000 });
  let writes = -1;
  let from = 0;
  await waitUntil(
    `${RESYNCS} resyncs without a write`,
    async () => {
      const now = writesOf(await operatorRequests(server)).length;
      const done = await reconciles();
      if (now !== writes) from = done;
      writes = now;
      return done - from >= RESYNCS * NODES;
    },
    { deadlineMs: 120_000 },
  );
  // Once silent, always silent: as many resyncs again.
  const start = await reconciles();
  await waitUntil("as many resyncs again", async () => (await reconciles()) - start >= RESYNCS * NODES, {
    deadlineMs: 120_000,
  });
  expect(writesOf(await operatorRequests(server)).slice(writes)).toEqual([]);
});
