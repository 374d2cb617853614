/**
 * Keeps up with peers: probes them, pulls their lists, asks seeds and addresses who is there, and tells others whom it reached.
 * Every finding is this node's own; nothing is taken from hearsay but records that their owners signed.
 */
import { randomBytes } from "node:crypto";
import type { SignedPeerRecord } from "../asfp/peer-record.ts";
import type { PeerFailure, PeerState } from "../contract/federation-reports.ts";
import type { Component } from "../lifecycle/component.ts";
import type { Logger } from "../observability/logging.ts";
import type { PeerLinks } from "../peers/peer-links.ts";
import type { PeerTable } from "../peers/peer-table.ts";
import { AddressBook } from "./addresses.ts";
import type { GossipClock } from "./clock.ts";
import { Hearsay } from "./hearsay.ts";
import { type Documents, isNamed, membersOf } from "./members.ts";
import { Membership } from "./membership.ts";
import type { GossipMetrics } from "./metrics.ts";
import { choosePartners } from "./partners.ts";
import { ListPuller, type PullResult } from "./pull.ts";
import { SharedView, type ViewPage } from "./shared-view.ts";
import { GOSSIP_LIMITS, jittered, ProbePatience, roundPeriodMs } from "./timing.ts";

export interface GossipParts {
  readonly table: PeerTable;
  readonly links: PeerLinks;
  readonly documents: () => Documents;
  /** Whether the trust document lets a node in now; never the node itself. */
  readonly letsIn: (nodeId: string) => boolean;
  readonly ownNodeId: () => string;
  readonly ownRecord: () => Promise<SignedPeerRecord>;
  /** A failed handshake as reports name it. */
  readonly failureOf: (error: unknown) => PeerFailure;
  /** Base URLs of the command line. */
  readonly seeds: readonly string[];
  readonly clock: GossipClock;
  /** 0 to 1. */
  readonly random: () => number;
  readonly logger: Logger;
}

export class Gossip implements Component {
  readonly name = "gossip";
  readonly #view = new SharedView(randomBytes(6).toString("hex"));
  /** The version that the view was made of. */
  #viewed = -1;
  readonly #parts: GossipParts;
  readonly #membership: Membership;
  readonly #hearsay: Hearsay;
  readonly #puller: ListPuller;
  readonly #addresses: AddressBook;
  readonly #patience = new ProbePatience();
  readonly #stopping = new AbortController();
  #metrics: GossipMetrics | undefined;
  #loops: readonly Promise<void>[] = [];
  /** Told along with the peers: a change of what this node says of itself travels as fast as any. */
  #own: SignedPeerRecord | undefined;
  readonly #probing = new Map<string, Promise<void>>();
  /** Moves with everything that reports are made of. */
  #version = 0;

