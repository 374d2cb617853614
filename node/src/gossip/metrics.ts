/** Metrics of gossip: peers by state, rounds and probes by how they ended. */
import { Counter, Gauge, type Registry } from "prom-client";
import type { PeerState } from "../contract/federation-reports.ts";
import { PULL_RESULTS, type PullResult } from "./pull.ts";

const PROBE_RESULTS = ["answered", "missed"] as const;

export interface GossipMetrics {
  /** A round ended, with or without peers to ask. */
  round(): void;
  pulled(result: PullResult): void;
  probed(result: (typeof PROBE_RESULTS)[number]): void;
}

export function createGossipMetrics(
  registry: Registry,
  counts: () => Readonly<Record<PeerState, number>>,
): GossipMetrics {
  new Gauge({
    name: "archivestream_gossip_peers",
    help: "Peers this node looks after, by its own finding",
    labelNames: ["state"],
    registers: [registry],
    collect() {
      for (const [state, count] of Object.entries(counts())) this.set({ state }, count);
    },
  });
  const rounds = new Counter({
    name: "archivestream_gossip_rounds_total",
    help: "Gossip rounds, in each of which the lists of up to three peers are asked for",
    registers: [registry],
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
  for (const result of PULL_RESULTS) pulls.inc({ result }, 0);
  for (const result of PROBE_RESULTS) probes.inc({ result }, 0);
  return {
    round: () => rounds.inc(),
    pulled: (result) => pulls.inc({ result }),
    probed: (result) => probes.inc({ result }),
  };
}
