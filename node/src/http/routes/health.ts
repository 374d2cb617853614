/** `/healthz`: the process answers. `/readyz`: the archive is open and takes requests. `/metrics`: Prometheus text. */
import type { FastifyPluginAsync } from "fastify";
import type { NodePhase } from "../../lifecycle/node-state.ts";

export interface HealthRoutesOptions {
  readonly phase: () => NodePhase;
}

const READY: ReadonlySet<NodePhase> = new Set<NodePhase>(["Serving", "Degraded"]);

export const healthRoutes: FastifyPluginAsync<HealthRoutesOptions> = async (app, options) => {
  app.get("/healthz", { schema: { hide: true } as object }, () => ({ status: "ok" }));
  app.get("/readyz", { schema: { hide: true } as object }, (_request, reply) => {
    const phase = options.phase();
    return reply.code(READY.has(phase) ? 200 : 503).send({ phase });
  });
};

export interface MetricsRoutesOptions {
  readonly metrics: { readonly contentType: string; metrics(): Promise<string> };
}

export const metricsRoutes: FastifyPluginAsync<MetricsRoutesOptions> = async (app, options) => {
  app.get("/metrics", { schema: { hide: true } as object }, async (_request, reply) =>
    reply.type(options.metrics.contentType).send(await options.metrics.metrics()),
  );
};
