/** The process's metrics registry: CPU, memory, handles, and the delay of the event loop that renews the lease. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { collectDefaultMetrics, Gauge, Registry } from "prom-client";

const NANOSECONDS = 1e-9;
/** The alert is at 250 ms. */
const RESOLUTION_MS = 10;

export function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  new Gauge({
    name: "nodejs_eventloop_delay_seconds",
    help: "Delay of the event loop since the last scrape, by quantile",
    labelNames: ["quantile"],
    registers: [registry],
    collect() {
      for (const percent of [50, 99, 100]) {
        this.set({ quantile: String(percent / 100) }, delay.percentile(percent) * NANOSECONDS);
      }
      delay.reset();
    },
  });
  return registry;
}
