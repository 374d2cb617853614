/** Addresses whose node ids are not known yet: seeds, and those of the federation document that a person wants to hear about. */

import type { PeerFailure } from "../contract/federation-reports.ts";
import type { Logger } from "../observability/logging.ts";
import type { PeerLinks } from "../peers/peer-links.ts";
import type { GossipClock } from "./clock.ts";
import type { Documents } from "./members.ts";
import type { AskedAddress } from "./reports.ts";
import { GOSSIP_LIMITS } from "./timing.ts";

interface AddressParts {
  readonly links: Pick<PeerLinks, "identify">;
  readonly documents: () => Documents;
  readonly letsIn: (nodeId: string) => boolean;
  readonly seeds: readonly string[];
  readonly failureOf: (error: unknown) => PeerFailure;
  readonly clock: GossipClock;
  readonly logger: Logger;
}

/** A seed that nobody has answered at is asked again sooner. */
const SEED_RETRY_MS = 10_000;
/** A seed that was met is probed as a peer is. */
const SEED_AGAIN_MS = 600_000;

export class AddressBook {
  readonly #parts: AddressParts;
  readonly #changed: () => void;
  readonly #asked = new Map<string, AskedAddress>();
  readonly #dueMs = new Map<string, number>();
  readonly #said = new Set<string>();

  constructor(parts: AddressParts, changed: () => void) {
    this.#parts = parts;
    this.#changed = changed;
  }

  /** What became of the federation document's addresses, in its order; without those not asked yet. */
  get report(): readonly AskedAddress[] {
    return (this.#parts.documents().federation?.addresses ?? []).flatMap((address) => this.#asked.get(address) ?? []);
  }

  isSeed(nodeId: string): boolean {
    return this.#seeds().some((address) => this.#asked.get(address)?.claims === nodeId);
  }

  /** Until the next look; short, because documents change meanwhile. */
  pauseMs(nowMs: number): number {
    const next = Math.min(...this.#all().map((address) => this.#dueMs.get(address) ?? nowMs));
    return Math.min(GOSSIP_LIMITS.probeMs, Math.max(500, next - nowMs));
  }

  async askDue(signal: AbortSignal): Promise<void> {
    const all = this.#all();
    for (const address of this.#dueMs.keys()) if (!all.includes(address)) this.#drop(address);
    const nowMs = this.#parts.clock.nowMs();
    const due = all.filter((address) => (this.#dueMs.get(address) ?? nowMs) <= nowMs);
    await Promise.all(due.map((address) => this.#ask(address, signal)));
  }

  #seeds(): readonly string[] {
    return [...this.#parts.seeds, ...(this.#parts.documents().federation?.seeds ?? [])];
  }

  #isReported(address: string): boolean {
    return this.#parts.documents().federation?.addresses?.includes(address) === true;
  }

  #all(): readonly string[] {
    return [...new Set([...this.#seeds(), ...(this.#parts.documents().federation?.addresses ?? [])])];
  }

  #drop(address: string): void {
    this.#dueMs.delete(address);
    this.#asked.delete(address);
    this.#changed();
  }

  async #ask(address: string, stop: AbortSignal): Promise<void> {
    const { links, clock, failureOf } = this.#parts;
    const signal = AbortSignal.any([stop, clock.timeout(GOSSIP_LIMITS.connectTimeoutMs)]);
    try {
      const { nodeId, admission } = await links.identify(address, true, signal);
      this.#note({ address, claims: nodeId });
      this.#say(address, nodeId, admission);
      const againMs = this.#isReported(address) ? GOSSIP_LIMITS.addressMs : SEED_AGAIN_MS;
      this.#dueMs.set(address, clock.nowMs() + againMs);
    } catch (error) {
      if (stop.aborted) return;
      this.#note({ address, failure: failureOf(error) });
      const retryMs = this.#seeds().includes(address) ? SEED_RETRY_MS : GOSSIP_LIMITS.addressMs;
      this.#dueMs.set(address, clock.nowMs() + retryMs);
    }
  }

  #note(asked: AskedAddress): void {
    const before = this.#asked.get(asked.address);
    if (JSON.stringify(before) === JSON.stringify(asked)) return;
    this.#asked.set(asked.address, asked);
    this.#changed();
    if (asked.failure !== undefined) this.#parts.logger.warn(asked, "nobody can be recognised at an address");
  }

  /** Said once for each node that is met at a seed. */
  #say(address: string, nodeId: string, admission: string): void {
    if (this.#said.has(nodeId) || !this.#seeds().includes(address)) return;
    this.#said.add(nodeId);
    const { letsIn, logger } = this.#parts;
    if (letsIn(nodeId)) logger.info({ address, nodeId, admission }, "met a seed");
    else {
      const command = `archive-node peer approve ${nodeId}`;
      logger.warn(
        { address, nodeId, command },
        "a seed waits for approval: compare its node id with what its owner says",
      );
    }
  }
}
