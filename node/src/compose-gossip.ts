/** Wires what keeps this node up with its peers: probes, gossip, the peer table on disk, and what is told of all that. */
import type { Registry } from "prom-client";
import type { Federation } from "./compose-federation.ts";
import type { LoadedConfig } from "./config/config.ts";
import type { PeerFailure } from "./contract/federation-reports.ts";
import { SYSTEM_CLOCK } from "./gossip/clock.ts";
import { GossipReports } from "./gossip/federation-reports.ts";
import { Gossip } from "./gossip/gossip.ts";
import { createGossipMetrics } from "./gossip/metrics.ts";
import { PeerFile, readKeptPeers } from "./gossip/peer-file.ts";
import type { NodeIdentity } from "./identity/node-identity.ts";
import type { Component } from "./lifecycle/component.ts";
import type { Logger } from "./observability/logging.ts";
import { PeerError, peerFailure } from "./peers/errors.ts";
import type { KnownPeer, PeerDirectory } from "./peers/peer-calls.ts";

export interface GossipWiring {
  readonly loaded: LoadedConfig;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly identity: NodeIdentity;
  readonly peers: Pick<Federation, "own" | "trust" | "table" | "links">;
}

export interface ComposedGossip {
  readonly component: Component;
  readonly gossip: Gossip;
  readonly reports: GossipReports;
  /** Peers that search and sync may ask. */
  readonly directory: PeerDirectory;
}

const DEFAULT_WEIGHT = 100;

export function composeGossip({ loaded, logger, registry, identity, peers }: GossipWiring): ComposedGossip {
  const { table, links, trust, own } = peers;
  const documents = () => ({ trust: identity.trust.current, federation: identity.federation.current });
  const ownNodeId = () => identity.keys().nodeId;
  const gossip = new Gossip({
    ...{ table, links, documents, ownNodeId, logger, clock: SYSTEM_CLOCK, random: Math.random },
    letsIn: (nodeId) => trust.letsIn(nodeId),
    ownRecord: () => own.current(),
    failureOf,
    seeds: loaded.federation.seeds,
  });
  gossip.useMetrics(createGossipMetrics(registry, gossip.counts));
  const { dataDir } = loaded.config;
  const file = new PeerFile(dataDir, table, (error) =>
    logger.warn({ err: error }, "the peer table is not written; it is learnt again after a restart"),
  );
  const component: Component = {
    name: "gossip",
    start: async () => {
      table.restore((await readKeptPeers(dataDir, Date.now())).filter(({ nodeId }) => nodeId !== ownNodeId()));
      await gossip.start();
    },
    stop: async () => {
      await gossip.stop();
      await file.close();
    },
  };
  const reports = new GossipReports({ gossip, table, documents, ownNodeId, isManaged: !loaded.embedded });
  const known = () => gossip.memberIds.map((nodeId) => knownPeer(nodeId, { gossip, peers, identity }));
  return { component, gossip, reports, directory: { known } };
}

function knownPeer(
  nodeId: string,
  { gossip, peers, identity }: Pick<GossipWiring, "peers" | "identity"> & { readonly gossip: Gossip },
): KnownPeer {
  const { table, links, trust } = peers;
  const entry = table.get(nodeId);
  const authored = identity.federation.current?.peers.find(({ nodeID }) => nodeID === nodeId);
  return {
    ...{ nodeId, state: gossip.stateOf(nodeId), trust: entry?.level ?? "unknown" },
    isTrusted: trust.admits(nodeId).kind === "trusted",
    capabilities: entry?.signed?.record.capabilities ?? [],
    isConnected: links.isConnected(nodeId),
    rttMs: links.rttMs(nodeId),
    weight: authored?.weight ?? DEFAULT_WEIGHT,
  };
}

function failureOf(error: unknown): PeerFailure {
  const failure = error instanceof PeerError ? peerFailure(error as PeerError) : undefined;
  if (failure !== undefined) return failure;
  const message = error instanceof Error ? error.message.slice(0, 200) : "no answer";
  return { reason: "DialFailed", message: `${message}; check address and firewall` };
}
