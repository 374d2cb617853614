/** Metrics of searching. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { PeerSearchStatus } from "./peer-selection.ts";

export type SearchOutcome = "ok" | "bad_query" | "deadline_exceeded" | "overloaded" | "failed";
const OUTCOMES: readonly SearchOutcome[] = ["ok", "bad_query", "deadline_exceeded", "overloaded", "failed"];

export interface SearchMetrics {
  observe(outcome: SearchOutcome, seconds: number): void;
}

export function createSearchMetrics(registry: Registry): SearchMetrics {
  const duration = new Histogram({
    name: "archivestream_search_local_duration_seconds",
    help: "Time to answer a search from the local index",
    buckets: [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2],
    registers: [registry],
  });
  const searches = new Counter({
    name: "archivestream_search_local_total",
    help: "Searches of the local index by outcome",
    labelNames: ["outcome"],
    registers: [registry],
  });
  for (const outcome of OUTCOMES) searches.inc({ outcome }, 0);
  return {
    observe: (outcome, seconds) => {
      searches.inc({ outcome });
      duration.observe(seconds);
    },
  };
}

/** `local`: no peer could be asked, or none was to be. */
const FEDERATED_OUTCOMES = ["ok", "partial", "local", "failed"] as const;
export type FederatedOutcome = (typeof FEDERATED_OUTCOMES)[number];
/** Of peers that were asked; a connection may have a breaker of its own. */
const STATUSES = [
  "ok",
  "partial",
  "timeout",
  "unreachable",
  "breaker_open",
  "refused",
  "incompatible",
] as const satisfies readonly PeerSearchStatus[];

export interface FederatedMetrics {
  observe(outcome: FederatedOutcome, seconds: number): void;
  /** A peer was asked. */
  asked(status: PeerSearchStatus): void;
}

/** @param openBreakers - peers that are left alone now */
export function createFederatedMetrics(registry: Registry, openBreakers: () => number): FederatedMetrics {
  const duration = new Histogram({
    name: "archivestream_search_federated_duration_seconds",
    help: "Time to answer a search, by what came of its peers",
    labelNames: ["outcome"],
    buckets: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10],
    registers: [registry],
  });
  for (const outcome of FEDERATED_OUTCOMES) duration.zero({ outcome });
  const asked = new Counter({
    name: "archivestream_search_peers_asked_total",
    help: "Questions to peers by what became of them",
    labelNames: ["status"],
    registers: [registry],
  });
  for (const status of STATUSES) asked.inc({ status }, 0);
  new Gauge({
    name: "archivestream_search_breakers_open",
    help: "Peers that are not asked for a while because they failed",
    registers: [registry],
    collect(): void {
      this.set(openBreakers());
    },
  }).set(0);
  return {
    observe: (outcome, seconds) => duration.observe({ outcome }, seconds),
    asked: (status) => asked.inc({ status }),
  };
}
