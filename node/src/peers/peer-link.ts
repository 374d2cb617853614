/** The way to one peer: dials it, proves both sides, holds session and connections, and knows when not to try. */
import type { Session } from "../asfp/handshake.ts";
import type { FederationPeerEntry } from "../contract/documents.ts";
import { Breaker, type BreakerState } from "./breaker.ts";
import { PeerError, peerFailure } from "./errors.ts";
import { type HandshakeClientParts, handshake, type Met } from "./handshake-client.ts";
import type { AddressRule } from "./outgoing/address-filter.ts";
import type { Channel, OutgoingAnswer, OutgoingRequest } from "./outgoing/channel.ts";
import type { Lookup } from "./outgoing/tls-dialler.ts";
import type { PeerTable } from "./peer-table.ts";
import type { Trust } from "./trust.ts";

/** Whole handshake at one endpoint. */
const HANDSHAKE_MS = 10_000;
/** A session is renewed beside the calls when less than this is left of it. */
const RENEW_BEFORE_MS = 60_000;
/** Pause after a peer said that it does not let this node in: its operator may add it at any time. */
const NOT_ADMITTED_PAUSE_MS = 20_000;
const ROUND_TRIPS = 9;

export interface PeerLinkParts extends HandshakeClientParts {
  readonly trust: Trust;
  readonly table: PeerTable;
  /** Of the federation document. */
  readonly authored: (nodeId: string) => FederationPeerEntry | undefined;
  /** Networks in CIDR notation where learnt endpoints may be. */
  readonly allowedNetworks: readonly string[];
  readonly lookup?: Lookup;
  readonly handshakeEnded: (result: string) => void;
}

interface Open {
  readonly session: Session;
  readonly channel: Channel;
  readonly endsAtMs: number;
}

export class PeerLink {
  readonly #nodeId: string;
  readonly #parts: PeerLinkParts;
  readonly #breaker = new Breaker();
  readonly #roundTripsMs: number[] = [];
  #open: Open | undefined;
  #opening: Promise<Open> | undefined;
  /** Why the peer is not asked for a session now, and until when. */
  #pause: { readonly untilMs: number; readonly error: PeerError } | undefined;
  readonly #closed = new AbortController();

  constructor(nodeId: string, parts: PeerLinkParts) {
    this.#nodeId = nodeId;
    this.#parts = parts;
  }

  get isConnected(): boolean {
    const nowMs = this.#parts.nowMs();
    return this.#open !== undefined && nowMs < this.#open.endsAtMs && this.#breaker.state(nowMs) === "closed";
  }

  get breaker(): BreakerState {
    return this.#breaker.state(this.#parts.nowMs());
  }

  get rttMs(): number | undefined {
    return [...this.#roundTripsMs].sort((a, b) => a - b)[this.#roundTripsMs.length >> 1];
  }

  encourage(): void {
    this.#pause = undefined;
    this.#breaker.encourage(this.#parts.nowMs());
  }

  /** @throws {PeerError} @throws the signal's reason */
  async connect(signal: AbortSignal): Promise<void> {
    await this.#guarded(signal, async () => void (await this.#opened(signal)));
  }

  /** A session that the peer does not know any more is made anew, once. @throws {PeerError} @throws the signal's reason */
  async call(request: OutgoingRequest, signal: AbortSignal): Promise<OutgoingAnswer> {
    return this.#guarded(signal, async () => {
      const open = await this.#opened(signal);
      const answer = await this.#send(open, request, signal);
      if (answer.status !== 401) return answer;
      await answer.body.dump();
      if (this.#open === open) this.#drop();
      return this.#send(await this.#opened(signal), request, signal);
    });
  }

  /** Ends everything at once, also in the middle of an answer. */
  async destroy(): Promise<void> {
    this.#closed.abort(new PeerError("NOT_TRUSTED", { nodeId: this.#nodeId, reason: "it was removed" }));
    const open = this.#open;
    this.#open = undefined;
    await open?.channel.destroy();
  }

  async #send({ session, channel }: Open, request: OutgoingRequest, signal: AbortSignal): Promise<OutgoingAnswer> {
    const beganMs = performance.now();
    const headers = { ...request.headers, authorization: `ASFP ${session.token}` };
    const answer = await channel.request({ ...request, headers }, signal);
    this.#roundTripsMs.push(performance.now() - beganMs);
    if (this.#roundTripsMs.length > ROUND_TRIPS) this.#roundTripsMs.shift();
    return answer;
  }

