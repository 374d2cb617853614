/**
 * One collection of one peer: reads what changed there at the pace of its policy, remembers what is wanted, and fetches it.
 * Everything that matters is in the store before it is acted on, so that an end at any moment loses nothing.
 */
import type { HoldingQueries } from "../archive/archive.ts";
import type { ChangesAnswer, CollectionAccess } from "../asfp/sync-messages.ts";
import type { MissingReason, SyncTarget } from "../contract/federation-reports.ts";
import type { Logger } from "../observability/logging.ts";
import { askedWaitMs, isPeerFault, missingReasonOf, SyncError } from "./errors.ts";
import type { ItemFetch } from "./item-fetch.ts";
import type { RunResult } from "./metrics.ts";
import { newItemOf, sortHashes } from "./new-items.ts";
import { firstRunMs, nextRunMs, peerRetryMs } from "./pace.ts";
import type { PeerLists } from "./peer-lists.ts";
import { isWider, type PlannedTarget } from "./plan.ts";
import { letsNothingIn, shownCounts, shownReason, stateOf, Tally, type TargetView } from "./tally.ts";
import type { DueItem, NewItem, StoredPair } from "./wanted-calls.ts";
import type { WantedStore } from "./wanted-store.ts";

export interface TargetDeps {
  readonly store: Pick<WantedStore, "call">;
  readonly lists: PeerLists;
  readonly holdings: Pick<HoldingQueries, "heldOf" | "withdrawnOf">;
  readonly items: ItemFetch;
  readonly accessOf: (collection: string) => CollectionAccess;
  readonly maxBytes: number;
  readonly logger: Logger;
  readonly ran: (result: RunResult) => void;
  /** Epoch milliseconds. */
  readonly nowMs: () => number;
  readonly random: () => number;
}

/** Files of one pair under way; the slots say how many of them really run. */
const IN_FLIGHT = 4;
const DUE_PER_CALL = 32;
/** Lies about holdings cost us a row each. */
const MAX_WANTED = 2_000_000;
/** A file that another target fetches just now, or a row that could not be written: looked at again soon, never at once. */
const SOON_MS = 1_000;
const MAX_TIMER_MS = 2 ** 31 - 1;

export class Target {
  readonly planned: PlannedTarget;
  readonly #deps: TargetDeps;
  readonly #pair: number;
  readonly #tally: Tally;
  #cursor: string | undefined;
  #held: number;
  #blocked: MissingReason | undefined;
  #hasEnded = false;
  #listFailed = false;
  /** The peer says that it has the collection, or was not asked yet. */
  #isOffered = true;
  /** `undefined` until the peer was asked. */
  #hasFeed: boolean | undefined;
  #failures = 0;
  #nextRunMs: number | undefined;
  #wake: () => void = () => {};
  readonly #active = new Map<string, { readonly remembered: MissingReason; phase: "transferring" | "verifying" }>();

