/**
 * Stands between a client and a real API server and breaks things on request; keeps a log of what was asked.
 *
 * Plain HTTP towards the client, mutual TLS towards the server. Faults are rules: the first that matches a request is
 * used and counted down; requests without a rule pass untouched.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import type { AddressInfo, Socket } from "node:net";

export type Fault =
  /** Pass the request on after this long. */
  | { readonly kind: "delay"; readonly ms: number }
  /** Pass the request on when the test says so. */
  | { readonly kind: "hold"; readonly until: Promise<unknown> }
  | { readonly kind: "answer"; readonly status: number; readonly retryAfterSeconds?: number }
  /** Close the connection without an answer. */
  | { readonly kind: "reset" }
  /** Send the first bytes of the real answer, then end in good order inside the JSON. */
  | { readonly kind: "truncate"; readonly bytes: number }
  /** Answer a watch with one line that is no JSON. */
  | { readonly kind: "garbage" }
  /** Answer a watch with an `ERROR` event of this code. */
  | { readonly kind: "watchError"; readonly code: number };

export interface LoggedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly userAgent: string;
  readonly isWatch: boolean;
}

export interface FaultRule {
  readonly matches: (request: LoggedRequest) => boolean;
  readonly fault: Fault;
  /** How many requests; default 1. */
  readonly times?: number;
}

export interface ApiServerProxy extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly LoggedRequest[];
  /** Mutating requests but those for leases. */
  readonly writes: readonly LoggedRequest[];
  readonly openSockets: number;
  /** Connections accepted so far. */
  readonly acceptedSockets: number;
  readonly openWatches: number;
  addFault(rule: FaultRule): void;
  /** Breaks every open watch off. */
  cutWatches(): void;
  /** Open watches stay open and silent for ever; new ones work. */
  stallWatches(): void;
}

export interface ProxyTarget {
  readonly url: string;
  readonly caPem: string;
  readonly admin: { readonly cert: string; readonly key: string };
}

interface OpenWatch {
  readonly response: ServerResponse;
  stalled: boolean;
}

export async function startApiServerProxy(target: ProxyTarget): Promise<ApiServerProxy> {
  const proxy = new Proxying(target);
  await proxy.start();
  return proxy;
}

class Proxying implements ApiServerProxy {
  readonly requests: LoggedRequest[] = [];
  readonly #target: ProxyTarget;
  readonly #upstream: Agent;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #watches = new Set<OpenWatch>();
  readonly #rules: { rule: FaultRule; left: number }[] = [];
  acceptedSockets = 0;

  constructor(target: ProxyTarget) {
    this.#target = target;
    const { cert, key } = target.admin;
    this.#upstream = new Agent({ keepAlive: true, ca: target.caPem, cert, key });
    this.#server = createServer((request, response) => this.#receive(request, response));
    // On a busy machine Node's five seconds end just when the client sends: a fault that nobody asked for.
    this.#server.keepAliveTimeout = 0;
    this.#server.on("connection", (socket: Socket) => {
      this.acceptedSockets += 1;
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  async start(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get writes(): readonly LoggedRequest[] {
    return this.requests.filter(({ method, path }) => method !== "GET" && !path.includes("/leases"));
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  get openWatches(): number {
    return this.#watches.size;
  }

  addFault(rule: FaultRule): void {
    this.#rules.push({ rule, left: rule.times ?? 1 });
  }

  cutWatches(): void {
    for (const { response } of this.#watches) response.destroy();
  }

  stallWatches(): void {
    for (const watch of this.#watches) watch.stalled = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#upstream.destroy();
    await closed;
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const logged = describe(request);
    this.requests.push(logged);
    const fault = this.#takeFault(logged);
    if (fault === undefined) this.#forward(request, response, logged);
    else this.#break(request, response, { logged, fault });
  }

  #break(request: IncomingMessage, response: ServerResponse, how: { logged: LoggedRequest; fault: Fault }): void {
    const { logged, fault } = how;
    switch (fault.kind) {
      case "answer":
        sendStatus(response, fault.status, fault.retryAfterSeconds);
        break;
      case "reset":
        request.socket.destroy();
        break;
      case "garbage":
        response.writeHead(200, { "content-type": "application/json" }).end('{"type":"ADD\n');
        break;
      case "watchError":
        response.writeHead(200, { "content-type": "application/json" });
        response.end(`${JSON.stringify({ type: "ERROR", object: statusBody(fault.code) })}\n`);
        break;
      case "delay":
        setTimeout(() => this.#forward(request, response, logged), fault.ms);
        break;
      case "hold":
        void fault.until.then(() => this.#forward(request, response, logged));
        break;
      case "truncate":
        this.#forward(request, response, logged, fault.bytes);
        break;
    }
  }

  #takeFault(logged: LoggedRequest): Fault | undefined {
    const found = this.#rules.find(({ rule, left }) => left > 0 && rule.matches(logged));
    if (found !== undefined) found.left -= 1;
    return found?.rule.fault;
  }

  #forward(request: IncomingMessage, response: ServerResponse, logged: LoggedRequest, limit?: number): void {
    const { host: _ours, connection: _hop, ...headers } = request.headers;
    const upstream = httpsRequest(`${this.#target.url}${request.url ?? "/"}`, {
      agent: this.#upstream,
      method: request.method ?? "GET",
      headers,
    });
    upstream.once("error", () => response.destroy());
    response.once("close", () => upstream.destroy());
    upstream.once("response", (answer) => this.#relay(answer, response, { isWatch: logged.isWatch, limit }));
    request.pipe(upstream);
  }

  #relay(
    answer: IncomingMessage,
    response: ServerResponse,
    how: { readonly isWatch: boolean; readonly limit: number | undefined },
  ): void {
    const { "content-length": length, ...headers } = answer.headers;
    const cut = how.limit;
    response.writeHead(answer.statusCode ?? 502, cut === undefined && length ? answer.headers : headers);
    response.flushHeaders();
    const watch: OpenWatch = { response, stalled: false };
    if (how.isWatch) this.#watches.add(watch);
    response.once("close", () => this.#watches.delete(watch));
    let sent = 0;
    answer.on("data", (chunk: Buffer) => {
      if (watch.stalled) return;
      const part = cut === undefined ? chunk : chunk.subarray(0, Math.max(0, cut - sent));
      sent += part.length;
      response.write(part);
      if (cut !== undefined && sent >= cut) response.end();
    });
    answer.once("end", () => watch.stalled || response.end());
    answer.once("error", () => response.destroy());
  }
}

function describe(request: IncomingMessage): LoggedRequest {
  const url = new URL(request.url ?? "/", "http://localhost");
  return {
    method: request.method ?? "GET",
    path: url.pathname,
    query: url.searchParams,
    userAgent: request.headers["user-agent"] ?? "",
    isWatch: url.searchParams.get("watch") === "true",
  };
}

function statusBody(code: number) {
  const reason = code === 410 ? "Expired" : "InternalError";
  return { kind: "Status", apiVersion: "v1", status: "Failure", reason, code, message: "made by the test" };
}

function sendStatus(response: ServerResponse, status: number, retryAfterSeconds?: number): void {
  response.writeHead(status, {
    "content-type": "application/json",
    ...(retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }),
  });
  response.end(JSON.stringify(statusBody(status)));
}
