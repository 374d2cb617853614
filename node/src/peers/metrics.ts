/** Metrics of handshakes, breakers and peers. Node ids are never labels: there may be thousands. */
import { Counter, Gauge, type Registry } from "prom-client";
import type { TRUST_LEVELS } from "./peer-table.ts";

const DIRECTIONS = ["in", "out"] as const;
export type HandshakeDirection = (typeof DIRECTIONS)[number];

export interface PeerMetrics {
  handshake(direction: HandshakeDirection, result: string): void;
}

/** Read when metrics are scraped. */
export interface PeerCounts {
  /** Breakers by state. */
  readonly breakers: () => Readonly<Record<"closed" | "open" | "half_open", number>>;
  /** Peers by how far they have proven themselves. */
  readonly levels: () => Readonly<Record<(typeof TRUST_LEVELS)[number], number>>;
}

export function createPeerMetrics(registry: Registry, counts: PeerCounts): PeerMetrics {
  const handshakes = new Counter({
    name: "archivestream_handshakes_total",
    help: "Handshakes by direction and how they ended; first rounds of peers that call are not counted",
    labelNames: ["direction", "result"],
    registers: [registry],
  });
  for (const direction of DIRECTIONS) handshakes.inc({ direction, result: "accepted" }, 0);
  new Gauge({
    name: "archivestream_peer_breakers",
    help: "Circuit breakers towards peers, by state",
    labelNames: ["state"],
    registers: [registry],
    collect() {
      for (const [state, count] of Object.entries(counts.breakers())) this.set({ state }, count);
    },
  });
  new Gauge({
    name: "archivestream_peers_known",
    help: "Known peers by how far they have proven themselves",
    labelNames: ["trust"],
    registers: [registry],
    collect() {
      for (const [trust, count] of Object.entries(counts.levels())) this.set({ trust }, count);
    },
  });
  return { handshake: (direction, result) => handshakes.inc({ direction, result }) };
}
