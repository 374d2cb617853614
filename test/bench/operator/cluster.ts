/**
 * What the operator's bench runs against: a real API server with its controller manager, and a stand-in for kubelet and
 * node program that reads from caches of its own, so that playing thousands of pods takes little from what is measured.
 */
import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LABELS } from "@archivestream/crds";
import { RESOURCES } from "../../../operator/src/controllers/resource-types.ts";
import { createKubeClient, type KubeClient } from "../../../operator/src/kube/client.ts";
import { systemClock } from "../../../operator/src/kube/clock.ts";
import { kubeconfigCredentials } from "../../../operator/src/kube/credentials.ts";
import { NO_KUBE_METRICS } from "../../../operator/src/kube/metrics.ts";
import type { KubeObject } from "../../../operator/src/kube/objects.ts";
import { createTransport } from "../../../operator/src/kube/transport.ts";
import { OPEN_FENCE } from "../../../operator/src/kube/write-fence.ts";
import { SILENT } from "../../../operator/src/runtime/log.ts";
import { createReflector, type Reflector } from "../../../operator/src/runtime/reflector.ts";
import { type ApiServer, startApiServer } from "../../cluster/api-server.ts";
import { CONFIG_MAPS } from "../../testkit/kube-connection.ts";
import { OPERATOR_USER, prepareCluster, put } from "../../testkit/operator-under-test.ts";
import type { StandInReader } from "../../testkit/pod-mounts.ts";
import { PodStandIn } from "../../testkit/pod-stand-in.ts";
import { tempDir } from "../../testkit/temp-dir.ts";
import { AuditTail } from "./audit.ts";

export const NAMESPACE = "bench";
export const RAW_NAMESPACE = "raw";
/** As many as the operator has workers. */
const WRITERS = 8;
const STAND_IN_PERIOD_MS = 250;

export interface Bench {
  readonly server: ApiServer;
  /** What the kubelet would mount for the operator. */
  readonly serviceAccountFolder: string;
  readonly admin: KubeClient;
  readonly audit: AuditTail;
  readonly signal: AbortSignal;
}

export async function startBench(signal: AbortSignal, cleanUp: AsyncDisposableStack): Promise<Bench> {
  const folder = cleanUp.use(await tempDir("bench")).path;
  const token = randomUUID();
  const tokens = join(folder, "tokens.csv");
  await writeFile(tokens, `${token},${OPERATOR_USER},${OPERATOR_USER}\n`);
  const server = await startApiServer({
    controllerManager: true,
    auditLog: true,
    apiServerFlags: [`--token-auth-file=${tokens}`],
    // The default of 20 requests a second for the StatefulSet controller would be all that is measured.
    controllerManagerFlags: ["--kube-api-qps=1000", "--kube-api-burst=2000", "--concurrent-statefulset-syncs=16"],
    signal,
  });
  cleanUp.defer(() => server.stop());
  await Promise.all([writeFile(join(folder, "token"), token), writeFile(join(folder, "ca.crt"), server.caPem)]);
  if (server.auditLogPath === undefined) throw new Error("requests are counted in the audit log of a server of ours");
  const transport = createTransport({
    credentials: kubeconfigCredentials(server.kubeconfigPath),
    userAgent: "operator-bench",
    fence: OPEN_FENCE,
    metrics: NO_KUBE_METRICS,
    clock: systemClock,
  });
  cleanUp.defer(() => transport.close());
  const admin = createKubeClient(transport);
  await prepareCluster(admin, signal);
  for (const name of [NAMESPACE, RAW_NAMESPACE])
    await put(admin, { apiVersion: "v1", kind: "Namespace", metadata: { name } }, signal);
  return { server, serviceAccountFolder: folder, admin, audit: new AuditTail(server.auditLogPath), signal };
}

/** What the API server takes from one client that only creates small objects, with nothing else to do. */
export async function rawWritesPerSecond({ admin, signal }: Bench, count: number): Promise<number> {
  const start = performance.now();
  await inParallel(count, async (index) => {
    const metadata = { namespace: RAW_NAMESPACE, name: `raw-${index}` };
    await admin.create(CONFIG_MAPS, { apiVersion: "v1", kind: "ConfigMap", metadata }, signal);
  });
  return count / secondsSince(start);
}

/** Plays the pods of a namespace until the signal ends it. */
export async function playPods({ admin, signal }: Bench, namespace: string) {
  const kinds = ["PersistentVolumeClaim", "Pod", "Secret", "ConfigMap"] as const;
  const reflectors = kinds.map((kind) =>
    createReflector<KubeObject>({
      client: admin,
      resource: RESOURCES[kind],
      clock: systemClock,
      log: SILENT,
      namespace,
      labelSelector: LABELS.node,
    }),
  );
  const watching = reflectors.map((reflector) => reflector.run(signal));
  const reader = readsFrom(reflectors);
  const pods = new PodStandIn({ client: admin, signal, concurrency: WRITERS, remount: false, reader });
  const adminPort = await pods.listen();
  const playing = (async () => {
    while (!signal.aborted) {
      await pods.step(namespace).catch(() => undefined); // objects change while it looks; the next look is soon
      await sleep(STAND_IN_PERIOD_MS, undefined, { signal }).catch(() => undefined);
    }
  })();
  return {
    adminPort,
    stop: async () => {
      await Promise.all([playing, ...watching]);
      await pods.close();
    },
  };
}

function readsFrom(reflectors: readonly Reflector<KubeObject>[]): StandInReader {
  const cacheOf = (kind: string) => reflectors.find(({ resource }) => resource.kind === kind)?.cache;
  // Each reflector keeps objects of the kind that is asked for.
  return {
    list: async <T extends KubeObject>({ kind }: { readonly kind: string }) =>
      (cacheOf(kind)?.list() ?? []) as readonly T[],
    get: async <T extends KubeObject>({ kind }: { readonly kind: string }, key: { readonly name: string }) =>
      cacheOf(kind)?.get(key) as T | undefined,
  };
}

export async function inParallel(count: number, work: (index: number) => Promise<void>): Promise<void> {
  const queue = Array.from({ length: count }, (_, index) => index).values();
  const worker = async () => {
    for (const index of queue) await work(index);
  };
  await Promise.all(Array.from({ length: WRITERS }, worker));
}

export const secondsSince = (start: number): number => (performance.now() - start) / 1_000;
