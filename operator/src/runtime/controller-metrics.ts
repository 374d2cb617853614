/** Metrics of controllers and their queues under controller-runtime's names, so that its dashboards fit. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { PRIORITIES, type Priority, type WorkQueueMetrics } from "./work-queue.ts";

export type ReconcileOutcome = "success" | "error" | "requeue_after";

export interface ControllerMetrics {
  reconciled(outcome: ReconcileOutcome, seconds: number): void;
  failed(): void;
  terminal(): void;
  panicked(): void;
  timedOut(): void;
  hotLoop(): void;
  active(workers: number): void;
  readonly queue: WorkQueueMetrics;
}

export interface ControllerFacts {
  readonly name: string;
  readonly workers: number;
  /** Start times of what is being worked on, and the clock they were read from; milliseconds. */
  readonly startedAt: () => readonly number[];
  readonly monotonicMs: () => number;
}

export type ControllerMetricsFactory = (facts: ControllerFacts) => ControllerMetrics;

export const NO_CONTROLLER_METRICS: ControllerMetricsFactory = () => ({
  reconciled: () => {},
  failed: () => {},
  terminal: () => {},
  panicked: () => {},
  timedOut: () => {},
  hotLoop: () => {},
  active: () => {},
  queue: { added: () => {}, retried: () => {}, depth: () => {}, waited: () => {}, worked: () => {} },
});

const RECONCILE_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** client-go's: powers of ten from 10 ns to 10 s, with what we can measure of them. */
const QUEUE_BUCKETS = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100, 1000];
const OUTCOMES: readonly ReconcileOutcome[] = ["success", "error", "requeue_after"];

/** One set of series for all controllers of a registry. */
export function createControllerMetrics(registry: Registry): ControllerMetricsFactory {
  const reconcile = reconcileSeries(registry);
  const queue = queueSeries(registry);
  return (facts) => {
    const controller = facts.name;
    const labels = { name: controller, controller };
    for (const result of OUTCOMES) reconcile.total.inc({ controller, result }, 0);
    for (const counter of reconcile.plain) counter.inc({ controller }, 0);
    reconcile.workers.set({ controller }, facts.workers);
    reconcile.active.set({ controller }, 0);
    reconcile.time.zero({ controller });
    queue.watch(facts);
    return {
      reconciled: (result, seconds) => {
        reconcile.total.inc({ controller, result });
        reconcile.time.observe({ controller }, seconds);
      },
      failed: () => reconcile.errors.inc({ controller }),
      terminal: () => reconcile.terminal.inc({ controller }),
      panicked: () => reconcile.panics.inc({ controller }),
      timedOut: () => reconcile.timeouts.inc({ controller }),
      hotLoop: () => reconcile.hotLoops.inc({ controller }),
      active: (workers) => reconcile.active.set({ controller }, workers),
      queue: {
        added: () => queue.adds.inc(labels),
        retried: () => queue.retries.inc(labels),
        depth: (priority: Priority, depth) => queue.depth.set({ ...labels, priority: String(priority) }, depth),
        waited: (seconds) => queue.waited.observe(labels, seconds),
        worked: (seconds) => queue.worked.observe(labels, seconds),
      },
    };
  };
}

function reconcileSeries(registry: Registry) {
  const registers = [registry];
  const labelNames = ["controller"] as const;
  const counter = (name: string, help: string) =>
    new Counter({ name: `controller_runtime_${name}`, help, labelNames, registers });
  const errors = counter("reconcile_errors_total", "Reconciles that failed");
  const terminal = counter("terminal_reconcile_errors_total", "Reconciles that failed for good");
  const panics = counter("reconcile_panics_total", "Exceptions that are mistakes of ours");
  const timeouts = counter("reconcile_timeouts_total", "Reconciles that reached their deadline");
  const hotLoops = new Counter({
    name: "archivestream_hotloop_total",
    help: "Objects that our own writes kept waking, which is a mistake of the operator",
    labelNames,
    registers,
  });
  return {
    errors,
    terminal,
    panics,
    timeouts,
    hotLoops,
    plain: [errors, terminal, panics, timeouts, hotLoops],
    total: new Counter({
      name: "controller_runtime_reconcile_total",
      help: "Reconciles, by result",
      labelNames: ["controller", "result"],
      registers,
    }),
    time: new Histogram({
      name: "controller_runtime_reconcile_time_seconds",
      help: "Time of one reconcile",
      labelNames,
      buckets: RECONCILE_BUCKETS,
      registers,
    }),
    workers: new Gauge({
      name: "controller_runtime_max_concurrent_reconciles",
      help: "Workers of the controller",
      labelNames,
      registers,
    }),
    active: new Gauge({
      name: "controller_runtime_active_workers",
      help: "Workers with a key in their hands",
      labelNames,
      registers,
    }),
  };
}

function queueSeries(registry: Registry) {
  const registers = [registry];
  const labelNames = ["name", "controller"] as const;
  const watched: ControllerFacts[] = [];
  const running = (name: string, help: string, of: (seconds: readonly number[]) => number) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        for (const facts of watched) {
          const seconds = facts.startedAt().map((startedMs) => (facts.monotonicMs() - startedMs) / 1000);
          this.set({ name: facts.name, controller: facts.name }, of(seconds));
        }
      },
    });
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
  running("workqueue_unfinished_work_seconds", "Time spent so far on what is not done", sum);
  running("workqueue_longest_running_processor_seconds", "Time of the longest reconcile under way", (numbers) =>
    Math.max(0, ...numbers),
  );
  const counter = (name: string, help: string) => new Counter({ name, help, labelNames, registers });
  const histogram = (name: string, help: string) =>
    new Histogram({ name, help, labelNames, buckets: QUEUE_BUCKETS, registers });
  const adds = counter("workqueue_adds_total", "Keys added");
  const retries = counter("workqueue_retries_total", "Keys added again after a failure");
  const waited = histogram("workqueue_queue_duration_seconds", "Time a key waited");
  const worked = histogram("workqueue_work_duration_seconds", "Time a key was worked on");
  const depth = new Gauge({
    name: "workqueue_depth",
    help: "Keys waiting, by priority",
    labelNames: [...labelNames, "priority"],
    registers,
  });
  return {
    watch: (facts: ControllerFacts) => {
      watched.push(facts);
      const labels = { name: facts.name, controller: facts.name };
      for (const count of [adds, retries]) count.inc(labels, 0);
      for (const time of [waited, worked]) time.zero(labels);
      for (const priority of PRIORITIES) depth.set({ ...labels, priority: String(priority) }, 0);
    },
    adds,
    retries,
    waited,
    worked,
    depth,
  };
}
