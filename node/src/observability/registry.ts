/** The process's metrics registry with what every process has: CPU, memory, handles, event-loop delay. */

import { monitorEventLoopDelay } from "node:perf_hooks";
import { collectDefaultMetrics, Gauge, Registry } from "prom-client";

const NANOSECONDS = 1e-9;
/** Fine enough to see the 20 ms promise for the loop's p99. */
const RESOLUTION_MS = 5;

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
        this.set({ quantile: String(quantile / 100) }, delay.percentile(quantile) * NANOSECONDS);
      }
      delay.reset();
    },
  });
  return registry;
}
