/** Composition root: the one place that knows every part of the operator. Makes them; starts nothing. */
import { randomUUID } from "node:crypto";
import { addControllers } from "./compose-controllers.ts";
import type { Config } from "./config/config.ts";
import { createCaches } from "./controllers/caches.ts";
import { createKubeClient, type KubeClient, type Written } from "./kube/client.ts";
import { type Clock, systemClock } from "./kube/clock.ts";
import { inClusterCredentials, kubeconfigCredentials } from "./kube/credentials.ts";
import { createKubeMetrics } from "./kube/metrics.ts";
import { OwnWrites } from "./kube/own-writes.ts";
import { createTransport, type Transport } from "./kube/transport.ts";
import { LeaseFence, OPEN_FENCE } from "./kube/write-fence.ts";
import { createObjectMetrics } from "./observability/object-metrics.ts";
import { createRegistry } from "./observability/registry.ts";
import { createAccessReview } from "./runtime/access-review.ts";
import { createControllerMetrics } from "./runtime/controller-metrics.ts";
import { createElectionMetrics } from "./runtime/election-metrics.ts";
import { createEventRecorder, EVENTS } from "./runtime/event-recorder.ts";
import { startHealthServer } from "./runtime/health-server.ts";
import { LEASE_TIMINGS, LeaderElector } from "./runtime/leader-election.ts";
import type { Log } from "./runtime/log.ts";
import { createManager } from "./runtime/manager.ts";
import { startMetricsServer } from "./runtime/metrics-server.ts";
import { createReflectorMetrics } from "./runtime/reflector-metrics.ts";
import { mountedCertificate, selfSignedCertificate } from "./serving-certificate.ts";

/** What tests replace. */
export interface Overrides {
  /** Port on which stand-ins for pods answer the admin contract. */
  readonly adminPort?: number;
  /** Whose wall time may jump. */
  readonly clock?: Clock;
  /** Longest wait before the start, milliseconds. */
  readonly startJitterMs?: number;
  /** Where the service account's token and CA lie. */
  readonly serviceAccountFolder?: string;
}

export interface Operator {
  /** Port of `/healthz` and `/readyz` once it runs; of `/metrics` too, unless that is on the secure port. */
  readonly healthPort: () => number | undefined;
  /** Port of `/metrics` over HTTPS, if there is one, once it runs. */
  readonly securePort: () => number | undefined;
  /** Runs until `signal` aborts. @throws {LeadershipLostError} exit at once */
  run(signal: AbortSignal): Promise<void>;
}

const LEASE_NAME = "archive-operator";
const REPORTER = "archivestream.io/operator";
const USER_AGENT = "archive-operator/0.1.0";
/** Operators of many clusters, or both replicas, restarted at once do not list at once. */
const START_JITTER_MS = 2_000;
const OPERATOR_POD_LABELS = { "app.kubernetes.io/name": "archive-operator" };

