/** Wires the controllers to caches, writers and the pods' admin ports. Part of the composition root. */
import { type ArchiveNode, FIELD_MANAGERS } from "@archivestream/crds";
import { PORTS } from "@archivestream/node/contract";
import { createAnnouncedStatus } from "./announced-status.ts";
import { applyChild, type ChildrenDeps, removeChild } from "./controllers/archive-node/children.ts";
import { DocumentIssuer } from "./controllers/archive-node/documents.ts";
import type { OperatorSettings } from "./controllers/archive-node/effective.ts";
import { type NodeCaches, observe, storedDocuments } from "./controllers/archive-node/observe.ts";
import type { PeeringInput } from "./controllers/archive-node/peering.ts";
import { createArchiveNodeReconciler } from "./controllers/archive-node/reconciler.ts";
import { volumeDeps } from "./controllers/archive-node/volume-client.ts";
import { carryOutGrowth } from "./controllers/archive-node/volume-effects.ts";
import type { Caches } from "./controllers/caches.ts";
import { FactBoard } from "./controllers/facts.ts";
import { nodeFederation } from "./controllers/federation-content.ts";
import { FederationBoard } from "./controllers/federation-facts.ts";
import { createFederationPeerReconciler } from "./controllers/federation-peer/reconciler.ts";
import { Neighbourhoods } from "./controllers/neighbourhoods.ts";
import { AuthorityKeeper } from "./controllers/node-identity/authority-keeper.ts";
import { createNodeIdentityReconciler, type SecretStore } from "./controllers/node-identity/reconciler.ts";
import { secretStore } from "./controllers/node-identity/secret-store.ts";
import { SecretWatch, WATCHED_SECRETS } from "./controllers/node-identity/secret-watch.ts";
import { keyText, type ObjectMetadata } from "./controllers/objects.ts";
import { type KnownKind, RESOURCES, resourceOf } from "./controllers/resource-types.ts";
import { createSyncPolicyReconciler } from "./controllers/sync-policy/reconciler.ts";
import { AllowLists } from "./controllers/trust/allow-lists.ts";
import { childSources, concernedSources, keySources, nodeSources, ownSources } from "./controllers/watches.ts";
import { createApply } from "./kube/apply.ts";
import type { KubeClient } from "./kube/client.ts";
import { type Clock, pause } from "./kube/clock.ts";
import type { KubeMetrics } from "./kube/metrics.ts";
import type { KubeObject, ObjectKey } from "./kube/objects.ts";
import { createStatusWriter, type WriteStatus } from "./kube/status.ts";
import { AdminClient } from "./node-admin/client.ts";
import { ADMIN_PACE, Pace, paced } from "./node-admin/pace.ts";
import { AdminPoller } from "./node-admin/poller.ts";
import { createPolledPods } from "./polled-pods.ts";
import type { RecordEvent } from "./runtime/event-recorder.ts";
import type { Log } from "./runtime/log.ts";
import type { BoundSource, Manager } from "./runtime/manager.ts";
import { DONE, type Reconciler } from "./runtime/reconciler.ts";
import { createReflector } from "./runtime/reflector.ts";

export interface ControllersDeps {
  readonly manager: Manager;
  readonly client: KubeClient;
  readonly caches: Caches;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: KubeMetrics;
  readonly recordEvent: RecordEvent;
  readonly settings: OperatorSettings;
  readonly className: string;
  readonly workers: number;
  readonly resyncMs: number;
  /** Port of the pods' admin server; tests stand in for pods on another one. */
  readonly adminPort?: number;
}

/** A kind that was installed after the operator is noticed by its cache; then every node gets its share. */
const KIND_LOOK_MS = 2_000;
const POLL_TICK_MS = 500;
const METADATA_OF_SECRETS = {
  resource: RESOURCES.Secret,
  metadataOnly: true,
  fieldSelector: WATCHED_SECRETS,
} as const;

