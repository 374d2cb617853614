/** Composition root of `archive-node serve`: the only file that wires the folders together. */
import type { Registry } from "prom-client";
import { AccessPolicy } from "./archive/access.ts";
import { openArchive } from "./archive/open-archive.ts";
import { composeFederation, type Federation } from "./compose-federation.ts";
import { type ComposedGossip, composeGossip } from "./compose-gossip.ts";
import { composeSearch } from "./compose-search.ts";
import type { LoadedConfig } from "./config/config.ts";
import { FileWatcher } from "./config/file-watcher.ts";
import { parseHostPort } from "./config/host-port.ts";
import { ControlServer } from "./control/control-server.ts";
import { createAdminApp } from "./http/admin-app.ts";
import { createAuthentication } from "./http/authenticate.ts";
import { Listener } from "./http/listener.ts";
import { createHttpMetrics, type HttpMetrics } from "./http/metrics.ts";
import { createMetricsApp } from "./http/metrics-app.ts";
import { createArchiveApp, createReplayApp, type PublicAppOptions } from "./http/public-app.ts";
import { UploadSlots } from "./http/upload-slots.ts";
import { IdentityRenewal } from "./identity/identity-renewal.ts";
import { LocalDocuments } from "./identity/local-documents.ts";
import { type NodeIdentity, openIdentity } from "./identity/node-identity.ts";
import type { Component } from "./lifecycle/component.ts";
import { NodeState } from "./lifecycle/node-state.ts";
import { nodeStatus } from "./node-status.ts";
import type { Logger } from "./observability/logging.ts";
import { createRegistry } from "./observability/registry.ts";
import { lockDataFolder } from "./storage/data-lock.ts";
import { createSyncMetrics, type SyncMetrics } from "./sync/metrics.ts";
import { createSync, type Sync } from "./sync/sync.ts";

/** Slowest upload: 16 KiB in each 20 s of waiting, so that a slot is not held by a drip. */
const UPLOAD_PACE = { windowMs: 20_000, windowBytes: 16 * 1024 };

export interface ComposedNode {
  /** In the order to start them. */
  readonly components: readonly Component[];
  readonly identity: NodeIdentity;
  readonly state: NodeState;
  /** `host:port` of the federation listener once it runs. */
  readonly boundTo: () => string;
  /** Refuses new uploads and waits for the running ones; true when all were finished in time. */
  readonly drain: (deadlineMs: number) => Promise<boolean>;
}

export async function composeNode(loaded: LoadedConfig, logger: Logger): Promise<ComposedNode> {
  const lock = lockDataFolder(loaded.config.dataDir);
  const now = () => new Date();
  const identity = await openIdentity(loaded, now);
  if (identity.token.trouble !== undefined) tellToken(logger, identity.token.trouble);
  const registry = createRegistry();
  const state = new NodeState();
  const slots = new UploadSlots(loaded.config.limits.concurrentUploads);
  const drain = (deadlineMs: number) => {
    state.become("Draining");
    return slots.idle(AbortSignal.timeout(deadlineMs));
  };
  const archive = openArchive({ config: loaded.config, logger, registry, state });
  const metrics = createHttpMetrics(registry);
  let boundTo = () => loaded.config.listen.federation;
  const peers = composeFederation({ loaded, logger, registry, identity, boundTo: () => boundTo() });
  const gossip = composeGossip({ loaded, logger, registry, identity, peers });
  const syncMetrics = createSyncMetrics(registry);
  const sync = createSync({
    ...{ config: loaded.config, nodeId: identity.keys().nodeId, archive: archive.services, calls: peers.links, logger },
    ...{ federation: () => identity.federation.current, metrics: syncMetrics },
  });
  const base = { loaded, logger, metrics, registry, state, slots, identity, archive, drain };
  const parts = { ...base, peers, gossip, sync, syncMetrics };
  const probes = await probeListener(parts);
  const { listeners, federation, admin } = await composeListeners(parts);
  boundTo = () => federation.boundTo;
  const watched = identity.watch({
    keysChanged: (keys) => {
      federation.useTls(keys.tls);
      logger.info({ certificateNotAfter: keys.tls.notAfter }, "keys reloaded");
    },
    adminTlsChanged: (tls) => admin?.useTls(tls),
    tokenChanged: (trouble) => tellToken(logger, trouble),
  });
  const watcher = new FileWatcher(watched, (error, files) =>
    logger.warn({ err: error, files }, "changed files not taken; the old ones stay in use"),
  );
  const renewal = loaded.embedded
    ? [new IdentityRenewal({ keys: loaded.config.files.keys, accessTokenFile: identity.tokenFile }, now, logger)]
    : [];
  return {
    // Probes are answered while the archive starts: after an unclean end that may take long, and is no reason to kill it.
    components: [
      lockComponent(lock),
      ...probes,
      archive,
      watcher,
      ...renewal,
      ...listeners,
      peers.component,
      gossip.component,
      sync,
      controlSocket(parts),
    ],
    identity,
    state,
    boundTo,
    drain,
  };
}