export function compose(config: Config, log: Log, overrides: Overrides = {}): Operator {
  const clock = overrides.clock ?? systemClock;
  const registry = createRegistry();
  const metrics = createKubeMetrics(registry);
  const fence = config.leaderElection ? new LeaseFence(clock, LEASE_TIMINGS.renewDeadlineMs) : undefined;
  const credentials =
    config.inClusterServer === undefined
      ? kubeconfigCredentials(config.kubeconfigPath)
      : inClusterCredentials(config.inClusterServer, overrides.serviceAccountFolder);
  const transport = createTransport({ credentials, userAgent: USER_AGENT, fence: fence ?? OPEN_FENCE, metrics, clock });
  const ownWrites = new OwnWrites();
  const client = createKubeClient(transport, (written) => noteWrite(log, ownWrites, written));
  const recordEvent = createEventRecorder({ client, clock, log, controller: REPORTER, instance: config.podName });
  const elector = fence === undefined ? undefined : electorFor(config, { client, clock, log, fence, registry });
  const manager = createManager({
    clock,
    log,
    metrics: createControllerMetrics(registry),
    random: Math.random,
    ownWrites,
    recordEvent,
    elector,
    startJitterMs: overrides.startJitterMs ?? START_JITTER_MS,
  });
  const namespaces = config.watchNamespaces;
  const caches = createCaches({ client, clock, log, metrics: createReflectorMetrics(registry), namespaces });
  for (const reflector of caches.reflectors) manager.addReflector(reflector);
  createObjectMetrics(registry, {
    archiveNodes: () => caches.archiveNodes.list().filter((node) => (node.spec.className ?? "") === config.className),
    federationPeers: () => caches.federationPeers.list(),
    syncPolicies: () => caches.syncPolicies.list(),
  });
  addControllers({
    manager,
    client,
    caches,
    clock,
    log,
    metrics,
    recordEvent,
    settings: {
      nodeRepository: config.nodeImage,
      nodeVersion: config.nodeVersion,
      nodePullPolicy: config.nodePullPolicy,
      operatorNamespace: config.namespace,
      operatorPodLabels: OPERATOR_POD_LABELS,
    },
    className: config.className,
    workers: config.workers,
    resyncMs: config.resyncMs,
    ...(overrides.adminPort === undefined ? {} : { adminPort: overrides.adminPort }),
  });
  return operatorOf(config, { manager, registry, transport, client, clock, log });
}

/** One line per change. What a status says is in the object, and what is new in it in Events. */
function noteWrite(log: Log, ownWrites: OwnWrites, { verb, kind, key, object }: Written): void {
  if (object !== undefined) ownWrites.note(object);
  if (kind === EVENTS.kind) return;
  const { uid, generation } = object?.metadata ?? {};
  log[verb === "status" ? "debug" : "info"]({ verb, kind, ...key, uid, generation }, "changed");
}

interface ElectorParts {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly fence: LeaseFence;
  readonly registry: ReturnType<typeof createRegistry>;
}

function electorFor(config: Config, { registry, ...parts }: ElectorParts): LeaderElector {
  return new LeaderElector({
    ...parts,
    namespace: config.namespace,
    name: config.className === "" ? LEASE_NAME : `${LEASE_NAME}-${config.className}`,
    identity: `${config.podName}_${randomUUID()}`,
    metrics: createElectionMetrics(registry, LEASE_NAME),
  });
}

interface RunParts {
  readonly manager: ReturnType<typeof createManager>;
  readonly registry: ReturnType<typeof createRegistry>;
  readonly transport: Transport;
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
}

function operatorOf(config: Config, parts: RunParts): Operator {
  const { manager, registry, transport } = parts;
  let port: number | undefined;
  let securePort: number | undefined;
  return {
    healthPort: () => port,
    securePort: () => securePort,
    run: async (signal) => {
      await using health = await startHealthServer({
        host: config.metricsHost,
        port: config.metricsPort,
        live: () => manager.live(),
        ready: () => manager.ready(),
        metrics: config.metricsSecurePort === undefined ? registry : undefined,
      });
      port = health.port;
      await using secure = await startSecureMetrics(config, parts);
      securePort = secure?.port;
      try {
        await manager.run(signal);
      } finally {
        await transport.close();
      }
    },
  };
}

async function startSecureMetrics(config: Config, { client, clock, log, registry }: RunParts) {
  if (config.metricsSecurePort === undefined) return undefined;
  const folder = config.metricsCertificateFolder;
  return startMetricsServer({
    host: config.metricsHost,
    port: config.metricsSecurePort,
    metrics: registry,
    review: createAccessReview({
      client,
      clock,
      failed: (error) => log.warn({ err: error }, "nobody can be given metrics: a review failed"),
    }),
    certificate:
      folder === undefined
        ? selfSignedCertificate("archive-operator-metrics", () => new Date(clock.now()))
        : mountedCertificate(folder),
    certificateFailed: (error) => log.warn({ err: error }, "the certificate of the metrics port cannot be read"),
  });
}