export function addControllers(deps: ControllersDeps): void {
  const { manager, caches, client, clock, resyncMs } = deps;
  const now = () => new Date(clock.now());
  const isOurs = (node: ArchiveNode) => (node.spec.className ?? "") === deps.className;
  const archiveNodes = {
    get: (key: ObjectKey) => {
      const node = caches.archiveNodes.get(key);
      return node !== undefined && isOurs(node) ? node : undefined;
    },
  };
  const secrets = secretStore(client, clock, (key) => caches.secrets.get(key)?.metadata as ObjectMetadata | undefined);
  const watch = new SecretWatch({
    reflector: (namespace) => createReflector({ ...METADATA_OF_SECRETS, client, clock, log: deps.log, namespace }),
    changed: (node) => identities.enqueue(node, 0),
  });
  manager.addBackground({ name: "secret-watch", run: (signal) => watch.run(signal) });
  // Facts come from running controllers only, so `nodes` is there when the first one arrives.
  const facts = new FactBoard((node) => nodes.enqueue(parse(node), 0));
  const keeper = addKeeper(deps, secrets, (node) => identities.enqueue(node, -100));
  const issuer = new DocumentIssuer();
  const board = new FederationBoard((node) => nodes.enqueue(parse(node), 0));
  const neighbourhoods = new Neighbourhoods(caches, isOurs);
  const allowLists = addAllowLists(deps, secrets, (node) => nodes.enqueue(node, 0));
  const peering = async (node: ArchiveNode, signal: AbortSignal) => {
    const allowed = await allowLists.of(node, signal);
    const neighbourhood = neighbourhoods.of(node.metadata.namespace);
    const federation = nodeFederation(node, neighbourhood, allowed.nodeIDs);
    return { node, neighbourhood, federation, allowed, reports: board.of(keyText(node.metadata)) };
  };
  const forget = (node: ObjectKeyInNamespace) => {
    facts.forget(keyText(node));
    board.forget(keyText(node));
    allowLists.forget(node);
  };
  const nodesOf = (namespace: string) => neighbourhoods.nodes(namespace).map(({ metadata }) => metadata);
  const add = (name: string, kind: KnownKind, reconcile: Recheck, sources: readonly BoundSource[]) => {
    const object = (key: ObjectKey) => caches.of(kind)?.get(key);
    return manager.addController({ name, object, reconcile: asReconciler(reconcile), sources, workers: deps.workers });
  };

  const nodes = add(
    "archive-node",
    "ArchiveNode",
    archiveNodeReconciler(deps, { archiveNodes, facts, issuer, peering, forget, now }),
    [
      ...ownSources(caches, "ArchiveNode", resyncMs),
      ...childSources(caches),
      ...concernedSources(caches, "FederationPeer", nodesOf),
      ...concernedSources(caches, "SyncPolicy", nodesOf),
      ...nodeSources(caches, "identity", (namespace) =>
        neighbourhoods.hasReferences(namespace) ? nodesOf(namespace) : [],
      ),
    ],
  );
  const identities = add(
    "node-identity",
    "ArchiveNode",
    createNodeIdentityReconciler({
      archiveNodes,
      secrets,
      watch,
      authority: () => keeper.authority,
      // A node without an admin certificate waits for ever: whoever looks at it should see why.
      putIdentity: (node, fact) => facts.putIdentity(node, fact.state === "present" ? (keeper.blocked ?? fact) : fact),
      now,
    }),
    [...ownSources(caches, "ArchiveNode", resyncMs), ...keySources(caches)],
  );
  add(
    "federation-peer",
    "FederationPeer",
    createFederationPeerReconciler({
      peers: caches.federationPeers,
      writeStatus: orPutOff(statusWriter(deps, "FederationPeer")),
      now,
    }),
    ownSources(caches, "FederationPeer", resyncMs),
  );
  add(
    "sync-policy",
    "SyncPolicy",
    createSyncPolicyReconciler({
      policies: caches.syncPolicies,
      writeStatus: orPutOff(statusWriter(deps, "SyncPolicy")),
      now,
    }),
    ownSources(caches, "SyncPolicy", resyncMs),
  );
  addPolling(deps, { archiveNodes, keeper, facts, issuer });
  followOptionalKinds(deps, (node) => nodes.enqueue(node, -100));
}

/** @param wake - called for the node whose list changed */
function addAllowLists(deps: ControllersDeps, { read }: SecretStore, wake: (node: ObjectKey) => void): AllowLists {
  const { manager, client, clock, log } = deps;
  const watch = new SecretWatch({
    reflector: (namespace) => createReflector({ ...METADATA_OF_SECRETS, client, clock, log, namespace }),
    changed: wake,
  });
  manager.addBackground({ name: "allow-list-watch", run: (signal) => watch.run(signal) });
  return new AllowLists({ read, watch });
}

/** @param wake - called for every node when the CA is another one */
function addKeeper(
  { manager, caches, clock, log, settings }: ControllersDeps,
  secrets: SecretStore,
  wake: (node: ObjectKey) => void,
): AuthorityKeeper {
  const keeper = new AuthorityKeeper({
    secrets,
    namespace: settings.operatorNamespace,
    changed: () => {
      for (const node of caches.archiveNodes.list()) wake(node.metadata);
    },
    failed: (error) => log.warn({ err: error }, "the operator's CA cannot be brought up to date"),
    clock,
    random: Math.random,
  });
  manager.addBackground({ name: "authority", run: (signal) => keeper.run(signal) });
  return keeper;
}

/** A kind that was installed after the operator gives every node its share of it. */
function followOptionalKinds({ manager, caches, clock }: ControllersDeps, wake: (node: ObjectKey) => void): void {
  manager.addBackground({
    name: "optional-kinds",
    run: async (signal) => {
      let served = caches.of("ServiceMonitor")?.isServed ?? false;
      while (!signal.aborted) {
        await pause(clock, KIND_LOOK_MS, signal);
        const now = caches.of("ServiceMonitor")?.isServed ?? false;
        if (now && !served) for (const node of caches.archiveNodes.list()) wake(node.metadata);
        served = now;
      }
    },
  });
}