  constructor(parts: GossipParts) {
    this.#parts = parts;
    const { table, links, clock, logger } = parts;
    this.#membership = new Membership(parts.random, (transition) => {
      this.#version += 1;
      logger.info(transition, "peer's state changed");
    });
    this.#hearsay = new Hearsay(table, parts.ownNodeId);
    this.#puller = new ListPuller(links, this.#hearsay, clock.epochMs);
    this.#addresses = new AddressBook(parts, () => {
      this.#version += 1;
    });
    table.onChange(({ kind, entry }) => {
      this.#version += 1;
      if (kind === "forgotten") this.#puller.forget(entry.nodeId);
    });
  }

  /** Counted from now on. */
  useMetrics(metrics: GossipMetrics): void {
    this.#metrics = metrics;
  }

  get version(): number {
    return this.#version;
  }

  get addresses(): AddressBook {
    return this.#addresses;
  }

  /** Peers that are looked after: let in and not suspended. */
  get memberIds(): readonly string[] {
    return this.#membership.ids;
  }

  readonly stateOf = (nodeId: string): PeerState => this.#membership.stateOf(nodeId);
  readonly counts = (): Readonly<Record<PeerState, number>> => this.#membership.counts();

  async start(): Promise<void> {
    const { clock, random } = this.#parts;
    this.#loops = [
      // Not waited for: one that does not answer is no reason to ask the others later.
      this.#every(
        () => GOSSIP_LIMITS.probeMs,
        async () => void this.probeOnce().catch((error: unknown) => this.#failed(error)),
      ),
      this.#every(
        () => jittered(roundPeriodMs(this.#membership.size), random()),
        () => this.roundOnce(),
      ),
      this.#every(
        () => this.#addresses.pauseMs(clock.nowMs()),
        (signal) => this.#addresses.askDue(signal),
      ),
    ];
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#loops, ...this.#probing.values()]);
  }

  /** What others are told; see `SharedView`. */
  page(since: string | undefined, limit: number): ViewPage {
    const nowMs = this.#parts.clock.nowMs();
    return this.#currentView().page(since, limit, (nodeId) => nowMs - (this.#membership.lastAnswerMs(nodeId) ?? nowMs));
  }

  get digest(): string {
    return this.#currentView().digest;
  }

  /** One probe period: whoever is due is asked, all at once. */
  async probeOnce(): Promise<void> {
    const own = await this.#parts.ownRecord();
    if (own.record.seq !== this.#own?.record.seq) this.#version += 1;
    this.#own = own;
    this.#settleMembers();
    const due = this.#membership.due().filter((nodeId) => !this.#probing.has(nodeId));
    await Promise.all(
      due.map((nodeId) => {
        const probing = this.#probe(nodeId).finally(() => this.#probing.delete(nodeId));
        this.#probing.set(nodeId, probing);
        return probing;
      }),
    );
  }

  /** One gossip round: the lists of three peers. */
  async roundOnce(): Promise<void> {
    const { table, random } = this.#parts;
    const documents = this.#parts.documents();
    const candidates = this.#membership.ids
      .filter((nodeId) => this.stateOf(nodeId) === "alive")
      .map((nodeId) => ({
        nodeId,
        isTried: table.get(nodeId)?.level === "verified",
        isAnchor: isNamed(documents, nodeId) || this.#addresses.isSeed(nodeId),
      }));
    await Promise.all(choosePartners(candidates, random).map((nodeId) => this.#pull(nodeId)));
    this.#metrics?.round();
    this.#settleMembers();
  }

  /** What was learnt of a peer that a person removed. */
  forget(nodeId: string): void {
    const { table, clock } = this.#parts;
    const seq = table.get(nodeId)?.signed?.record.seq;
    if (seq !== undefined) this.#hearsay.bury(nodeId, seq, clock.epochMs());
    table.forget(nodeId);
    this.#settleMembers();
  }

  #settleMembers(): void {
    const { table, documents, letsIn, clock } = this.#parts;
    const isChanged = this.#membership.keepOnly(membersOf(documents(), table.all(), letsIn), clock.nowMs());
    if (isChanged) this.#version += 1;
    for (const nodeId of this.#membership.advance(clock.nowMs())) {
      if (!isNamed(documents(), nodeId)) this.forget(nodeId);
    }
  }

  async #probe(nodeId: string): Promise<void> {
    const { links, clock } = this.#parts;
    const isConnected = links.isConnected(nodeId);
    const waitMs = isConnected ? this.#patience.timeoutMs : GOSSIP_LIMITS.connectTimeoutMs;
    const beganMs = clock.nowMs();
    const signal = AbortSignal.any([this.#stopping.signal, clock.timeout(waitMs)]);
    try {
      await links.json(nodeId, { method: "HEAD", path: "/peers" }, { maxBytes: GOSSIP_LIMITS.pageBytes, signal });
      if (isConnected) this.#patience.answered(clock.nowMs() - beganMs);
      this.#membership.answered(nodeId, clock.nowMs());
      this.#metrics?.probed("answered");
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      // Only one that was there says something of this node: those that are gone always miss.
      if (this.stateOf(nodeId) === "alive") this.#patience.missed();
      this.#membership.missed(nodeId, clock.nowMs());
      this.#metrics?.probed("missed");
      this.#parts.logger.debug({ err: error, nodeId }, "a probe was not answered");
    }
  }

  async #pull(nodeId: string): Promise<void> {
    const { clock, logger } = this.#parts;
    const signal = AbortSignal.any([this.#stopping.signal, clock.timeout(GOSSIP_LIMITS.pageTimeoutMs)]);
    let result: PullResult;
    try {
      result = await this.#puller.pull(nodeId, signal);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      logger.debug({ err: error, nodeId }, "a peer list was not read");
      result = "unreachable";
    }
    this.#metrics?.pulled(result);
  }

  #currentView(): SharedView {
    if (this.#viewed === this.#version) return this.#view;
    this.#viewed = this.#version;
    const { table } = this.#parts;
    const active = this.#membership.ids.flatMap((nodeId) => {
      const entry = table.get(nodeId);
      const isActive = entry?.level === "verified" && this.stateOf(nodeId) === "alive";
      return isActive && entry.signed !== undefined ? [entry.signed] : [];
    });
    this.#view.update(this.#own === undefined ? active : [this.#own, ...active]);
    return this.#view;
  }

  #failed(error: unknown): void {
    if (this.#stopping.signal.aborted) return;
    this.#parts.logger.error({ err: error }, "gossip failed; it goes on with the next round");
  }

  async #every(periodMs: () => number, act: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { signal } = this.#stopping;
    const { clock } = this.#parts;
    while (!signal.aborted) {
      try {
        await act(signal);
      } catch (error) {
        this.#failed(error);
      }
      await clock.sleep(periodMs(), signal).catch(() => undefined);
    }
  }
}
