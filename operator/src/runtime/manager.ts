/**
 * Starts the parts of an operator in order and stops them in reverse.
 *
 * Start: reflectors, caches synced, queues fill, lease, workers. Stop: no new keys, reconciles under way finish,
 * reflectors end, the lease is released. Followers keep warm caches and full queues.
 */
import { type Clock, pause } from "../kube/clock.ts";
import type { KubeObject, ObjectKey } from "../kube/objects.ts";
import type { Change } from "./cache.ts";
import { Controller, type ControllerDeps, type ControllerOptions } from "./controller.ts";
import { type HealthReport, liveness, readiness } from "./health.ts";
import type { LeaderElector } from "./leader-election.ts";
import type { Predicate } from "./predicates.ts";
import type { Reflector } from "./reflector.ts";
import { hasTurn } from "./turns.ts";
import type { Priority } from "./work-queue.ts";

/** One kind whose changes wake a controller. */
export interface Source<T extends KubeObject> {
  readonly reflector: Reflector<T>;
  /** Keys to wake; default the object's own key. */
  readonly keysOf?: (object: T) => readonly ObjectKey[];
  /** All changes when absent. */
  readonly predicate?: Predicate<T>;
  /** Of live changes; default 0. What the first list shows enters at -100. */
  readonly priority?: Priority;
  /** Wake for every cached object once in this time, each at its own moment of it, at -100; never when absent. */
  readonly resyncMs?: number;
}

/** A source whose object type no longer matters; made by {@link source}. */
export type BoundSource = (controller: Controller, deps: ManagerDeps) => { start(signal: AbortSignal): Promise<void> };

export interface ManagedController extends ControllerOptions {
  readonly sources: readonly BoundSource[];
}

/** Runs beside the controllers, on the leader only, until `signal` aborts. */
export interface Background {
  readonly name: string;
  run(signal: AbortSignal): Promise<void>;
}

export interface ManagerDeps extends ControllerDeps {
  /** Runs alone, without a lease, when absent. */
  readonly elector?: LeaderElector | undefined;
  /** Start up to this much later, so that replicas and clusters that start together do not list together; default 0. */
  readonly startJitterMs?: number;
  readonly syncTimeoutMs?: number;
  /** For reconciles under way at shutdown. */
  readonly drainTimeoutMs?: number;
}

/** controller-runtime's. */
const SYNC_TIMEOUT_MS = 120_000;
/** Below the pod's 40 s, with time left to release and flush. */
const DRAIN_TIMEOUT_MS = 25_000;
const RELEASE_TIMEOUT_MS = 5_000;
const SYNC_LOOK_MS = 50;
/** Looks per resync period: 30 s apart by default, each waking a sixtieth of all objects. */
const RESYNC_SLICES = 60;

export class CacheSyncError extends Error {
  override readonly name = "CacheSyncError";
}

export interface Manager {
  addReflector<T extends KubeObject>(reflector: Reflector<T>): Reflector<T>;
  addController(options: ManagedController): Controller;
  addBackground(background: Background): void;
  ready(): HealthReport;
  live(): HealthReport;
  /**
   * Runs until `signal` aborts and everything has stopped in order.
   *
   * @throws {CacheSyncError} a required cache was not filled in time
   * @throws {LeadershipLostError} exit at once: another process may lead
   */
  run(signal: AbortSignal): Promise<void>;
}

export function createManager(deps: ManagerDeps): Manager {
  return new OrderedManager(deps);
}

/** Binds a source to its object type; see {@link Source}. */
export function source<T extends KubeObject>(options: Source<T>): BoundSource {
  const { cache } = options.reflector;
  const keysOf = options.keysOf ?? ((object: T) => [ownKey(object)]);
  return (controller, deps) => ({
    start: async (signal) => {
      const unsubscribe = cache.onChange((change) => wake(controller, change, { ...options, keysOf }));
      if (options.resyncMs === undefined) await aborted(signal);
      else
        await resync(options.resyncMs, deps.clock, signal, (isDue) =>
          wakeAll(controller, cache.list().filter(isDue).flatMap(keysOf)),
        );
      unsubscribe();
    },
  });
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}

/** Hands out a test for the objects whose turn has come, slice by slice, until `signal` aborts. */
async function resync(
  periodMs: number,
  clock: Clock,
  signal: AbortSignal,
  wakeDue: (isDue: (object: KubeObject) => boolean) => void,
): Promise<void> {
  // Monotonic from here on: a wall clock that jumps must not make everything due at once.
  const aheadMs = clock.now() - clock.monotonicMs();
  let fromMs = clock.now();
  while (!signal.aborted) {
    await pause(clock, periodMs / RESYNC_SLICES, signal);
    if (signal.aborted) return;
    const span = { fromMs, toMs: aheadMs + clock.monotonicMs() };
    wakeDue(({ metadata }) => hasTurn(metadata.uid ?? metadata.name, periodMs, span));
    fromMs = span.toMs;
  }
}

function wakeAll(controller: Controller, keys: readonly ObjectKey[]): void {
  for (const key of keys) controller.enqueue(key, -100);
}

