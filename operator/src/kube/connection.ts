/**
 * The one undici Agent to the API server, rebuilt only when the certificates or the address change.
 *
 * Credentials are looked at again every minute (tokens rotate on disk) and at once after a 401.
 */
import { createHash } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import { Agent, type Dispatcher } from "undici";
import { KubeError } from "./api-errors.ts";
import type { Clock } from "./clock.ts";
import type { CredentialSource, Credentials, TlsMaterial } from "./credentials.ts";

/** As client-go: a service account token is read again once a minute. */
const CREDENTIALS_FOR_MS = 60_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** Below the idle limits of common load balancers, the shortest of which is 60 s. */
const TCP_KEEP_ALIVE_MS = 30_000;
/** Below the 90 s of kube-apiserver and the 60 s of common proxies: whoever closes first should not be in mid-request. */
const IDLE_TIMEOUT_MS = 30_000;
/** One per watch and per request under way; a bound so that a storm queues here and not at the server. */
const MAX_SOCKETS = 128;

export interface Connection {
  readonly origin: string;
  readonly host: string;
  /** Path prefix of the server's address, without a trailing slash. */
  readonly prefix: string;
  readonly authorization: string | undefined;
  readonly agent: Dispatcher;
}

export class ConnectionHolder {
  readonly #source: CredentialSource;
  readonly #clock: Clock;
  #current: { connection: Connection; digest: string; loadedAtMs: number } | undefined;
  #loading: Promise<Connection> | undefined;
  #refreshing: Promise<Connection> | undefined;

  constructor(source: CredentialSource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  /**
   * @param signal - ends the wait and not the load, which may be an exec plug-in that takes its time: one runs at a time
   * @throws {KubeError} `CREDENTIALS`
   */
  async get(signal: AbortSignal): Promise<Connection> {
    const current = this.#current;
    if (current !== undefined && this.#clock.monotonicMs() - current.loadedAtMs < CREDENTIALS_FOR_MS) {
      return current.connection;
    }
    return unlessAborted(this.#load(false), signal);
  }

  /** After a 401: forget cached tokens, unless that has happened since. Those who come together share one load. */
  async refresh(refused: Connection, signal: AbortSignal): Promise<Connection> {
    const current = this.#current?.connection;
    if (current !== undefined && current !== refused && current.authorization !== refused.authorization) return current;
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return unlessAborted(this.#refreshing, signal);
  }

  /** A load that began before the refusal may bring what was refused. */
  async #refresh(): Promise<Connection> {
    await this.#loading?.catch(() => undefined);
    return this.#load(true);
  }

  async close(): Promise<void> {
    await this.#current?.connection.agent.destroy();
    this.#current = undefined;
  }

  async #load(fresh: boolean): Promise<Connection> {
    this.#loading ??= this.#read(fresh).finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #read(fresh: boolean): Promise<Connection> {
    const credentials = await this.#source.load(fresh);
    const digest = digestOf(credentials);
    const previous = this.#current;
    const agent = previous?.digest === digest ? previous.connection.agent : buildAgent(credentials);
    const url = new URL(credentials.server);
    const connection: Connection = {
      origin: url.origin,
      host: url.host,
      prefix: url.pathname.replace(/\/$/, ""),
      authorization: credentials.authorization,
      agent,
    };
    this.#current = { connection, digest, loadedAtMs: this.#clock.monotonicMs() };
    // Requests under way end on the old certificates; close() waits for them.
    if (previous !== undefined && previous.connection.agent !== agent) void previous.connection.agent.close();
    return connection;
  }
}

/** @throws {Error} `signal` aborted first; the transport tells a deadline from a caller's abort */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(new Error("the credentials did not come; an exec plug-in may hang"));
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function buildAgent({ server, tls: { servername, rejectUnauthorized, ...material } }: Credentials): Agent {
  return new Agent({
    connect: {
      secureContext: contextOf(server, material),
      ...(servername === undefined ? {} : { servername }),
      ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
      timeout: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    },
    connections: MAX_SOCKETS,
    keepAliveTimeout: IDLE_TIMEOUT_MS,
    pipelining: 1,
    allowH2: false, // a stalled watch must not share a socket, and its flow control, with writes
    headersTimeout: 0, // deadlines are set per request
    bodyTimeout: 0,
  });
}

/**
 * Made once: a context for each connection costs as much as its handshake, and memory until it is collected.
 *
 * @throws {KubeError} `CREDENTIALS`: a certificate or key that is none
 */
function contextOf(server: string, material: Pick<TlsMaterial, "ca" | "cert" | "key">): SecureContext {
  try {
    return createSecureContext(material);
  } catch (cause) {
    const message = `unusable certificates: ${cause instanceof Error ? cause.message : "unknown"}`;
    throw new KubeError("CREDENTIALS", { method: "LOAD", path: server, message }, { cause });
  }
}

function digestOf({ server, tls }: Credentials): string {
  const hash = createHash("sha256");
  for (const part of [server, tls.ca, tls.cert, tls.key, tls.servername, String(tls.rejectUnauthorized)]) {
    hash.update(part ?? "").update("\0");
  }
  return hash.digest("hex");
}