type Recheck = (key: ObjectKeyInNamespace, signal: AbortSignal) => Promise<number | undefined>;
type ObjectKeyInNamespace = { readonly namespace: string; readonly name: string };

function asReconciler(recheck: Recheck): Reconciler {
  return async ({ namespace = "", name }, signal) => {
    const delayMs = await recheck({ namespace, name }, signal);
    return delayMs === undefined ? DONE : { kind: "requeueAfter", delayMs };
  };
}

interface NodeParts {
  readonly archiveNodes: { get(key: ObjectKey): ArchiveNode | undefined };
  readonly facts: FactBoard;
  readonly issuer: DocumentIssuer;
  readonly peering: (node: ArchiveNode, signal: AbortSignal) => Promise<PeeringInput>;
  readonly forget: (node: ObjectKeyInNamespace) => void;
  readonly now: () => Date;
}

function archiveNodeReconciler(deps: ControllersDeps, parts: NodeParts): Recheck {
  const { caches, client, clock, metrics, log } = deps;
  const { archiveNodes, facts, issuer, peering, forget, now } = parts;
  const apply = createApply({
    client,
    clock,
    metrics,
    resourceOf: (object) => resourceOf(object.kind),
    cached: (resource, key) => {
      const cache = caches.of(resource.kind);
      return cache === undefined ? undefined : { object: cache.get(key), metadataOnly: cache.metadataOnly };
    },
    drifted: ({ kind, metadata: { namespace, name } }, field) =>
      log.info({ kind, namespace, name, field }, "somebody changed a field of ours"),
  });
  const children: ChildrenDeps = { client, apply, cached: (resource, key) => caches.of(resource.kind)?.get(key) };
  const nodeCaches: NodeCaches = {
    ...caches,
    facts: (node) => facts.of(node),
    serviceMonitorExists: () => caches.of("ServiceMonitor")?.isServed ?? false,
  };
  const volumes = volumeDeps(client, archiveNodes);
  return createArchiveNodeReconciler({
    archiveNodes,
    observe: (node) => observe(node, nodeCaches),
    storedDocuments: (node) => storedDocuments(node, nodeCaches),
    issuer,
    peering,
    apply: (child, signal) => applyChild(children, child, signal),
    remove: (child, signal) => removeChild(children, child, signal),
    grow: (node, growth, signal) => carryOutGrowth(volumes, node, growth, signal),
    writeStatus: createAnnouncedStatus({ write: statusWriter(deps, "ArchiveNode"), announce: deps.recordEvent }),
    forget,
    settings: deps.settings,
    now,
  });
}

type Reporting = KubeObject & { readonly status?: object | undefined };

function statusWriter({ client, clock, metrics }: ControllersDeps, kind: KnownKind): WriteStatus<Reporting, object> {
  const options = { client, clock, metrics, resource: RESOURCES[kind], fieldManager: FIELD_MANAGERS.status };
  return createStatusWriter<Reporting, object>(options);
}

/** Answers with the time after which to come again when the write was put off. */
function orPutOff(write: WriteStatus<Reporting, object>) {
  return async (object: Reporting, status: object, signal: AbortSignal) => {
    const written = await write(object, status, signal);
    return written.outcome === "deferred" ? written.delayMs : undefined;
  };
}

interface PollingParts {
  readonly archiveNodes: NodeParts["archiveNodes"];
  readonly keeper: AuthorityKeeper;
  readonly facts: FactBoard;
  readonly issuer: DocumentIssuer;
}

function addPolling(deps: ControllersDeps, { archiveNodes, keeper, facts, issuer }: PollingParts): void {
  const { manager, caches, clock } = deps;
  const client = new AdminClient(() => keeper.credentials);
  const poller = new AdminPoller({
    client: paced(client, new Pace(clock, ADMIN_PACE)),
    pods: createPolledPods(
      { pods: caches.pods, nodes: archiveNodes, issued: (uid) => issuer.issued(uid) },
      deps.adminPort ?? PORTS.admin,
    ),
    report: (pod, report) => facts.putPod(pod.node, pod.podName, report),
    gone: (pod) => facts.dropPod(pod.node, pod.podName),
    nowMs: () => clock.monotonicMs(),
    random: Math.random,
    tickMs: POLL_TICK_MS,
  });
  manager.addBackground({
    name: "admin-poller",
    run: async (signal) => {
      await poller.run(signal);
      client.close();
    },
  });
}

function parse(node: string): ObjectKeyInNamespace {
  const [namespace = "", name = ""] = node.split("/");
  return { namespace, name };
}
