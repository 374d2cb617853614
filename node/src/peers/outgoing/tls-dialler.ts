/**
 * Opens TLS connections to peers: looks the name up once, checks every address, connects to an address that was checked,
 * and reads the certificate's key, which decides who is there instead of a name or a CA.
 */
import { lookup as systemLookup } from "node:dns/promises";
import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { CHANNEL } from "../../asfp/handshake.ts";
import { PeerError } from "../errors.ts";
import { spkiDigest } from "../spki.ts";
import { type AddressRule, forbidden } from "./address-filter.ts";

/** Whole of looking up, connecting and TLS. */
const CONNECT_MS = 5_000;
const MAX_ADDRESSES = 4;
const DEFAULT_PORT = 443;

export type Lookup = (host: string) => Promise<readonly { readonly address: string }[]>;

const resolveAll: Lookup = (host) => systemLookup(host, { all: true });

export interface DialTarget {
  /** Base URL. */
  readonly endpoint: string;
  readonly rule: AddressRule;
  /** Instead of the system's. */
  readonly lookup?: Lookup;
}

/** What a connection proves, read once: Node gives a self-signed certificate only to whoever asks first. */
export interface Secured {
  /** `sha256:<hex>` of the certificate's public key. */
  readonly spki: string;
  /** TLS exporter of the connection. */
  readonly channel: Uint8Array;
}

const secured = new WeakMap<TLSSocket, Secured>();

/** @throws {Error} when the socket was not opened here */
export function securedBy(socket: TLSSocket): Secured {
  const found = secured.get(socket);
  if (found === undefined) throw new Error("the socket was not opened by the dialler");
  return found;
}

/** @throws {PeerError} `ADDRESS_FORBIDDEN` */
export function endpointUrl(endpoint: string): URL {
  const refuse = (reason: string) => new PeerError("ADDRESS_FORBIDDEN", { endpoint, reason });
  if (!URL.canParse(endpoint)) throw refuse("it is no URL");
  const url = new URL(endpoint);
  if (url.protocol !== "https:") throw refuse("it is not https");
  if (url.username !== "" || url.password !== "") throw refuse("it names a user, which no endpoint has");
  return url;
}

/** @throws {PeerError} `ADDRESS_FORBIDDEN`, `UNREACHABLE`, `TLS_FAILED` */
export async function dial(target: DialTarget): Promise<TLSSocket> {
  const deadline = AbortSignal.timeout(CONNECT_MS);
  const { endpoint } = target;
  const url = endpointUrl(endpoint);
  const port = url.port === "" ? DEFAULT_PORT : Number(url.port);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const addresses = await checkedAddresses(host, port, target, deadline);
  let last: unknown;
  for (const address of addresses.slice(0, MAX_ADDRESSES)) {
    try {
      return await secureConnection(address, port, host, endpoint, deadline);
    } catch (error) {
      last = error;
      if (error instanceof PeerError && (error as PeerError).code === "TLS_FAILED") break;
    }
  }
  throw last;
}

/** Every address of the name must pass: one that hides behind others is no accident. */
async function checkedAddresses(host: string, port: number, target: DialTarget, deadline: AbortSignal) {
  const { endpoint, rule, lookup = resolveAll } = target;
  const found = isIP(host) === 0 ? await lookUp(host, endpoint, lookup, deadline) : [host];
  for (const address of found) {
    const reason = forbidden(address, port, rule);
    if (reason !== undefined) throw new PeerError("ADDRESS_FORBIDDEN", { endpoint, reason });
  }
  return found;
}

async function lookUp(host: string, endpoint: string, lookup: Lookup, deadline: AbortSignal): Promise<string[]> {
  try {
    const found = await orAborted(lookup(host), deadline);
    if (found.length > 0) return found.map(({ address }) => address);
  } catch (error) {
    throw new PeerError("UNREACHABLE", { endpoint, reason: `${host} cannot be looked up` }, { cause: error });
  }
  throw new PeerError("UNREACHABLE", { endpoint, reason: `${host} has no address` });
}

function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason as Error);
  signal.addEventListener("abort", abort, { once: true });
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener("abort", abort));
}

/** Connects to the address itself: the name is for SNI alone and is not looked up again. */
function secureConnection(
  address: string,
  port: number,
  host: string,
  endpoint: string,
  deadline: AbortSignal,
): Promise<TLSSocket> {
  const socket = connect({
    host: address,
    port,
    ...(isIP(host) === 0 ? { servername: host.replace(/\.$/, "") } : {}),
    ALPNProtocols: ["http/1.1"],
    minVersion: "TLSv1.3",
    // Who is there is decided by the key that the handshake proves; names and CAs say nothing of it.
    rejectUnauthorized: false,
  });
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  let isConnected = false;
  const fail = (cause: unknown) => {
    socket.destroy();
    reject(dialError(cause, endpoint, isConnected));
  };
  const late = () => fail(new Error(`no answer within ${CONNECT_MS} ms`));
  deadline.addEventListener("abort", late, { once: true });
  if (deadline.aborted) late();
  socket.once("connect", () => {
    isConnected = true;
  });
  socket.once("error", fail);
  socket.once("close", () => fail(new Error("the connection was closed")));
  socket.once("secureConnect", () => {
    try {
      secured.set(socket, readSecured(socket));
      socket.removeListener("error", fail);
      resolve(socket);
    } catch (error) {
      fail(error);
    }
  });
  socket.setNoDelay(true);
  return promise.finally(() => deadline.removeEventListener("abort", late));
}

function dialError(cause: unknown, endpoint: string, isConnected: boolean): PeerError {
  if (cause instanceof PeerError) return cause as PeerError;
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (isConnected)
    return new PeerError("TLS_FAILED", { endpoint, reason: `no TLS 1.3 connection: ${reason}` }, { cause });
  return new PeerError("UNREACHABLE", { endpoint, reason }, { cause });
}

/** A resumed session shows no certificate, and a pin that is not compared is none: both end the connection. */
function readSecured(socket: TLSSocket): Secured {
  if (socket.isSessionReused()) throw new Error("the session was resumed, so that no certificate was shown");
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) throw new Error("no certificate was shown");
  const channel = socket.exportKeyingMaterial(CHANNEL.bytes, CHANNEL.label, Buffer.alloc(0));
  return { spki: spkiDigest(certificate), channel };
}
