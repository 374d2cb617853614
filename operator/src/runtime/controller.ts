/** Takes keys from one queue and reconciles them: deadline, retry, metrics, one log line per run. */
import { randomUUID } from "node:crypto";
import { KubeError } from "../kube/api-errors.ts";
import type { Clock } from "../kube/clock.ts";
import { type KubeObject, keyText, type ObjectKey, parseKey } from "../kube/objects.ts";
import { OwnWrites } from "../kube/own-writes.ts";
import type { ControllerMetrics, ControllerMetricsFactory, ReconcileOutcome } from "./controller-metrics.ts";
import type { RecordEvent } from "./event-recorder.ts";
import { type Brake, HotLoopBreaker } from "./hot-loop.ts";
import type { Log } from "./log.ts";
import { retryDelayMs } from "./rate-limiter.ts";
import { type ReconcileResult, type Reconciler, TerminalError } from "./reconciler.ts";
import { WakeCauses } from "./wake-causes.ts";
import { type Priority, type Taken, WorkQueue } from "./work-queue.ts";

export interface ControllerOptions {
  readonly name: string;
  readonly reconcile: Reconciler;
  /** The object of a key as cached: named in log lines, and told in an Event that it fails again and again. */
  readonly object?: (key: ObjectKey) => KubeObject | undefined;
  /** Keys worked at the same time; default 8. */
  readonly workers?: number;
  /** Deadline of one reconcile, milliseconds; default 60 s. */
  readonly timeoutMs?: number;
  /** Told when an object's runs begin to be held back, and when that ends. */
  readonly heldBack?: (key: ObjectKey, isHeldBack: boolean) => void;
}

export interface ControllerDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: ControllerMetricsFactory;
  readonly random: () => number;
  /** What the client wrote: tells loops of our own making from those of others. */
  readonly ownWrites?: Pick<OwnWrites, "has">;
  /** Nobody is told when absent. */
  readonly recordEvent?: RecordEvent;
}

/** A change that wakes a key. */
export interface Waking {
  readonly priority: Priority;
  readonly object: KubeObject;
  readonly gone: boolean;
}

const WORKERS = 8;
const TIMEOUT_MS = 60_000;
/** Fewer failures in a row are everyday: a stale cache, a server that restarts. */
const LASTING_FAILURES = 5;

export class Controller {
  readonly name: string;
  readonly #reconcile: Reconciler;
  readonly #object: (key: ObjectKey) => KubeObject | undefined;
  readonly #workers: number;
  readonly #timeoutMs: number;
  readonly #deps: ControllerDeps;
  readonly #metrics: ControllerMetrics;
  readonly #queue: WorkQueue;
  readonly #hotLoops: HotLoopBreaker;
  readonly #causes: WakeCauses;
  readonly #tellHeldBack: (key: ObjectKey, isHeldBack: boolean) => void;
  /** What the keys were about whose runs are held back; see `#about`. */
  readonly #heldBack = new Map<string, string>();

