/** Calls to peers by node id: a link for each, made when it is first called. */
import { PeerError } from "./errors.ts";
import { handshake } from "./handshake-client.ts";
import { parseAnswer, readUpTo } from "./outgoing/read-body.ts";
import type { PeerAnswer, PeerCall } from "./peer-calls.ts";
import { PeerLink, type PeerLinkParts } from "./peer-link.ts";
import type { IdentifiedPeer, PeerLinks } from "./peer-links.ts";

const IDENTIFY_MS = 10_000;
const STATES = ["closed", "open", "half_open"] as const;

export class OutgoingPeers implements PeerLinks {
  readonly #parts: PeerLinkParts;
  readonly #links = new Map<string, PeerLink>();

  constructor(parts: PeerLinkParts) {
    this.#parts = parts;
  }

  async json(nodeId: string, call: PeerCall, { maxBytes, signal }: { maxBytes: number; signal: AbortSignal }) {
    const { body, ...answer } = await this.stream(nodeId, call, signal);
    const bytes = await readUpTo(body, maxBytes);
    // Of an error only the status is for sure: whatever stands in between may answer with a page.
    const isJson = (answer.headers["content-type"] ?? "").includes("json");
    return { ...answer, body: isJson || answer.status < 300 ? parseAnswer(bytes) : undefined };
  }

  async stream(
    nodeId: string,
    { method, path, headers, body }: PeerCall,
    signal: AbortSignal,
  ): Promise<PeerAnswer & { readonly body: AsyncIterable<Uint8Array> }> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const request = { method, path, headers: { ...headers, ...type }, ...sent };
    const answer = await this.#link(nodeId).call(request, signal);
    return { status: answer.status, headers: answer.headers, body: bodyOf(answer.body, path, signal) };
  }

  async connect(nodeId: string, signal: AbortSignal): Promise<void> {
    await this.#link(nodeId).connect(signal);
  }

  isConnected(nodeId: string): boolean {
    return this.#links.get(nodeId)?.isConnected === true;
  }

  rttMs(nodeId: string): number | undefined {
    return this.#links.get(nodeId)?.rttMs;
  }

  encourage(nodeId: string): void {
    this.#links.get(nodeId)?.encourage();
  }

  async identify(endpoint: string, isAuthored: boolean, signal: AbortSignal): Promise<IdentifiedPeer> {
    const { allowedNetworks, lookup, table, handshakeEnded } = this.#parts;
    const rule = isAuthored ? { kind: "authored" as const } : { kind: "learnt" as const, allowed: allowedNetworks };
    const target = { endpoint, rule, ...(lookup === undefined ? {} : { lookup }) };
    const late = AbortSignal.timeout(IDENTIFY_MS);
    const within = AbortSignal.any([signal, late]);
    try {
      const met = await handshake(this.#parts, target, undefined, () => undefined, within);
      await met.channel.destroy();
      table.learn(met.signed, "verified", "handshake");
      handshakeEnded("identified");
      const { admission, nodeId, signed } = met;
      if ("session" in admission) return { nodeId, signed, endpoint, admission: "accepted" };
      const { status } = (admission.refusal as PeerError<"NOT_ADMITTED">).details;
      return { nodeId, signed, endpoint, admission: status };
    } catch (error) {
      handshakeEnded(error instanceof PeerError ? (error as PeerError).code.toLowerCase() : "timeout");
      if (!late.aborted || signal.aborted || error instanceof PeerError) throw error;
      throw new PeerError("UNREACHABLE", { endpoint, reason: `no handshake within ${IDENTIFY_MS} ms` });
    }
  }

  /** Ends links to peers that are not let in any more. */
  async endRefused(): Promise<void> {
    const refused = [...this.#links].filter(([nodeId]) => !this.#parts.trust.letsIn(nodeId));
    for (const [nodeId] of refused) this.#links.delete(nodeId);
    await Promise.all(refused.map(([, link]) => link.destroy()));
  }

  async close(): Promise<void> {
    const links = [...this.#links.values()];
    this.#links.clear();
    await Promise.all(links.map((link) => link.destroy()));
  }

  breakers(): Readonly<Record<(typeof STATES)[number], number>> {
    const count = (state: (typeof STATES)[number]) =>
      [...this.#links.values()].filter((link) => link.breaker === state).length;
    return { closed: count("closed"), open: count("open"), half_open: count("half_open") };
  }

  #link(nodeId: string): PeerLink {
    const held = this.#links.get(nodeId);
    if (held !== undefined) return held;
    const link = new PeerLink(nodeId, this.#parts);
    // Whoever is not let in gets no link that stays: ids are endless.
    if (this.#parts.trust.letsIn(nodeId)) this.#links.set(nodeId, link);
    return link;
  }
}

/** A broken transfer is told as the peer's failure, an aborted one with the signal's reason. */
async function* bodyOf(body: AsyncIterable<Uint8Array>, path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const reason = `the answer broke off: ${error instanceof Error ? error.message : String(error)}`;
    throw new PeerError("UNREACHABLE", { endpoint: path, reason }, { cause: error });
  }
}
