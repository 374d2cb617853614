/** `/healthz`, `/readyz` and, unless they are served elsewhere, `/metrics` over plain HTTP, on every replica. */
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { HealthReport } from "./health.ts";

export interface HealthServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly live: () => HealthReport;
  readonly ready: () => HealthReport;
  /** Absent: not served here. */
  readonly metrics?: Metrics | undefined;
}

interface Metrics {
  readonly contentType: string;
  metrics(): Promise<string>;
}

export interface HealthServer extends AsyncDisposable {
  readonly port: number;
}

const REQUEST_TIMEOUT_MS = 10_000;

/** @throws {Error} the port is taken */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    // Whoever reaches the port may send anything: `//` is no URL.
    const path = URL.parse(request.url ?? "/", "http://localhost")?.pathname ?? "";
    answer(options, path, response).catch(() => response.writeHead(500).end());
  });
  server.listen(options.port, options.host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // a TCP server that listens has one
  return { port, [Symbol.asyncDispose]: async () => close(server) };
}

async function answer(options: HealthServerOptions, path: string, response: ServerResponse): Promise<void> {
  switch (path) {
    case "/healthz":
      return send(response, options.live());
    case "/readyz":
      return send(response, options.ready());
    case "/metrics":
      return options.metrics === undefined
        ? void response.writeHead(404).end()
        : sendMetrics(options.metrics, response);
    default:
      response.writeHead(404).end();
  }
}

async function sendMetrics(metrics: Metrics, response: ServerResponse): Promise<void> {
  try {
    const text = await metrics.metrics();
    response.writeHead(200, { "content-type": metrics.contentType }).end(text);
  } catch {
    response.writeHead(500).end();
  }
}

function send(response: ServerResponse, { ok, problems }: HealthReport): void {
  response.writeHead(ok ? 200 : 503, { "content-type": "text/plain; charset=utf-8" });
  response.end(ok ? "ok\n" : `${problems.join("\n")}\n`);
}

async function close(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}
