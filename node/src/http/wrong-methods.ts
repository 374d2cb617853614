/** Answers every method that a known path does not take: 405 with `Allow`, and `OPTIONS` with what it does take. */
import type { FastifyInstance, HTTPMethods } from "fastify";
import { HttpProblem } from "./problem.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] as const satisfies HTTPMethods[];

/** Watches routes as they are added; call the result when all are there. */
export function watchMethods(app: FastifyInstance): () => void {
  const taken = new Map<string, Set<string>>();
  app.addHook("onRoute", ({ url, method }) => {
    const methods = taken.get(url) ?? new Set<string>();
    for (const one of Array.isArray(method) ? method : [method]) methods.add(one);
    taken.set(url, methods);
  });
  return () => {
    for (const [url, methods] of [...taken]) refuseOthers(app, url, new Set(methods));
  };
}

function refuseOthers(app: FastifyInstance, url: string, taken: ReadonlySet<string>): void {
  const allow = [...taken, "OPTIONS"].sort().join(", ");
  const others = METHODS.filter((method) => !taken.has(method));
  app.register(async (scope) => {
    // Whatever body comes with it is not looked at.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, _payload, done) => done(null));
    scope.route({
      url,
      method: others,
      schema: { hide: true } as object,
      handler: (request, reply) => {
        reply.header("allow", allow);
        if (request.method !== "OPTIONS") throw new HttpProblem("method-not-allowed", `use ${allow}`);
        return reply.code(204).header("access-control-allow-methods", "GET, HEAD").send();
      },
    });
  });
}