  constructor(planned: PlannedTarget, stored: StoredPair, deps: TargetDeps) {
    this.planned = planned;
    this.#deps = deps;
    this.#pair = stored.id;
    this.#cursor = stored.cursor;
    this.#held = stored.held;
    this.#tally = new Tally(stored.missing);
    this.#nextRunMs = firstRunMs(planned.policy, deps.nowMs());
    // Until another document is in force.
    if (this.#nextRunMs === undefined) [this.#blocked, this.#listFailed] = ["bad-schedule", true];
  }

  get maxBytes(): number {
    return Math.min(this.planned.policy.maxItemBytes ?? Number.MAX_SAFE_INTEGER, this.#deps.maxBytes);
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    this.#tally.replace(await this.#deps.store.call("limit", { pair: this.#pair, maxBytes: this.maxBytes }));
    while (!signal.aborted) {
      if ((this.#nextRunMs ?? Number.POSITIVE_INFINITY) <= this.#deps.nowMs()) await this.#look(signal);
      if (this.#blocked === undefined) await this.#fetchDue(signal);
      await this.#sleep(signal);
    }
  }

  /** Hashes of an offered list that will be fetched; a peer whose list is read needs no offers. */
  async offered(hashes: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
    if (this.#hasFeed === true || letsNothingIn(this.#blocked) || this.#tally.total >= MAX_WANTED) return [];
    const { collection } = this.planned;
    const { wanted } = await sortHashes(this.#deps.holdings, collection, hashes, signal);
    const items = wanted.map((hash): NewItem => ({ hash, size: undefined, filename: undefined, reason: "queued" }));
    this.#tally.add(await this.#deps.store.call("page", { pair: this.#pair, cursor: undefined, held: 0, items }));
    // It is there: whoever calls can be called.
    if (wanted.length > 0 && this.#blocked === "holder-offline") this.#blocked = undefined;
    this.#wake();
    return wanted;
  }

  /** `undefined` when there is nothing to say: the policy takes what both sides have, and the peer has it not. */
  report(): SyncTarget | undefined {
    if (!this.#isOffered && !this.planned.isNamed && this.#tally.total === 0) return undefined;
    const { peer, collection } = this.planned;
    return { peer, collection, ...stateOf(this.#view) };
  }

  /** Whether its list was ever read, so that counts mean something. */
  get isKnown(): boolean {
    return this.#cursor !== undefined || (this.#hasEnded && !this.#listFailed);
  }

  get counts(): {
    readonly held: number;
    readonly missing: ReadonlyMap<MissingReason, number>;
    readonly total: number;
  } {
    const shown = shownCounts(this.#view);
    return { held: this.#held, missing: shown.counts, total: shown.total };
  }

  async missing(limit: number): Promise<readonly { readonly hash: string; readonly reason: MissingReason }[]> {
    const rows = await this.#deps.store.call("missing", { pair: this.#pair, limit });
    return rows.map(({ hash, reason }) => ({
      hash,
      reason: this.#active.get(hash)?.phase ?? shownReason(reason, this.#blocked),
    }));
  }

  get #view(): TargetView {
    return {
      ...{ counts: this.#tally.counts, active: [...this.#active.values()], blocked: this.#blocked },
      ...{ hasEnded: this.#hasEnded, listFailed: this.#listFailed },
    };
  }

  /** Reads what changed. A failure is the peer's, and ends the look until it is asked again. */
  async #look(signal: AbortSignal): Promise<void> {
    const { policy, peer, collection } = this.planned;
    const begunMs = this.#deps.nowMs();
    try {
      this.#blocked = await this.#permission();
      if (this.#hasFeed === true && this.#isOffered) await this.#readChanges(signal);
      this.#listFailed = this.#blocked === "refused";
      // A peer that answers lists and gives no file has not come back.
      if (this.#tally.total === 0) this.#failures = 0;
      this.#nextRunMs = nextRunMs(policy, begunMs);
    } catch (error) {
      if (signal.aborted) return;
      this.#peerFailed(error);
      this.#listFailed = true;
      this.#deps.logger.warn({ err: error, policy: policy.name, peer, collection }, "a peer's list could not be read");
    }
    this.#hasEnded = true;
    this.#deps.ran(this.#listFailed ? "failed" : this.#tally.total === 0 ? "synced" : "incomplete");
  }

  /** Why nothing may come from there, as the peer's list of collections says. */
  async #permission(): Promise<MissingReason | undefined> {
    const { peer, collection, isNamed } = this.planned;
    const offered = await this.#deps.lists.collections(peer);
    this.#hasFeed = offered !== undefined;
    // Who knows the protocol's document only has no levels of access: it gives the same to all whom it lets in.
    if (offered === undefined) return undefined;
    const access = offered.get(collection);
    this.#isOffered = access !== undefined;
    if (access === undefined) return isNamed || this.#tally.total > 0 ? "refused" : undefined;
    return isWider(this.#deps.accessOf(collection), access) ? "access-wider" : undefined;
  }

  async #readChanges(signal: AbortSignal): Promise<void> {
    const { peer, collection } = this.planned;
    if (this.#cursor === undefined) await this.#startOver();
    for (let isFresh = this.#cursor === undefined; ; ) {
      const page = await this.#deps.lists.changes(peer, collection, this.#cursor, signal);
      if (page === undefined) {
        if (isFresh) throw new SyncError("BAD_LIST", { reason: "its beginning is refused as a place that is no more" });
        isFresh = true;
        await this.#startOver();
        continue;
      }
      const stands = page.next === this.#cursor;
      await this.#take(page, signal);
      if (!page.more || stands) return;
      if (this.#tally.total >= MAX_WANTED) throw new SyncError("BAD_LIST", { reason: `more than ${MAX_WANTED} files` });
    }
  }

  /** The list is read from its beginning; what is here is passed over then. */
  async #startOver(): Promise<void> {
    await this.#deps.store.call("reset", this.#pair);
    this.#tally.replace({});
    this.#cursor = undefined;
    this.#held = 0;
  }

  /** What the peer withdrew is not asked for; what is here of it stays, because nobody removes files of others. */
  async #take({ items: changes, withdrawn, next: cursor }: ChangesAnswer, signal: AbortSignal): Promise<void> {
    // An idle look writes nothing.
    if (cursor === this.#cursor) return;
    if (withdrawn.length > 0) await this.#drop(withdrawn);
    const byHash = new Map(changes.map((change) => [change.hash, change]));
    const { collection } = this.planned;
    const { held, wanted } = await sortHashes(this.#deps.holdings, collection, [...byHash.keys()], signal);
    const isWanted = new Set(wanted);
    const items = [...byHash.values()]
      .filter(({ hash }) => isWanted.has(hash))
      .map((change) => newItemOf(change, this.maxBytes));
    const added = await this.#deps.store.call("page", { pair: this.#pair, cursor, held: held.size, items });
    this.#tally.add(added);
    this.#cursor = cursor;
    this.#held += held.size;
  }

  async #drop(hashes: readonly string[]): Promise<void> {
    this.#tally.remove(await this.#deps.store.call("drop", { pair: this.#pair, hashes }));
  }

  /** Fetches what is due, several at once, until nothing is due or the peer fails. */
  async #fetchDue(signal: AbortSignal): Promise<void> {
    const running = new Set<Promise<void>>();
    try {
      await this.#fetchInto(running, signal);
    } finally {
      await Promise.allSettled(running);
    }
  }

  async #fetchInto(running: Set<Promise<void>>, signal: AbortSignal): Promise<void> {
    const passed = new Set<string>();
    let queue: DueItem[] = [];
    while (!signal.aborted && this.#blocked === undefined) {
      if (queue.length === 0) queue = await this.#due(passed);
      const item = running.size < IN_FLIGHT ? queue.shift() : undefined;
      if (item === undefined && running.size === 0) break;
      if (item === undefined) {
        await Promise.race(running);
        continue;
      }
      // Each file gets one attempt a time, whatever its row says after it.
      passed.add(item.hash);
      const work = this.#fetch(item, signal).finally(() => running.delete(work));
      running.add(work);
    }
  }

  async #due(passed: ReadonlySet<string>): Promise<DueItem[]> {
    const limit = DUE_PER_CALL + passed.size;
    const due = await this.#deps.store.call("due", { pair: this.#pair, nowMs: this.#deps.nowMs(), limit });
    return due.filter(({ hash }) => !passed.has(hash));
  }

  async #fetch(item: DueItem, signal: AbortSignal): Promise<void> {
    const { peer, collection, policy } = this.planned;
    const request = { peer, collection, item, maxBytes: this.maxBytes };
    const phase = (now: "transferring" | "verifying"): void => {
      this.#active.set(item.hash, { remembered: item.reason, phase: now });
    };
    const outcome = await this.#deps.items.fetch(request, phase, signal);
    this.#active.delete(item.hash);
    if (outcome.kind === "later") return;
    if (outcome.kind === "unwanted") return this.#drop([item.hash]);
    if (outcome.kind === "held") {
      await this.#deps.store.call("done", { pair: this.#pair, hash: item.hash });
      this.#tally.move(item.reason, undefined);
      this.#held += 1;
      this.#failures = 0;
      return;
    }
    const { error, reason, failures, dueMs } = outcome;
    this.#deps.logger.warn(
      { err: error, policy: policy.name, peer, collection, hash: item.hash, reason },
      "a file did not come",
    );
    if (isPeerFault(error)) this.#peerFailed(error);
    await this.#deps.store.call("failed", { pair: this.#pair, hash: item.hash, reason, failures, dueMs });
    this.#tally.move(item.reason, reason);
  }

  #peerFailed(error: unknown): void {
    const reason = missingReasonOf(error);
    this.#failures += 1;
    // A busy peer is one that does not answer.
    this.#blocked = reason === "queued" ? "holder-offline" : reason;
    const waitMs = Math.max(peerRetryMs(this.#failures, this.#deps.random), askedWaitMs(error));
    this.#nextRunMs = this.#deps.nowMs() + waitMs;
  }

  async #sleep(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const dueMs = this.#blocked === undefined ? await this.#deps.store.call("nextDue", this.#pair) : undefined;
    const nowMs = this.#deps.nowMs();
    const dueInMs = dueMs === undefined ? Number.POSITIVE_INFINITY : Math.max(SOON_MS, dueMs - nowMs);
    const runInMs = this.#nextRunMs === undefined ? Number.POSITIVE_INFINITY : Math.max(0, this.#nextRunMs - nowMs);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, Math.min(MAX_TIMER_MS, dueInMs, runInMs));
    signal.addEventListener("abort", () => resolve(), { once: true });
    await promise;
    clearTimeout(timer);
  }
}
