/** The process's metrics registry with what every process has: CPU, memory, handles, event-loop delay. */

import { monitorEventLoopDelay } from "node:perf_hooks";
import { collectDefaultMetrics, Gauge, Registry } from "prom-client";

/** Of a nanosecond. */
const MILLISECONDS = 1e-6;
/** A beat each 100 ms: 600 samples a minute show the 20 ms promise for the loop's p99, and an idle node stays idle. */
const RESOLUTION_MS = 100;

export function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: RESOLUTION_MS });
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  new Gauge({
    name: "archivestream_node_event_loop_delay_seconds",
    help: "Delay of the main event loop since the last scrape, by quantile",
    labelNames: ["quantile"],
    registers: [registry],
    collect() {
      for (const quantile of [50, 99, 100]) {
        // What is recorded is the time between two beats: an idle loop's is the resolution itself.
        const beyondMs = delay.percentile(quantile) * MILLISECONDS - RESOLUTION_MS;
        this.set({ quantile: String(quantile / 100) }, Math.max(0, beyondMs) / 1_000);
      }
      delay.reset();
    },
  });
  return registry;
}
