/**
 * Keeps one cache equal to the API server: list, watch, and whatever it takes to get back to watching.
 *
 * Never gives up and never serves half a list. One loop owns all state, so nothing runs after `run` has returned.
 */
import { KubeError } from "../kube/api-errors.ts";
import type { KubeClient, ListOptions } from "../kube/client.ts";
import { type Clock, pause } from "../kube/clock.ts";
import { type KubeObject, keyOf, type ResourceType } from "../kube/objects.ts";
import type { WatchEvent } from "../kube/watch-stream.ts";
import { ObjectCache, type ReadCache } from "./cache.ts";
import type { Log } from "./log.ts";
import { NO_REFLECTOR_METRICS, type ReflectorCounters, type ReflectorMetrics } from "./reflector-metrics.ts";
import {
  afterEnding,
  type Ending,
  isUnavailable,
  REFLECTOR_TIMINGS,
  type ReflectorState,
  type ReflectorTimings,
  refusesStreamingList,
  stateAfter,
} from "./reflector-policy.ts";
import { type Transform, transformAtTheDoor } from "./transforms.ts";

export interface ReflectorOptions {
  readonly client: KubeClient;
  readonly resource: ResourceType;
  readonly clock: Clock;
  readonly log: Log;
  /** All namespaces when absent. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Names, labels and annotations only: for kinds whose contents are large or secret. */
  readonly metadataOnly?: boolean;
  /** The program works without this kind: it gates neither start nor readiness. Default false. */
  readonly optional?: boolean;
  /** Applied to every object before it enters the cache; default {@link transformAtTheDoor}. */
  readonly transform?: Transform;
  readonly metrics?: ReflectorMetrics;
  readonly timings?: Partial<ReflectorTimings>;
  /** Draws from [0, 1). */
  readonly random?: () => number;
}

export interface Reflector<T extends KubeObject> {
  readonly resource: ResourceType;
  readonly cache: ReadCache<T>;
  readonly metadataOnly: boolean;
  readonly optional: boolean;
  readonly state: ReflectorState;
  /** Monotonic time of the last sign of life: an event, a bookmark, or a watch that was answered. */
  readonly lastContactMs: number;
  /** The longest a healthy watch may go without any contact, milliseconds. */
  readonly freshForMs: number;
  /** Runs until `signal` aborts; never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

export function createReflector<T extends KubeObject>(options: ReflectorOptions): Reflector<T> {
  return new ListWatch<T>(options);
}

const PAGE_SIZE = "500";

class ListWatch<T extends KubeObject> implements Reflector<T> {
  readonly cache: ObjectCache<T>;
  readonly #options: ReflectorOptions;
  readonly #timings: ReflectorTimings;
  readonly #metrics: ReflectorCounters;
  readonly #random: () => number;
  readonly #transform: Transform;
  #state: ReflectorState = "starting";
  #lastContactMs: number;
  /** Where to go on watching; `undefined` asks for a list. */
  #version: string | undefined;
  #streamingList = true;
  /** The first list may come from the server's cache; after a 410 that cache is what was too old. */
  #listFromCache = true;
  #openedAtMs: number | undefined;

