/** Wires the controllers to caches, writers and the pods' admin ports. Part of the composition root. */
import type { ArchiveNode } from "@archivestream/crds";
import { createAnnouncedStatus } from "./announced-status.ts";
import type { ControllersDeps, ObjectKeyInNamespace, Recheck } from "./compose-deps.ts";
import { addFederation } from "./compose-federation.ts";
import { addPolling } from "./compose-polling.ts";
import { statusWriter } from "./compose-status.ts";
import { applyChild, type ChildrenDeps, removeChild } from "./controllers/archive-node/children.ts";
import { DEPARTURE_LOOK_MS, Departures } from "./controllers/archive-node/departures.ts";
import { DocumentIssuer } from "./controllers/archive-node/documents.ts";
import { type NodeCaches, observe, storedDocuments } from "./controllers/archive-node/observe.ts";
import type { PeeringInput } from "./controllers/archive-node/peering.ts";
import { createArchiveNodeReconciler } from "./controllers/archive-node/reconciler.ts";
import { lastRefusal } from "./controllers/archive-node/refusal-events.ts";
import { volumeDeps } from "./controllers/archive-node/volume-client.ts";
import { carryOutGrowth } from "./controllers/archive-node/volume-effects.ts";
import { FactBoard } from "./controllers/facts.ts";
import { AuthorityKeeper } from "./controllers/node-identity/authority-keeper.ts";
import { createNodeIdentityReconciler, type SecretStore } from "./controllers/node-identity/reconciler.ts";
import { secretStore } from "./controllers/node-identity/secret-store.ts";
import { SecretWatch, WATCHED_SECRETS } from "./controllers/node-identity/secret-watch.ts";
import { keyText, type ObjectMetadata } from "./controllers/objects.ts";
import { type KnownKind, RESOURCES, resourceOf } from "./controllers/resource-types.ts";
import { childSources, keySources, ownSources } from "./controllers/watches.ts";
import { createApply } from "./kube/apply.ts";
import { pause } from "./kube/clock.ts";
import type { ObjectKey } from "./kube/objects.ts";
import type { BoundSource } from "./runtime/manager.ts";
import { DONE, type Reconciler } from "./runtime/reconciler.ts";
import { createReflector } from "./runtime/reflector.ts";

/** A kind that was installed after the operator is noticed by its cache; then every node gets its share. */
const KIND_LOOK_MS = 2_000;
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
  const secretWatch = (name: string, changed: (node: ObjectKeyInNamespace) => void) => {
    const watch = new SecretWatch({
      reflector: (namespace) => createReflector({ ...METADATA_OF_SECRETS, client, clock, log: deps.log, namespace }),
      changed,
    });
    manager.addBackground({ name, run: (signal) => watch.run(signal) });
    return watch;
  };
  const watch = secretWatch("secret-watch", (node) => identities.enqueue(node, 0));
  // Facts come from running controllers only, so these are there when the first one arrives.
  const facts = new FactBoard((node) => {
    nodes.enqueue(parse(node), 0);
    federation.wakeAround(node);
  });
  const keeper = addKeeper(deps, secrets, (node) => identities.enqueue(node, -100));
  const issuer = new DocumentIssuer();
  const departures = new Departures({ client, clock, claims: caches.claims, secrets: caches.secrets });
  departures.follow(caches.reflectorsOf("ArchiveNode"), isOurs, (node) => forget(inNamespace(node)));
  const add = (name: string, kind: KnownKind, reconcile: Recheck, sources: readonly BoundSource[]) => {
    const object = (key: ObjectKey) => caches.of(kind)?.get(key);
    const heldBack = kind === "ArchiveNode" ? facts.heldBackBy(name) : undefined;
    const options = { name, object, reconcile: asReconciler(reconcile), sources, workers: deps.workers };
    return manager.addController(heldBack === undefined ? options : { ...options, heldBack });
  };

  const federation = addFederation({
    ...{ deps, facts, issuer, isOurs, add, now },
    watch: secretWatch("allow-list-watch", (node) => nodes.enqueue(node, 0)),
    readSecret: (key, signal) => secrets.read(key, signal),
    wakeNode: (node) => nodes.enqueue(parse(node), 0),
  });
  const { board, hasPeering, peering } = federation;
  const forget = (node: ObjectKeyInNamespace) => {
    facts.forget(keyText(node));
    federation.forget(node);
  };
  const nodes = add(
    "archive-node",
    "ArchiveNode",
    archiveNodeReconciler(deps, { archiveNodes, facts, issuer, departures, peering, forget, now }),
    [...ownSources(caches, "ArchiveNode", resyncMs), ...childSources(caches), ...federation.nodeSources],
  );
  const identities = add(
    "node-identity",
    "ArchiveNode",
    identityReconciler({ archiveNodes, secrets, watch, keeper, facts, departures, now }),
    [...ownSources(caches, "ArchiveNode", resyncMs), ...keySources(caches)],
  );
  addPolling({ ...deps, archiveNodes, keeper, facts, board, issuer, hasPeering });
  followOptionalKinds(deps, (node) => nodes.enqueue(node, -100));
}

