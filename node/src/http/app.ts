/** What every listener has: limits, request ids, problems instead of error pages, 405 for wrong methods, metrics. */
import { randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Logger } from "../observability/logging.ts";
import { toProblem } from "./error-mapping.ts";
import type { HttpMetrics } from "./metrics.ts";
import { HttpProblem, PROBLEM_TYPE, PROBLEMS, type ProblemCode, problemDocument } from "./problem.ts";
import { trackClient } from "./request-signal.ts";
import { routableUrl } from "./undecodable-url.ts";

/** Numbers of one listener. All times in milliseconds, sizes in bytes. */
export const HTTP_LIMITS = {
  /** Longest request line and header together: archived URLs of 8 KiB and a signature fit. */
  headerBytes: 32 * 1024,
  /** From the first byte to the end of the header. */
  headerMs: 10_000,
  /** How often Node looks for slow headers. */
  checkMs: 1_000,
  /** A connection on which nothing moves in either direction; not while an upload is stored (`idle-limit.ts`). */
  idleMs: 120_000,
  keepAliveMs: 15_000,
  connections: 2_048,
  /** Bodies that fastify reads itself: documents of the admin port. 4,000 trust entries are about 640 KiB. */
  bodyBytes: 2 * 1024 * 1024,
} as const;

export const REQUEST_ID_HEADER = "asfp-request-id";
const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;

export interface AppOptions {
  readonly logger: Logger;
  readonly metrics: HttpMetrics;
  /** Name of the listener in metrics and logs. */
  readonly listener: string;
  readonly tls?: AppTls | undefined;
  /** Believe the last `X-Forwarded-For` entry: for listeners behind an Ingress. */
  readonly behindProxy?: boolean;
  /** Other than `HTTP_LIMITS.idleMs`. */
  readonly idleMs?: number;
}

/** TLS 1.3 only; `ca` makes the client's certificate compulsory. */
export interface AppTls {
  readonly key: string;
  readonly cert: string;
  readonly ca?: string | undefined;
}

/** Options for `createServer` and for `setSecureContext` alike. */
export function tlsOptions(tls: AppTls) {
  return {
    key: tls.key,
    cert: tls.cert,
    minVersion: "TLSv1.3" as const,
    ...(tls.ca === undefined ? {} : { ca: tls.ca, requestCert: true, rejectUnauthorized: true }),
  };
}

export function createApp(options: AppOptions): FastifyInstance {
  const http = {
    maxHeaderSize: HTTP_LIMITS.headerBytes,
    headersTimeout: HTTP_LIMITS.headerMs,
    connectionsCheckingInterval: HTTP_LIMITS.checkMs,
    // Uploads may take hours; their pace is watched by paced-body.ts.
    requestTimeout: 0,
  };
  const base = {
    bodyLimit: HTTP_LIMITS.bodyBytes,
    // A misspelt parameter is answered, not dropped.
    ajv: { customOptions: { removeAdditional: false as const } },
    connectionTimeout: options.idleMs ?? HTTP_LIMITS.idleMs,
    keepAliveTimeout: HTTP_LIMITS.keepAliveMs,
    requestTimeout: 0,
    forceCloseConnections: "idle" as const,
    // The nearest proxy only: what it appended is true, what came before may be invented.
    trustProxy: options.behindProxy === true ? (_address: string, hop: number) => hop === 0 : false,
    genReqId: (request: { readonly headers: Record<string, unknown> }) => requestId(request.headers[REQUEST_ID_HEADER]),
    rewriteUrl: ({ url }: { readonly url?: string | undefined }) => routableUrl(url ?? "/"),
    routerOptions: { maxParamLength: HTTP_LIMITS.headerBytes, ignoreTrailingSlash: false },
    return503OnClosing: false,
    clientErrorHandler: answerClientError,
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      sendProblem(request, reply, toProblem(error));
    },
  };
  const app = (options.tls === undefined
    ? Fastify({ ...base, http })
    : Fastify({ ...base, https: { ...http, ...tlsOptions(options.tls) } })) as unknown as FastifyInstance;
  app.server.maxConnections = HTTP_LIMITS.connections;
  // Without this Node says "100 Continue" before anyone has looked at the request.
  app.server.on("checkContinue", (request, response) => app.server.emit("request", request, response));
  addHooks(app, options);
  return app;
}

