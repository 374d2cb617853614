/**
 * Connections to one endpoint, and requests over them. Nothing is followed elsewhere, nothing is decompressed, and no
 * connection is used whose certificate key is not accepted.
 */
import type { TLSSocket } from "node:tls";
import { type buildConnector, Client, type Dispatcher, Pool } from "undici";
import { ASFP_LIMITS } from "../../asfp/limits.ts";
import { PeerError } from "../errors.ts";
import { type DialTarget, dial, endpointUrl, type Secured, securedBy } from "./tls-dialler.ts";

/** At once: eight files of a peer, and the calls beside them. */
const CONNECTIONS = 12;
/** Beyond any caller's own deadline: nothing may wait for ever on a peer that has gone silent. */
const SILENCE_MS = 60_000;

export interface OutgoingRequest {
  readonly method: "GET" | "HEAD" | "POST";
  /** Below the base URL, with its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface OutgoingAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Dispatcher.ResponseData["body"];
}

export class Channel {
  /** Base URL. */
  readonly endpoint: string;
  /** One connection until `widen`: both rounds of a handshake must go over the same. */
  #requests: Client | Pool;
  readonly #origin: string;
  readonly #options: Client.Options;
  readonly #basePath: string;
  readonly #opened: TLSSocket[] = [];
  #accepts: (spki: string) => PeerError | undefined = () => undefined;

  /** @throws {PeerError} `ADDRESS_FORBIDDEN` when the endpoint is no base URL */
  constructor(target: DialTarget) {
    const url = endpointUrl(target.endpoint);
    this.endpoint = target.endpoint;
    this.#basePath = url.pathname.replace(/\/+$/, "");
    this.#origin = url.origin;
    this.#options = {
      pipelining: 1,
      headersTimeout: SILENCE_MS,
      bodyTimeout: SILENCE_MS,
      maxHeaderSize: ASFP_LIMITS.headerBytes,
      connect: (_options, callback) => {
        void this.#connect(target, callback);
      },
    };
    this.#requests = new Client(this.#origin, this.#options);
  }

  /** From now on requests run beside each other, on connections of their own. */
  widen(): void {
    const first = this.#requests;
    this.#requests = new Pool(this.#origin, { ...this.#options, connections: CONNECTIONS });
    first.close().catch(() => undefined);
  }

  /** `host:port` as the other side sees it in `Host`. */
  get authority(): string {
    return new URL(this.endpoint).host;
  }

  /** What the only connection proves; `undefined` when there is none, or when there were several. */
  get onlyConnection(): Secured | undefined {
    const [socket] = this.#opened;
    return socket === undefined || this.#opened.length > 1 || socket.destroyed ? undefined : securedBy(socket);
  }

  /** From now on connections must pass this; what it returns fails the request that needed one. */
  accept(check: (spki: string) => PeerError | undefined): void {
    this.#accepts = check;
  }

  /** @throws {PeerError} @throws the signal's reason */
  async request({ method, path, headers, body }: OutgoingRequest, signal: AbortSignal): Promise<OutgoingAnswer> {
    try {
      const answer = await this.#requests.request({
        method,
        path: `${this.#basePath}${path}`,
        headers,
        signal,
        ...(body === undefined ? {} : { body }),
      });
      return { status: answer.statusCode, headers: singleHeaders(answer.headers), body: answer.body };
    } catch (error) {
      throw this.failure(error, signal);
    }
  }

  /** What a failed request or body means to a caller. */
  failure(error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    if (error instanceof PeerError) return error;
    const reason = error instanceof Error ? error.message : String(error);
    return new PeerError("UNREACHABLE", { endpoint: this.endpoint, reason }, { cause: error });
  }

  /** Ends connections once what runs on them is over. */
  async close(): Promise<void> {
    await this.#requests.close();
  }

  /** Cuts what runs. */
  async destroy(): Promise<void> {
    await this.#requests.destroy();
  }

  async #connect(target: DialTarget, callback: buildConnector.Callback): Promise<void> {
    let socket: TLSSocket;
    try {
      socket = await this.#open(target);
    } catch (error) {
      callback(error as Error, null);
      return;
    }
    callback(null, socket);
  }

  async #open(target: DialTarget): Promise<TLSSocket> {
    const socket = await dial(target);
    const refused = this.#accepts(securedBy(socket).spki);
    if (refused !== undefined) {
      socket.destroy();
      throw refused;
    }
    this.#opened.push(socket);
    socket.once("close", () => this.#opened.splice(this.#opened.indexOf(socket), 1));
    return socket;
  }
}

function singleHeaders(headers: Dispatcher.ResponseData["headers"]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name.toLowerCase(), Array.isArray(value) ? value.join(", ") : value]],
    ),
  );
}