interface IdentityParts {
  readonly archiveNodes: NodeParts["archiveNodes"];
  readonly secrets: SecretStore;
  readonly watch: SecretWatch;
  readonly keeper: AuthorityKeeper;
  readonly facts: FactBoard;
  readonly departures: Departures;
  readonly now: () => Date;
}

function identityReconciler({ keeper, facts, departures, ...parts }: IdentityParts): Recheck {
  const reconcile = createNodeIdentityReconciler({
    ...parts,
    authority: () => keeper.authority,
    putIdentity: (node, fact) => {
      if (parts.archiveNodes.get(node)?.metadata.uid !== node.uid) return;
      // A node without an admin certificate waits for ever: whoever looks at it should see why.
      facts.putIdentity(keyText(node), fact.state === "present" ? (keeper.blocked ?? fact) : fact);
    },
  });
  return async (node, signal) => (departures.isUnderWay(node) ? DEPARTURE_LOOK_MS : reconcile(node, signal));
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

function asReconciler(recheck: Recheck): Reconciler {
  return async (key, signal) => {
    const delayMs = await recheck(inNamespace(key), signal);
    return delayMs === undefined ? DONE : { kind: "requeueAfter", delayMs };
  };
}

function inNamespace({ namespace = "", name }: ObjectKey): ObjectKeyInNamespace {
  return { namespace, name };
}

interface NodeParts {
  readonly archiveNodes: { get(key: ObjectKey): ArchiveNode | undefined };
  readonly facts: FactBoard;
  readonly issuer: DocumentIssuer;
  readonly departures: Departures;
  readonly peering: (node: ArchiveNode, signal: AbortSignal) => Promise<PeeringInput>;
  readonly forget: (node: ObjectKeyInNamespace) => void;
  readonly now: () => Date;
}

function archiveNodeReconciler(deps: ControllersDeps, parts: NodeParts): Recheck {
  const { caches, client, clock, metrics, log } = deps;
  const { archiveNodes, facts, issuer, departures, peering, forget, now } = parts;
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
    refusal: (missing, signal) => lastRefusal(client, missing, signal),
    storedDocuments: (node) => storedDocuments(node, nodeCaches),
    issuer,
    peering,
    apply: (child, signal) => applyChild(children, child, signal),
    remove: (child, signal) => removeChild(children, child, signal),
    grow: (node, growth, signal) => carryOutGrowth(volumes, node, growth, signal),
    writeStatus: createAnnouncedStatus({ write: statusWriter(deps, "ArchiveNode"), announce: deps.recordEvent }),
    forget,
    clearAway: (key, signal) => departures.carryOut(key, signal),
    settings: deps.settings,
    now,
  });
}

function parse(node: string): ObjectKeyInNamespace {
  const [namespace = "", name = ""] = node.split("/");
  return { namespace, name };
}