  constructor(options: ReflectorOptions) {
    this.#options = options;
    this.#timings = { ...REFLECTOR_TIMINGS, ...options.timings };
    this.#random = options.random ?? Math.random;
    this.#transform = options.transform ?? transformAtTheDoor;
    this.#lastContactMs = options.clock.monotonicMs();
    this.#metrics = (options.metrics ?? NO_REFLECTOR_METRICS)({
      kind: options.resource.kind,
      size: () => this.cache.size,
      silentForMs: () => (this.#isDoneWithout() ? undefined : options.clock.monotonicMs() - this.#lastContactMs),
    });
    this.cache = new ObjectCache((error) =>
      options.log.error({ err: error, kind: this.resource.kind }, "a change listener failed"),
    );
  }

  get resource(): ResourceType {
    return this.#options.resource;
  }

  get metadataOnly(): boolean {
    return this.#options.metadataOnly ?? false;
  }

  get optional(): boolean {
    return this.#options.optional ?? false;
  }

  get state(): ReflectorState {
    return this.#state;
  }

  get lastContactMs(): number {
    return this.#lastContactMs;
  }

  get freshForMs(): number {
    return this.#timings.watchTimeoutMs[1];
  }

  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const ending = await this.#runOnce(signal);
      if (signal.aborted) return;
      const next = afterEnding(ending, failures, this.#timings, this.#random);
      failures = next.failures;
      this.#note(ending, next.relist);
      await pause(this.#options.clock, next.delayMs, signal);
    }
  }

  /** From where we are to the end of one watch; failures become an ending. */
  async #runOnce(signal: AbortSignal): Promise<Ending> {
    this.#openedAtMs = undefined;
    let error: KubeError | undefined;
    try {
      if (this.#version === undefined && !this.#streamingList) await this.#listPages(signal);
      if (!signal.aborted) await this.#watch(signal);
    } catch (thrown) {
      error = asKubeError(thrown);
    }
    const livedMs = this.#openedAtMs === undefined ? 0 : this.#options.clock.monotonicMs() - this.#openedAtMs;
    return { error, livedMs };
  }

  async #listPages(signal: AbortSignal): Promise<void> {
    const items: T[] = [];
    let next: string | undefined;
    const atAnyVersion = this.#listFromCache ? "0" : undefined;
    this.#metrics.list();
    for (;;) {
      const query = {
        limit: PAGE_SIZE,
        continue: next,
        resourceVersion: next === undefined ? atAnyVersion : undefined,
      };
      const page = await this.#options.client.list<T>(this.resource, { ...this.#scope(), query }, signal);
      for (const item of page.items) items.push(this.#transform(item));
      next = page.next;
      if (next !== undefined) continue;
      if (!signal.aborted) this.#replace(items, page.resourceVersion);
      return;
    }
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const [min, max] = this.#timings.watchTimeoutMs;
    const timeoutMs = min + (max - min) * this.#random();
    const stalled = new AbortController();
    const reason = new KubeError("TIMEOUT", {
      method: "WATCH",
      path: this.resource.plural,
      message: "the watch stalled",
    });
    const cancel = this.#options.clock.after(timeoutMs + this.#timings.inactivityMarginMs, () => stalled.abort(reason));
    const stop = AbortSignal.any([signal, stalled.signal]);
    try {
      const query = { ...this.#watchQuery(), timeoutSeconds: String(Math.max(1, Math.round(timeoutMs / 1000))) };
      this.#metrics.watch();
      const events = await this.#options.client.watch<T>(this.resource, { ...this.#scope(), query }, stop);
      this.#openedAtMs = this.#options.clock.monotonicMs();
      await this.#consume(events, signal);
    } catch (error) {
      throw stalled.signal.aborted && !signal.aborted ? reason : error;
    } finally {
      cancel();
    }
  }

  #watchQuery(): Readonly<Record<string, string>> {
    if (this.#version !== undefined) return { resourceVersion: this.#version, allowWatchBookmarks: "true" };
    return { sendInitialEvents: "true", resourceVersionMatch: "NotOlderThan", allowWatchBookmarks: "true" };
  }

  async #consume(events: AsyncIterable<WatchEvent<T>>, signal: AbortSignal): Promise<void> {
    let staged: Map<string, T> | undefined = this.#version === undefined ? new Map() : undefined;
    if (staged === undefined) this.#contact("watching");
    else this.#metrics.list();
    for await (const event of events) {
      if (signal.aborted) return;
      this.#contact(staged === undefined ? "watching" : this.#state);
      if (staged !== undefined) staged = this.#stage(staged, event);
      else this.#take(event);
    }
    // Closed in good order, but before the list was complete: nothing to go on from.
    if (staged !== undefined) throw incompleteList(this.resource);
  }

  /** Collects a streamed list aside; returns `undefined` once it is complete and swapped in. */
  #stage(staged: Map<string, T>, event: WatchEvent<T>): Map<string, T> | undefined {
    if (event.type === "BOOKMARK") {
      if (!event.initialEventsEnd) return staged;
      this.#replace([...staged.values()], event.resourceVersion);
      return undefined;
    }
    const key = JSON.stringify(keyOf(event.object));
    if (event.type === "DELETED") staged.delete(key);
    else staged.set(key, this.#transform(event.object));
    return staged;
  }

  #take(event: WatchEvent<T>): void {
    if (event.type === "BOOKMARK") {
      this.#metrics.bookmark();
      this.#version = event.resourceVersion;
      return;
    }
    if (event.type === "DELETED") this.cache.remove(this.#transform(event.object));
    else this.cache.upsert(this.#transform(event.object));
    this.#version = event.object.metadata.resourceVersion ?? this.#version;
  }

  #replace(items: readonly T[], version: string): void {
    const first = !this.cache.hasSynced;
    const differences = this.cache.replace(items);
    if (!first) this.#metrics.missed(differences);
    this.#version = version;
    this.#listFromCache = true;
    this.#contact("watching");
  }

  #contact(state: ReflectorState): void {
    const before = this.#state;
    this.#state = state;
    this.#lastContactMs = this.#options.clock.monotonicMs();
    if (state === "watching" && isUnavailable(before)) this.#log("info", {}, "a kind can be read now");
  }

  /** The API server said that there is no such kind, or no right to read it, and it is one that we need not have. */
  #isDoneWithout(): boolean {
    return this.optional && isUnavailable(this.#state);
  }

  #log(level: "debug" | "info" | "warn", data: Readonly<Record<string, unknown>>, text: string): void {
    this.#options.log[level]({ kind: this.resource.kind, namespace: this.#options.namespace, ...data }, text);
  }

  #scope(): ListOptions {
    const { namespace, labelSelector, fieldSelector, metadataOnly } = this.#options;
    return { namespace, labelSelector, fieldSelector, metadataOnly };
  }

  #note({ error }: Ending, relist: boolean): void {
    if (relist) {
      this.#metrics.relist();
      this.#version = undefined;
    }
    if (error === undefined) return;
    const before = this.#state;
    this.#state = stateAfter(error);
    if (error.code === "GONE") this.#listFromCache = false;
    if (error.code === "MALFORMED") this.#metrics.decodeError();
    if (refusesStreamingList(error) && this.#openedAtMs === undefined) this.#streamingList = false;
    this.#metrics.watchError();
    if (this.#isDoneWithout()) this.#lastContactMs = this.#options.clock.monotonicMs();
    const isLost = !this.optional && isUnavailable(this.#state) && before !== this.#state;
    const data = { code: error.code, detail: error.details.message };
    if (isLost) this.#log("warn", data, "a kind that is needed cannot be read");
    else this.#log("debug", data, "a watch ended with an error");
  }
}

function asKubeError(thrown: unknown): KubeError {
  if (thrown instanceof KubeError) return thrown;
  const message = thrown instanceof Error ? thrown.message : "unknown";
  return new KubeError("MALFORMED", { method: "WATCH", path: "", message }, { cause: thrown });
}

function incompleteList(resource: ResourceType): KubeError {
  return new KubeError("CONNECTION", { method: "WATCH", path: resource.plural, message: "the list was cut short" });
}
