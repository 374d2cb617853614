/** `/metrics` over HTTPS for whoever may `get` that path in the cluster: bearer token, checked by the API server. */
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { ReviewAccess } from "./access-review.ts";

export interface ServingCertificate {
  /** PEM, both. */
  readonly key: string;
  readonly certificate: string;
}

export interface MetricsServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly metrics: { readonly contentType: string; metrics(): Promise<string> };
  readonly review: ReviewAccess;
  /** The current one; asked for at start and then each `certificateLookMs`. */
  readonly certificate: () => Promise<ServingCertificate>;
  /** The certificate could not be read again; the one in use stays. */
  readonly certificateFailed: (error: unknown) => void;
  readonly certificateLookMs?: number;
}

export interface MetricsServer extends AsyncDisposable {
  readonly port: number;
}

const PATH = "/metrics";
const REQUEST_TIMEOUT_MS = 10_000;
const CERTIFICATE_LOOK_MS = 60_000;
/** Longer than any token that an API server signs. */
const TOKEN_LIMIT = 8_192;

/** @throws {Error} the port is taken, or there is no usable certificate */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  let current = await options.certificate();
  const server = createServer(
    { key: current.key, cert: current.certificate, minVersion: "TLSv1.2", requestTimeout: REQUEST_TIMEOUT_MS },
    (request, response) => {
      answer(options, request, response).catch(() => response.writeHead(500).end());
    },
  );
  server.listen(options.port, options.host);
  await once(server, "listening");
  const look = async () => {
    const next = await options.certificate();
    if (next.certificate === current.certificate) return;
    server.setSecureContext({ key: next.key, cert: next.certificate, minVersion: "TLSv1.2" });
    current = next;
  };
  const timer = setInterval(
    () => void look().catch(options.certificateFailed),
    options.certificateLookMs ?? CERTIFICATE_LOOK_MS,
  );
  const { port } = server.address() as AddressInfo; // a TCP server that listens has one
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await close(server);
    },
  };
}

async function answer(options: MetricsServerOptions, request: IncomingMessage, response: ServerResponse) {
  if (URL.parse(request.url ?? "/", "https://localhost")?.pathname !== PATH) return void response.writeHead(404).end();
  if (request.method !== "GET") return void response.writeHead(405, { allow: "GET" }).end();
  const [, token = ""] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
  const isToken = token !== "" && token.length <= TOKEN_LIMIT;
  const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  switch (isToken ? await options.review(token, PATH, signal) : "unauthenticated") {
    case "allowed": {
      const text = await options.metrics.metrics();
      return void response.writeHead(200, { "content-type": options.metrics.contentType }).end(text);
    }
    case "unauthenticated":
      return void response.writeHead(401, { "www-authenticate": "Bearer" }).end();
    case "forbidden":
      return void response.writeHead(403).end();
    case "unavailable":
      return void response.writeHead(503, { "retry-after": "5" }).end();
  }
}

async function close(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}
