/** Answers every method that a known path does not take: 405 with `Allow`, and `OPTIONS` with what it does take. */
import { METHODS } from "node:http";
import type { FastifyInstance } from "fastify";
import { HttpProblem } from "./problem.ts";

/** All that Node can parse; CONNECT never comes as a request. */
const ALL_METHODS = METHODS.filter((method) => method !== "CONNECT");

/** Watches routes as they are added; call the result when all are there. */
export function watchMethods(app: FastifyInstance): () => void {
  const taken = new Map<string, Set<string>>();
  app.addHook("onRoute", ({ url, method }) => {
    const methods = taken.get(url) ?? new Set<string>();
    for (const one of Array.isArray(method) ? method : [method]) methods.add(one);
    taken.set(url, methods);
  });
  return () => {
    for (const method of ALL_METHODS) {
      if (!app.supportedMethods.includes(method)) app.addHttpMethod(method);
    }
    for (const [url, methods] of [...taken]) refuseOthers(app, url, new Set(methods));
  };
}

function refuseOthers(app: FastifyInstance, url: string, taken: ReadonlySet<string>): void {
  const allow = [...taken, "OPTIONS"].sort().join(", ");
  app.route({
    url,
    method: ALL_METHODS.filter((method) => !taken.has(method)),
    schema: { hide: true } as object,
    // Before anything looks at a body.
    onRequest: async (request, reply) => {
      reply.header("allow", allow);
      if (request.method !== "OPTIONS") throw new HttpProblem("method-not-allowed", `use ${allow}`);
      return reply.code(204).header("access-control-allow-methods", "GET, HEAD").send();
    },
    handler: () => {
      throw new HttpProblem("method-not-allowed", `use ${allow}`);
    },
  });
}
