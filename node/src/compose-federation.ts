/** Wires what this node needs to meet others: trust, handshakes both ways, sessions, and calls to peers. */
import { hostname } from "node:os";
import { join } from "node:path";
import type { Registry } from "prom-client";
import packageJson from "../package.json" with { type: "json" };
import type { LoadedConfig } from "./config/config.ts";
import { formatHostPort, parseHostPort } from "./config/host-port.ts";
import { FEDERATION_PATH } from "./contract/federation-url.ts";
import type { NodeIdentity } from "./identity/node-identity.ts";
import type { Component } from "./lifecycle/component.ts";
import type { Logger } from "./observability/logging.ts";
import { HandshakeService } from "./peers/handshake-service.ts";
import { createPeerMetrics } from "./peers/metrics.ts";
import { OutgoingPeers } from "./peers/outgoing-peers.ts";
import { OwnRecord } from "./peers/own-record.ts";
import { PeerTable, type TRUST_LEVELS } from "./peers/peer-table.ts";
import { PeerSessions } from "./peers/sessions.ts";
import { Trust } from "./peers/trust.ts";
import { SYSTEM_EXPIRY_CLOCK, TrustExpiry } from "./peers/trust-expiry.ts";

const RECORD_FILE = "peer-record.json";

export interface FederationParts {
  readonly loaded: LoadedConfig;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly identity: NodeIdentity;
  /** `host:port` of the federation listener. */
  readonly boundTo: () => string;
}

export interface Federation {
  /** Ends the connections to peers. */
  readonly component: Component;
  readonly own: OwnRecord;
  readonly trust: Trust;
  readonly table: PeerTable;
  readonly sessions: PeerSessions;
  readonly handshakes: HandshakeService;
  readonly links: OutgoingPeers;
}

export function composeFederation({ loaded, logger, registry, identity, boundTo }: FederationParts): Federation {
  const nowMs = () => Date.now();
  const nodeId = () => identity.keys().nodeId;
  const serviceKey = () => identity.keys().serviceKey;
  const document = () => identity.federation.current;
  const trust = new Trust(() => identity.trust.current, nodeId, nowMs);
  const isNamed = (id: string) => trust.admits(id).kind === "trusted";
  const authored = (id: string) => document()?.peers.find((peer) => peer.nodeID === id);
  const table = new PeerTable((id) => isNamed(id) || authored(id) !== undefined);
  const own = new OwnRecord({
    file: join(loaded.config.dataDir, RECORD_FILE),
    ...{ keys: identity.keys, nowMs, capabilities: loaded.config.capabilities, program: packageJson.version },
    endpoint: () => loaded.federation.advertise ?? document()?.advertised ?? endpointAt(boundTo()),
  });
  const sessions = new PeerSessions(serviceKey, trust, nowMs);
  const metrics = createPeerMetrics(registry, {
    breakers: () => links.breakers(),
    levels: () => countLevels(table),
  });
  const shared = { nodeId, serviceKey, own, trust, table, nowMs };
  const links = new OutgoingPeers({
    ...{ ...shared, authored, allowedNetworks: loaded.federation.allowNets },
    handshakeEnded: (result) => metrics.handshake("out", result),
  });
  const handshakes = new HandshakeService({
    ...{ ...shared, sessions },
    isListed: (id) => isListed(id, document()?.discovery, loaded.embedded),
    admitted: (id) => links.encourage(id),
    ended: (result) => metrics.handshake("in", result),
  });
  const endRefused = () => {
    sessions.endRefused();
    links.endRefused().catch((error: unknown) => logger.error({ err: error }, "links to peers do not end"));
  };
  const expiry = new TrustExpiry(() => identity.trust.current, endRefused, SYSTEM_EXPIRY_CLOCK);
  identity.trust.onChange(() => {
    endRefused();
    expiry.watch();
  });
  const component: Component = {
    name: "peers",
    start: async () => expiry.watch(),
    stop: async () => {
      expiry.stop();
      await links.close();
    },
  };
  return { component, own, trust, table, sessions, handshakes, links };
}

/** Where the node listens; when that is everywhere, by the name of its host. */
function endpointAt(bound: string): string {
  const { host, port } = parseHostPort(bound, "listen.federation");
  const isEverywhere = host === "0.0.0.0" || host === "::";
  return `https://${formatHostPort({ host: isEverywhere ? hostname() : host, port })}${FEDERATION_PATH}`;
}

/** Under the operator nothing is discovered unless the document says so; elsewhere a person is asked. */
function isListed(
  nodeId: string,
  discovery: { readonly mode: string; readonly deny?: readonly string[] } | undefined,
  isEmbedded: boolean,
): boolean {
  const mode = discovery?.mode ?? (isEmbedded ? "Propose" : "Disabled");
  return mode !== "Disabled" && discovery?.deny?.includes(nodeId) !== true;
}

function countLevels(table: PeerTable): Record<(typeof TRUST_LEVELS)[number], number> {
  const counts = { unknown: 0, claimed: 0, proven: 0, verified: 0 };
  for (const { level } of table.all()) counts[level] += 1;
  return counts;
}