  constructor(options: ControllerOptions, deps: ControllerDeps) {
    this.name = options.name;
    this.#reconcile = options.reconcile;
    this.#object = options.object ?? (() => undefined);
    this.#workers = options.workers ?? WORKERS;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#tellHeldBack = options.heldBack ?? (() => {});
    this.#deps = deps;
    this.#metrics = deps.metrics({
      name: options.name,
      workers: this.#workers,
      startedAt: () => this.#queue.startedAt,
      monotonicMs: () => deps.clock.monotonicMs(),
    });
    this.#queue = new WorkQueue(deps.clock, this.#metrics.queue, Math.ceil(this.#workers / 2));
    this.#hotLoops = new HotLoopBreaker(deps.clock);
    this.#causes = new WakeCauses(deps.ownWrites ?? new OwnWrites());
  }

  /** Also fills up while followers wait to lead. */
  enqueue(key: ObjectKey, priority: Priority, delayMs = 0): void {
    this.#queue.addAfter(keyText(key), priority, delayMs);
  }

  /** As `enqueue`, for a change of an object. What a person changed about the key's own object is never held back. */
  wake(key: ObjectKey, { priority, object, gone }: Waking): void {
    const text = keyText(key);
    this.#causes.woken(text, object, gone);
    this.enqueue(key, priority);
    const about = this.#heldBack.get(text);
    if (about !== undefined && about !== this.#about(text)) this.#queue.release(text);
  }

  /** True when nothing waits and nothing is being worked on; what is delayed does not count. */
  get idle(): boolean {
    return this.#queue.depth === 0 && this.#queue.processing === 0;
  }

  /**
   * Works until `drain` aborts, then finishes what is in hand.
   *
   * @param drain - take no more keys
   * @param abort - give up what is in hand too
   */
  async run(drain: AbortSignal, abort: AbortSignal): Promise<void> {
    const close = () => this.#queue.close();
    if (drain.aborted) return close();
    drain.addEventListener("abort", close, { once: true });
    await Promise.all(Array.from({ length: this.#workers }, () => this.#work(abort)));
  }

  async #work(abort: AbortSignal): Promise<void> {
    for (;;) {
      const taken = await this.#queue.take();
      if (taken === undefined) return;
      this.#metrics.active(this.#queue.processing);
      const about = this.#about(taken.key);
      const brake = this.#hotLoops.ran(taken.key, this.#causes.take(taken.key), about);
      await this.#handle(taken, abort);
      await this.#noteLoop(taken, brake, abort);
      const isHeldBack = brake.delayMs > 0 && about === this.#about(taken.key);
      this.#holdBack(taken.key, isHeldBack ? about : undefined);
      // A loop on one object must not become load on the server, nor keep a worker from other objects.
      this.#queue.done(taken.key, isHeldBack ? brake.delayMs : 0);
      this.#metrics.active(this.#queue.processing);
    }
  }

  /** Which object, and which spec of it; the same while only we or its children change. */
  #about(key: string): string {
    const { uid = "", generation = 0, deletionTimestamp = "" } = this.#object(parseKey(key))?.metadata ?? {};
    return `${uid} ${generation} ${deletionTimestamp}`;
  }

  /** @param about - what is held back; `undefined` when nothing is any more */
  #holdBack(key: string, about: string | undefined): void {
    const wasHeldBack = this.#heldBack.delete(key);
    if (about !== undefined) this.#heldBack.set(key, about);
    if (wasHeldBack !== (about !== undefined)) this.#tellHeldBack(parseKey(key), !wasHeldBack);
  }

  async #handle(taken: Taken, abort: AbortSignal): Promise<void> {
    const startedMs = this.#deps.clock.monotonicMs();
    const reconcileID = randomUUID();
    const deadline = new AbortController();
    const cancel = this.#deps.clock.after(this.#timeoutMs, () => deadline.abort());
    let outcome: ReconcileOutcome;
    try {
      const signal = AbortSignal.any([abort, deadline.signal]);
      outcome = this.#accept(taken, await this.#reconcile(parseKey(taken.key), signal));
    } catch (error) {
      if (deadline.signal.aborted) this.#metrics.timedOut();
      outcome = await this.#fail(taken, error, { abort, reconcileID });
    } finally {
      cancel();
    }
    const durationMs = this.#deps.clock.monotonicMs() - startedMs;
    this.#metrics.reconciled(outcome, durationMs / 1000);
    this.#log("debug", taken, { outcome, durationMs, reconcileID }, "reconciled");
  }

  #accept(taken: Taken, result: ReconcileResult): ReconcileOutcome {
    switch (result.kind) {
      case "done":
        this.#queue.forget(taken.key);
        return "success";
      case "requeueAfter":
        this.#queue.forget(taken.key);
        // What comes back by the clock is nobody's change.
        this.#queue.addAfter(taken.key, 0, result.delayMs);
        return "requeue_after";
    }
  }

  async #fail(
    taken: Taken,
    error: unknown,
    at: { readonly abort: AbortSignal; readonly reconcileID: string },
  ): Promise<ReconcileOutcome> {
    if (at.abort.aborted) return "error"; // shutting down or no longer leader: nobody's fault, and not retried here
    this.#metrics.failed();
    const data = { err: error, reconcileID: at.reconcileID };
    if (error instanceof TerminalError) {
      this.#metrics.terminal();
      this.#queue.forget(taken.key);
      this.#log("warn", taken, data, "reconcile failed for good");
      return "error";
    }
    if (isMistake(error)) this.#metrics.panicked();
    const failures = this.#queue.retry(taken, (before) => retryDelayMs(error, before, this.#deps.random));
    const level = isMistake(error) ? "error" : failures < LASTING_FAILURES ? "debug" : "warn";
    this.#log(level, taken, { ...data, failures }, "reconcile failed");
    if (failures === LASTING_FAILURES) await this.#tell(taken, error, at.abort);
    return "error";
  }

  /** One Event of a row of failures: users see no log. */
  async #tell(taken: Taken, error: unknown, signal: AbortSignal): Promise<void> {
    const why = error instanceof Error ? error.message : String(error);
    const note = `${this.name} failed ${LASTING_FAILURES} times in a row and is tried again, ever more rarely: ${why}`;
    await this.#warn(taken, "ReconcileFailed", note, signal);
  }

  async #warn({ key }: Taken, reason: string, note: string, signal: AbortSignal): Promise<void> {
    const object = this.#object(parseKey(key));
    if (object === undefined) return;
    await this.#deps.recordEvent?.(object, { type: "Warning", reason, action: "Reconcile", note }, signal);
  }

  async #noteLoop(taken: Taken, { delayMs, first, hotLoop }: Brake, signal: AbortSignal): Promise<void> {
    if (first) {
      this.#log("warn", taken, { delayMs }, "one object is reconciled over and over");
      const note = `${this.name} works on this object over and over and slows down; a change of its spec is acted on at once. Look for another program that changes what the operator made, else report it`;
      await this.#warn(taken, "HeldBack", note, signal);
    }
    if (!hotLoop) return;
    this.#metrics.hotLoop();
    this.#log("error", taken, {}, "our own writes keep waking this object");
  }

  #log(level: "debug" | "warn" | "error", taken: Taken, data: Readonly<Record<string, unknown>>, text: string): void {
    const key = parseKey(taken.key);
    const { uid, generation } = this.#object(key)?.metadata ?? {};
    this.#deps.log[level]({ controller: this.name, ...key, uid, generation, ...data }, text);
  }
}

/** Errors that only a bug makes, in contrast to what the world does to us. */
function isMistake(error: unknown): boolean {
  if (error instanceof KubeError) return false;
  return (
    !(error instanceof Error) ||
    error instanceof TypeError ||
    error instanceof ReferenceError ||
    error instanceof RangeError ||
    error instanceof SyntaxError
  );
}
