/**
 * One request to the API server: address, credentials, deadline, fence, Retry-After, metrics, typed errors.
 *
 * A 429 with Retry-After is sent again here (the server did nothing with it); every other failure is the caller's.
 * Mutating requests carry `timeout=4s`, so what a former leader sent has ended before the next one may act.
 */
import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import { errorFromStatus, KubeError } from "./api-errors.ts";
import { type Clock, pause } from "./clock.ts";
import { type Connection, ConnectionHolder } from "./connection.ts";
import type { CredentialSource } from "./credentials.ts";
import { fencedDispatch } from "./fenced-dispatch.ts";
import type { KubeMetrics } from "./metrics.ts";
import type { WriteFence } from "./write-fence.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface KubeRequest {
  readonly method: Method;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  /** Until the whole answer is there (for streams: its head), milliseconds; default 30 s. */
  readonly timeoutMs?: number;
  /** Lease renewals and reviews, which change nothing, go past the write fence; nothing else may. */
  readonly unfenced?: boolean;
}

export interface Transport {
  /** @throws {KubeError} */
  request(request: KubeRequest, signal: AbortSignal): Promise<unknown>;
  /** Answers with the open body; destroying it or aborting `signal` ends the request. @throws {KubeError} */
  stream(request: KubeRequest, signal: AbortSignal): Promise<Readable>;
  close(): Promise<void>;
}

export interface TransportOptions {
  readonly credentials: CredentialSource;
  readonly userAgent: string;
  readonly fence: WriteFence;
  readonly metrics: KubeMetrics;
  readonly clock: Clock;
}

const DEFAULT_TIMEOUT_MS = 30_000;
/** Short enough that renew deadline + this stays under the lease duration (10 s + 4 s < 15 s). */
const MUTATION_TIMEOUT = "4s";
/** client-go gives up after ten; with its deadline a request seldom gets that far. */
const MAX_RETRIES = 10;

export function createTransport(options: TransportOptions): Transport {
  const connections = new ConnectionHolder(options.credentials, options.clock);
  return {
    request: (request, signal) =>
      withDeadline(options, request, signal, async (stop) => {
        const answer = await sendWithRetries(options, connections, request, stop);
        return parseBody(request, await answer.body.text());
      }),
    stream: (request, signal) =>
      withDeadline(options, request, signal, async (stop) => {
        const answer = await sendWithRetries(options, connections, request, stop);
        return answer.body;
      }),
    close: async () => connections.close(),
  };
}

/** A timer that is taken down with its request: `AbortSignal.timeout` would keep every request's signals for 30 s. */
async function withDeadline<T>(
  { clock, fence }: TransportOptions,
  request: KubeRequest,
  signal: AbortSignal,
  work: (stop: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const cancel = clock.after(request.timeoutMs ?? DEFAULT_TIMEOUT_MS, () => deadline.abort());
  const signals = [signal, deadline.signal, ...(isFenced(request) ? [fence.signal] : [])];
  const stop = AbortSignal.any(signals);
  try {
    return await typed(request, stop, deadline.signal, () => work(stop));
  } finally {
    cancel();
  }
}

function isFenced(request: KubeRequest): boolean {
  return request.method !== "GET" && request.unfenced !== true;
}

async function sendWithRetries(
  options: TransportOptions,
  connections: ConnectionHolder,
  request: KubeRequest,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  let refreshed = false;
  for (let retries = 0; ; retries++) {
    const connection = await connections.get(signal);
    const answer = await send(options, connection, request, signal);
    if (answer.statusCode < 300) return answer;
    const error = await failure(request, answer);
    const waitMs = waitBeforeRetry(error, refreshed);
    if (waitMs === undefined || retries >= MAX_RETRIES) throw error;
    if (error.code === "UNAUTHORIZED") {
      refreshed = true;
      await connections.refresh(connection, signal);
    }
    options.metrics.retry(String(answer.statusCode), request.method, connection.host);
    await pause(options.clock, waitMs, signal);
    if (signal.aborted) throw error;
  }
}

/** Where the server said when, or once with fresh credentials; anything else is for the caller's back-off. */
function waitBeforeRetry(error: KubeError, refreshed: boolean): number | undefined {
  if (error.code === "UNAUTHORIZED") return refreshed ? undefined : 0;
  return error.code === "TOO_MANY_REQUESTS" ? error.details.retryAfterMs : undefined;
}

async function send(
  options: TransportOptions,
  connection: Connection,
  request: KubeRequest,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  const refusal = () => fencedError(request);
  if (isFenced(request) && !options.fence.isOpen()) throw refusal();
  const dispatcher = isFenced(request)
    ? connection.agent.compose(fencedDispatch(options.fence, refusal))
    : connection.agent;
  const startedMs = options.clock.monotonicMs();
  let code = "<error>";
  try {
    const answer = await dispatcher.request({
      origin: connection.origin,
      path: pathWithQuery(connection.prefix, request),
      method: request.method,
      headers: headersFor(options, connection, request),
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      signal,
    });
    code = String(answer.statusCode);
    return answer;
  } finally {
    options.metrics.request(code, request.method, connection.host);
    options.metrics.duration(request.method, connection.host, (options.clock.monotonicMs() - startedMs) / 1000);
  }
}

function pathWithQuery(prefix: string, request: KubeRequest): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(request.query ?? {})) if (value !== undefined) query.set(name, value);
  if (request.method !== "GET") query.set("timeout", MUTATION_TIMEOUT);
  const text = query.toString();
  return `${prefix}${request.path}${text === "" ? "" : `?${text}`}`;
}

function headersFor(
  options: TransportOptions,
  connection: Connection,
  request: KubeRequest,
): Readonly<Record<string, string>> {
  return {
    accept: request.accept ?? "application/json",
    "user-agent": options.userAgent,
    ...(connection.authorization === undefined ? {} : { authorization: connection.authorization }),
    ...(request.body === undefined ? {} : { "content-type": request.contentType ?? "application/json" }),
  };
}

async function failure(request: KubeRequest, answer: Dispatcher.ResponseData): Promise<KubeError> {
  const text = await answer.body.text();
  const retryAfter = answer.headers["retry-after"];
  return errorFromStatus(
    request,
    answer.statusCode,
    jsonOr(text, { message: text.slice(0, 500) }),
    typeof retryAfter === "string" ? retryAfter : undefined,
  );
}

function jsonOr(text: string, otherwise: unknown): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return otherwise;
  }
}

function parseBody(request: KubeRequest, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new KubeError("MALFORMED", { ...named(request), message: "the answer is not JSON" }, { cause });
  }
}

/** Gives every failure a code; the deadline is told apart from the caller's own abort. */
async function typed<T>(
  request: KubeRequest,
  stop: AbortSignal,
  deadline: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof KubeError) throw cause;
    const message = cause instanceof Error ? cause.message : "unknown";
    const code = deadline.aborted ? "TIMEOUT" : stop.aborted ? "ABORTED" : "CONNECTION";
    throw new KubeError(code, { ...named(request), message }, { cause });
  }
}

function fencedError(request: KubeRequest): KubeError {
  return new KubeError("FENCED", { ...named(request), message: "the lease may have run out" });
}

function named(request: KubeRequest): { method: string; path: string } {
  return { method: request.method, path: request.path };
}