  /** Asks trust and breaker first, and tells table and breaker how it went. */
  async #guarded<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const { trust, nowMs } = this.#parts;
    const admission = trust.admits(this.#nodeId);
    if (admission.kind === "refused" || admission.kind === "pending") {
      const reason = admission.kind === "pending" ? "nobody has added it" : `refused (${admission.reason})`;
      throw new PeerError("NOT_TRUSTED", { nodeId: this.#nodeId, reason });
    }
    if (this.#pause !== undefined && nowMs() < this.#pause.untilMs) throw this.#pause.error;
    const closed = this.#breaker.enter(nowMs());
    if (closed !== undefined) throw new PeerError("BREAKER_OPEN", { retryAfterMs: closed.waitMs, last: closed.last });
    try {
      const result = await work();
      this.#breaker.succeeded();
      return result;
    } catch (error) {
      this.#judge(error);
      throw error;
    }
  }

  #judge(error: unknown): void {
    const { nowMs, table } = this.#parts;
    if (!(error instanceof PeerError)) {
      const isLate = error instanceof Error && error.name === "TimeoutError";
      if (isLate) this.#breaker.failed(nowMs(), "no answer in time");
      else this.#breaker.left();
      return;
    }
    const known = error as PeerError;
    const failure = peerFailure(known);
    if (failure !== undefined) table.failed(this.#nodeId, failure);
    if (known.code === "NOT_ADMITTED" || known.code === "TOO_MANY") {
      const { retryAfterMs } = known.details as { readonly retryAfterMs?: number };
      this.#pause = { untilMs: nowMs() + (retryAfterMs ?? NOT_ADMITTED_PAUSE_MS), error: known };
      // It answered: that it is there is not in question.
      this.#breaker.succeeded();
    } else if (failure === undefined) this.#breaker.left();
    else this.#breaker.failed(nowMs(), known.message);
  }

  /** The session, and renewed beside the calls when it is about to end. */
  async #opened(signal: AbortSignal): Promise<Open> {
    const nowMs = this.#parts.nowMs();
    const open = this.#open;
    if (open !== undefined && nowMs < open.endsAtMs) {
      if (nowMs > open.endsAtMs - RENEW_BEFORE_MS) this.#openOnce().catch((error: unknown) => this.#judge(error));
      return open;
    }
    return raced(this.#openOnce(), signal);
  }

  /** One handshake, whoever waits for it: it does not end with the first caller's patience. */
  #openOnce(): Promise<Open> {
    this.#opening ??= this.#handshakes().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #handshakes(): Promise<Open> {
    const endpoints = this.#endpoints();
    let last: unknown = new PeerError("NO_ENDPOINT", { nodeId: this.#nodeId });
    for (const endpoint of endpoints) {
      try {
        return await this.#handshakeAt(endpoint);
      } catch (error) {
        if (this.#closed.signal.aborted) throw this.#closed.signal.reason;
        last = error;
        const isAnswer = error instanceof PeerError && ["NOT_ADMITTED", "TOO_MANY"].includes((error as PeerError).code);
        if (isAnswer) break;
      }
    }
    throw last;
  }

  /** Those a person named, then what worked last, then what the peer says of itself. */
  #endpoints(): readonly string[] {
    const entry = this.#parts.table.get(this.#nodeId);
    const authored = this.#parts.authored(this.#nodeId)?.endpoints ?? [];
    const learnt = [entry?.lastWorked, entry?.signed?.record.endpoint].filter((url) => url !== undefined);
    return [...new Set([...authored, ...learnt])].filter((url) => URL.canParse(url));
  }

  async #handshakeAt(endpoint: string): Promise<Open> {
    const { authored, allowedNetworks, lookup, table, handshakeEnded } = this.#parts;
    const isAuthored = authored(this.#nodeId)?.endpoints.includes(endpoint) === true;
    const rule: AddressRule = isAuthored ? { kind: "authored" } : { kind: "learnt", allowed: allowedNetworks };
    const target = { endpoint, rule, ...(lookup === undefined ? {} : { lookup }) };
    const late = AbortSignal.timeout(HANDSHAKE_MS);
    try {
      const signal = AbortSignal.any([late, this.#closed.signal]);
      const met = await handshake(this.#parts, target, this.#nodeId, (spki) => this.#pinned(endpoint, spki), signal);
      table.learn(met.signed, "verified", "handshake");
      const open = await this.#admitted(met);
      table.worked(this.#nodeId, endpoint);
      handshakeEnded("accepted");
      return open;
    } catch (error) {
      handshakeEnded(error instanceof PeerError ? (error as PeerError).code.toLowerCase() : "timeout");
      if (late.aborted && !(error instanceof PeerError)) {
        const reason = `no handshake within ${HANDSHAKE_MS} ms`;
        throw new PeerError("UNREACHABLE", { endpoint, reason }, { cause: error });
      }
      throw error;
    }
  }

  async #admitted(met: Met): Promise<Open> {
    const { channel, admission, signed, spki } = met;
    if ("refusal" in admission) {
      await channel.destroy();
      throw admission.refusal;
    }
    const known = new Set([spki, ...signed.record.tls_spki]);
    channel.accept((offered) => this.#keyOfSession(channel, known, offered));
    channel.widen();
    const endsAtMs = this.#parts.nowMs() + admission.session.expires_in_ms;
    const open = { session: admission.session, channel, endsAtMs };
    this.#drop();
    this.#open = open;
    return open;
  }

  /** A certificate key that the record does not name means a new handshake: the peer may have renewed its certificate. */
  #keyOfSession(channel: Channel, known: ReadonlySet<string>, spki: string): PeerError | undefined {
    if (known.has(spki)) return this.#pinned(channel.endpoint, spki);
    if (this.#open?.channel === channel) this.#drop();
    return new PeerError("TLS_FAILED", { endpoint: channel.endpoint, reason: "its certificate's key is a new one" });
  }

  #pinned(endpoint: string, spki: string): PeerError | undefined {
    const admission = this.#parts.trust.admits(this.#nodeId);
    const pins = [
      ...(this.#parts.authored(this.#nodeId)?.pins ?? []),
      ...(admission.kind === "trusted" ? admission.pins : []),
    ];
    if (pins.length === 0 || pins.includes(spki)) return undefined;
    return new PeerError("PIN_MISMATCH", { endpoint, actual: spki });
  }

  /** What runs on its connections goes on to its end. */
  #drop(): void {
    const open = this.#open;
    this.#open = undefined;
    open?.channel.close().catch(() => undefined);
  }
}

function raced<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  promise.catch(() => undefined);
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason as Error);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener("abort", abort));
}
