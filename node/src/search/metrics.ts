/** Metrics of searching. */
import { Counter, Histogram, type Registry } from "prom-client";

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
