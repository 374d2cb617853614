/** The `metrics` listener: probes and Prometheus, nothing of the archive. */
import type { FastifyInstance } from "fastify";
import type { NodeState } from "../lifecycle/node-state.ts";
import { type AppOptions, createApp } from "./app.ts";
import { healthRoutes, type MetricsRoutesOptions, metricsRoutes } from "./routes/health.ts";
import { watchMethods } from "./wrong-methods.ts";

export interface MetricsAppOptions extends AppOptions {
  readonly registry: MetricsRoutesOptions["metrics"];
  readonly state: NodeState;
}

export async function createMetricsApp(options: MetricsAppOptions): Promise<FastifyInstance> {
  const app = createApp(options);
  const refuseOtherMethods = watchMethods(app);
  await app.register(healthRoutes, { phase: () => options.state.phase });
  await app.register(metricsRoutes, { metrics: options.registry });
  refuseOtherMethods();
  return app;
}