function wake<T extends KubeObject>(
  controller: Controller,
  change: Change<T>,
  { predicate, keysOf, priority = 0 }: Source<T> & Required<Pick<Source<T>, "keysOf">>,
): void {
  if (predicate !== undefined && !predicate(change)) return;
  const band = change.type === "added" && change.initial ? -100 : priority;
  // A child that changed hands wakes its former owner too.
  const before = change.type === "updated" ? keysOf(change.previous) : [];
  const waking = { priority: band, object: change.object, gone: change.type === "deleted" } as const;
  for (const key of [...keysOf(change.object), ...before]) controller.wake(key, waking);
}

function ownKey(object: KubeObject): ObjectKey {
  return { namespace: object.metadata.namespace, name: object.metadata.name };
}

class OrderedManager implements Manager {
  readonly #deps: ManagerDeps;
  readonly #reflectors: Reflector<KubeObject>[] = [];
  readonly #controllers: Controller[] = [];
  readonly #sources: { start(signal: AbortSignal): Promise<void> }[] = [];
  readonly #backgrounds: Background[] = [];
  #stopping = false;

  constructor(deps: ManagerDeps) {
    this.#deps = deps;
  }

  addReflector<T extends KubeObject>(reflector: Reflector<T>): Reflector<T> {
    this.#reflectors.push(reflector as unknown as Reflector<KubeObject>); // only its state is looked at from here
    return reflector;
  }

  addController(options: ManagedController): Controller {
    const controller = new Controller(options, this.#deps);
    this.#controllers.push(controller);
    for (const bind of options.sources) this.#sources.push(bind(controller, this.#deps));
    return controller;
  }

  addBackground(background: Background): void {
    this.#backgrounds.push(background);
  }

  ready(): HealthReport {
    if (this.#stopping) return { ok: false, problems: ["shutting down"] };
    return readiness(this.#reflectors, this.#deps.clock);
  }

  live(): HealthReport {
    return liveness(this.#reflectors, this.#deps.clock, this.#deps.elector?.isWedged ?? false);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, startJitterMs = 0 } = this.#deps;
    await pause(clock, startJitterMs * random(), signal);
    const watching = new AbortController();
    const watches = this.#reflectors.map((reflector) => reflector.run(watching.signal));
    const wakes = this.#sources.map((bound) => bound.start(watching.signal));
    try {
      await this.#waitForCaches(signal);
      if (!signal.aborted) await this.#deps.elector?.acquire(signal);
      if (!signal.aborted) await this.#lead(signal);
    } finally {
      this.#stopping = true;
      watching.abort();
      await Promise.all([...watches, ...wakes]);
      await this.#deps.elector?.release(AbortSignal.timeout(RELEASE_TIMEOUT_MS));
    }
  }

  /** From winning to the end of the last reconcile; the lease is renewed all the while. */
  async #lead(signal: AbortSignal): Promise<void> {
    const drain = new AbortController();
    const abort = new AbortController();
    const holding = new AbortController();
    const held = this.#hold(holding.signal, (error) => {
      drain.abort(error);
      abort.abort(error);
    });
    const work = Promise.all([
      ...this.#controllers.map((controller) => controller.run(drain.signal, abort.signal)),
      ...this.#backgrounds.map((background) => this.#runBackground(background, drain.signal)),
    ]);
    const stop = () => {
      this.#stopping = true;
      drain.abort();
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    const cancel = await this.#drained(drain.signal, abort);
    // Lost leadership ends this at once; waiting for slow reconciles would be time another may already lead in.
    await Promise.race([work, held.lost]);
    cancel();
    holding.abort();
    signal.removeEventListener("abort", stop);
    await held.ended;
  }

  /** Resolves when draining starts; after its time is over, what still runs is aborted. */
  async #drained(drain: AbortSignal, abort: AbortController): Promise<() => void> {
    await aborted(drain);
    return this.#deps.clock.after(this.#deps.drainTimeoutMs ?? DRAIN_TIMEOUT_MS, () => abort.abort());
  }

  #hold(signal: AbortSignal, lost: (error: unknown) => void) {
    const ended = this.#deps.elector?.hold(signal) ?? Promise.resolve();
    const failed = new Promise<void>((resolve) => {
      ended.catch((error: unknown) => {
        lost(error);
        resolve();
      });
    });
    return { ended, lost: failed };
  }

  async #runBackground(background: Background, signal: AbortSignal): Promise<void> {
    try {
      await background.run(signal);
    } catch (error) {
      if (!signal.aborted) this.#deps.log.error({ err: error, name: background.name }, "background work ended");
    }
  }

  async #waitForCaches(signal: AbortSignal): Promise<void> {
    const { clock, syncTimeoutMs = SYNC_TIMEOUT_MS } = this.#deps;
    const deadlineMs = clock.monotonicMs() + syncTimeoutMs;
    for (;;) {
      const missing = this.#reflectors.filter((reflector) => !reflector.optional && !reflector.cache.hasSynced);
      if (missing.length === 0 || signal.aborted) return;
      if (clock.monotonicMs() > deadlineMs) {
        const kinds = missing.map((reflector) => `${reflector.resource.plural} (${reflector.state})`).join(", ");
        throw new CacheSyncError(`not listed within ${syncTimeoutMs} ms: ${kinds}`);
      }
      await pause(clock, SYNC_LOOK_MS, signal);
    }
  }
}
