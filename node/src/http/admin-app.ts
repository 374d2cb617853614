/** The `admin` listener: mutual TLS, and only the certificate with the operator's name gets past the first hook. */
import type { TLSSocket } from "node:tls";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { ADMIN_CLIENT_NAME } from "../contract/admin-api.ts";
import { type AppOptions, createApp } from "./app.ts";
import { HttpProblem } from "./problem.ts";
import { type AdminRoutesOptions, adminRoutes } from "./routes/admin.ts";
import { watchMethods } from "./wrong-methods.ts";

/** Read once per connection: later reads of a socket's certificate can come back empty. */
const clients = new WeakMap<TLSSocket, string>();

export async function createAdminApp(
  options: AppOptions & { readonly admin: AdminRoutesOptions },
): Promise<FastifyInstance> {
  const app = createApp(options);
  const refuseOtherMethods = watchMethods(app);
  app.server.on("secureConnection", (socket: TLSSocket) => {
    const { subject } = socket.getPeerCertificate();
    if (socket.authorized && typeof subject?.CN === "string") clients.set(socket, subject.CN);
  });
  app.addHook("onRequest", async (request) => requireOperator(request));
  await app.register(adminRoutes, options.admin);
  refuseOtherMethods();
  return app;
}

function requireOperator(request: FastifyRequest): void {
  if (clients.get(request.raw.socket as TLSSocket) !== ADMIN_CLIENT_NAME) {
    throw new HttpProblem("peer-only", `a client certificate with the name ${ADMIN_CLIENT_NAME} is needed`);
  }
}