function requestId(offered: unknown): string {
  return typeof offered === "string" && REQUEST_ID.test(offered) ? offered : randomUUID();
}

function addHooks(app: FastifyInstance, { logger, metrics, listener }: AppOptions): void {
  app.addHook("onRequest", async (request, reply) => {
    trackClient(request, reply);
    reply.header("ASFP-Request-Id", request.id);
    reply.header("X-Content-Type-Options", "nosniff");
  });
  // A terminal shows the prompt on a line of its own, and tools that count lines count the last one.
  app.addHook("onSend", async (_request, reply, payload) => {
    const isJson = /^application\/(problem\+)?json\b/.test(String(reply.getHeader("content-type")));
    return isJson && typeof payload === "string" && payload !== "" ? `${payload}\n` : payload;
  });
  app.addHook("onResponse", async (request, reply) => {
    metrics.observe({
      listener,
      method: request.method,
      route: request.routeOptions.url ?? "none",
      status: reply.statusCode,
      seconds: reply.elapsedTime / 1000,
    });
  });
  app.setErrorHandler((error, request, reply) => {
    const problem = toProblem(error);
    const { status } = PROBLEMS[problem.code];
    // What the configuration leaves out is no failure.
    if (status >= 500 && status !== 501) {
      logger.error(
        { err: problem.cause ?? problem, requestId: request.id, route: request.routeOptions.url },
        "request failed",
      );
    }
    return sendProblem(request, reply, problem);
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(request, reply, new HttpProblem("not-found", "see /api/v1/openapi.json for what is here")),
  );
}

/** Bodies up to this size are read to their end and dropped, so that the client is there to read the answer. */
const DRAIN_BYTES = 1024 * 1024;

export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: HttpProblem): FastifyReply {
  const { status } = PROBLEMS[problem.code];
  // Again, because a URL that cannot be parsed comes here without the hooks.
  reply.header("ASFP-Request-Id", request.id);
  // A 426 must say what to change to.
  if (status === 426) reply.header("upgrade", "TLS/1.3");
  if (status === 401) reply.header("www-authenticate", 'Bearer realm="archive"');
  if (problem.retryAfterMs !== undefined) reply.header("retry-after", String(Math.ceil(problem.retryAfterMs / 1000)));
  const unread = request.raw.complete ? 0 : Number(request.headers["content-length"] ?? Number.POSITIVE_INFINITY);
  if (unread > DRAIN_BYTES && request.method !== "GET" && request.method !== "HEAD")
    reply.header("connection", "close");
  for (const name of ["content-length", "content-disposition", "etag", "repr-digest", "cache-control"]) {
    reply.removeHeader(name);
  }
  reply.header("cache-control", "no-store");
  return reply.code(status).type(PROBLEM_TYPE).serializer(JSON.stringify).send(problemDocument(problem, request.id));
}

/** Errors of Node's HTTP parser: there is no request yet, so the answer is written by hand. */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy(error);
    return;
  }
  const code = clientErrorCode(error.code);
  const { status, title } = PROBLEMS[code];
  const id = randomUUID();
  const body = `${JSON.stringify(problemDocument(new HttpProblem(code, title), id))}\n`;
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\nContent-Type: ${PROBLEM_TYPE}\r\nASFP-Request-Id: ${id}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function clientErrorCode(code: string | undefined): ProblemCode {
  if (code === "HPE_HEADER_OVERFLOW") return "headers-too-large";
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return "request-timeout";
  return "bad-request";
}
