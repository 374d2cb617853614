/** Metrics of gossip: peers by state, rounds and probes by how they ended. */
import { Counter, Gauge, type Registry } from "prom-client";
import type { PeerState } from "../contract/federation-reports.ts";
import type { PullResult } from "./pull.ts";

export interface GossipMetrics {
  pulled(result: PullResult): void;
  probed(result: "answered" | "missed"): void;
}

export function createGossipMetrics(
  registry: Registry,
  counts: () => Readonly<Record<PeerState, number>>,
): GossipMetrics {
  new Gauge({
    name: "archivestream_peers",
    help: "Peers this node looks after, by its own finding",
    labelNames: ["state"],
    registers: [registry],
    collect() {
      for (const [state, count] of Object.entries(counts())) this.set({ state }, count);
    },
  });
  const pulls = new Counter({
    name: "archivestream_gossip_pulls_total",
    help: "Peer lists asked for in gossip rounds, by result",
    labelNames: ["result"],
    registers: [registry],
  });
  const probes = new Counter({
    name: "archivestream_peer_probes_total",
    help: "Probes of peers, by result",
    labelNames: ["result"],
    registers: [registry],
  });
  return { pulled: (result) => pulls.inc({ result }), probed: (result) => probes.inc({ result }) };
}