function tellToken(logger: Logger, trouble: string | undefined): void {
  if (trouble === undefined) logger.info("access token reloaded; the one before it is not accepted any more");
  else logger.warn({ trouble }, "no access token is accepted");
}

interface Parts {
  readonly loaded: LoadedConfig;
  readonly logger: Logger;
  readonly metrics: HttpMetrics;
  readonly registry: Registry;
  readonly state: NodeState;
  readonly slots: UploadSlots;
  readonly identity: NodeIdentity;
  readonly archive: ReturnType<typeof openArchive>;
  readonly drain: (deadlineMs: number) => Promise<boolean>;
  readonly peers: Federation;
  readonly gossip: ComposedGossip;
  readonly sync: Sync;
  readonly syncMetrics: SyncMetrics;
}

async function probeListener({ loaded, logger, metrics, registry, state }: Parts): Promise<readonly Listener[]> {
  const address = loaded.config.listen.metrics;
  if (address === undefined) return [];
  const app = await createMetricsApp({ logger, metrics, listener: "metrics", registry, state });
  return [new Listener("metrics", app, parseHostPort(address, "listen.metrics"))];
}

async function composeListeners(parts: Parts) {
  const { loaded, logger, metrics, state, identity } = parts;
  const { config } = loaded;
  const base = { logger, metrics };
  const shared: Omit<PublicAppOptions, "listener"> = {
    ...base,
    services: parts.archive.services,
    federated: composeSearch({
      ...{ services: parts.archive.services, identity, registry: parts.registry },
      peers: { calls: parts.peers.links, directory: parts.gossip.directory },
    }),
    nodeId: () => identity.keys().nodeId,
    access: new AccessPolicy(config.collections),
    callerOf: createAuthentication({
      isAccessToken: (offered) => identity.token.matches(offered),
      peerOf: (token, connection) => parts.peers.sessions.peerOf(token, connection),
    }),
    state,
    slots: parts.slots,
    body: { ...UPLOAD_PACE, maxBytes: config.limits.uploadBytes },
  };
  const at = (name: "replay" | "web" | "federation") => parseHostPort(config.listen[name] ?? "", `listen.${name}`);
  const listeners: Listener[] = [];
  const admin = await adminListener(parts, base);
  if (admin !== undefined) listeners.push(admin);
  if (config.listen.replay !== undefined) {
    const app = await createReplayApp({ ...shared, listener: "replay", behindProxy: true });
    listeners.push(new Listener("replay", app, at("replay")));
  }
  if (config.listen.web !== undefined) {
    const app = await createArchiveApp({ ...shared, listener: "web", behindProxy: true });
    listeners.push(new Listener("web", app, at("web")));
  }
  const isPrivate = () => identity.trust.current?.mode !== "Public";
  const app = await createArchiveApp({
    ...{ ...shared, listener: "federation", tls: identity.keys().tls },
    leafSearch: {
      ...{ isPrivate, hasSearch: config.capabilities.includes("search"), monotonicMs: () => performance.now() },
    },
    handshakes: parts.peers.handshakes,
    peers: {
      isPrivate,
      page: (since, limit) => parts.gossip.gossip.page(since, limit),
      digest: () => parts.gossip.gossip.digest,
    },
    sync: {
      isPrivate,
      hasStore: config.capabilities.includes("store"),
      offers: parts.sync,
      sent: parts.syncMetrics.sent,
    },
  });
  const federation = new Listener("federation", app, at("federation"));
  return { listeners: [...listeners, federation], federation, admin };
}

async function adminListener(
  { loaded, state, identity, drain, gossip, sync }: Parts,
  base: Pick<PublicAppOptions, "logger" | "metrics">,
): Promise<Listener | undefined> {
  const address = loaded.config.listen.admin;
  const tls = identity.adminTls();
  if (address === undefined || tls === undefined) return undefined;
  const app = await createAdminApp({
    ...base,
    listener: "admin",
    tls,
    admin: {
      status: () => nodeStatus(loaded.digest, identity, state),
      offer: (name, document) => identity[name].offer(document),
      reports: {
        peers: gossip.reports.peers,
        discoveries: gossip.reports.discoveries,
        policies: sync.policies,
      },
      drain,
    },
  });
  return new Listener("admin", app, parseHostPort(address, "listen.admin"));
}

function controlSocket({ loaded, identity, logger, archive, peers, gossip, sync }: Parts): ControlServer {
  const context = {
    nodeId: () => identity.keys().nodeId,
    documents: new LocalDocuments(identity, () => new Date()),
    isManaged: !loaded.embedded,
    seen: () => gossip.reports.seen(),
    forget: (nodeId: string) => gossip.gossip.forget(nodeId),
    progress: sync.list,
    withdraw: (...call: Parameters<typeof archive.services.withdrawals.withdraw>) =>
      archive.services.withdrawals.withdraw(...call),
    identify: async (endpoint: string, signal: AbortSignal) =>
      (await peers.links.identify(endpoint, true, signal)).nodeId,
  };
  return new ControlServer(loaded.config.dataDir, context, logger);
}

function lockComponent(lock: Disposable): Component {
  return {
    name: "data folder lock",
    start: async () => {},
    stop: async () => lock[Symbol.dispose](),
  };
}
