/** A controller under a clock that the test moves, with what became of its runs, its log and its metrics. */
import { Registry } from "prom-client";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import type { OwnWrites } from "../../operator/src/kube/own-writes.ts";
import { Controller } from "../../operator/src/runtime/controller.ts";
import { createControllerMetrics } from "../../operator/src/runtime/controller-metrics.ts";
import type { EventNote } from "../../operator/src/runtime/event-recorder.ts";
import { SILENT } from "../../operator/src/runtime/log.ts";
import type { Reconciler } from "../../operator/src/runtime/reconciler.ts";
import { createFakeClock } from "./fake-clock.ts";
import { waitUntil } from "./wait-until.ts";

export const DEADLINE = { deadlineMs: 20_000, everyMs: 1 };
/** Of the object that most tests wake. */
export const KEY = { namespace: "n", name: "a" };
const OBJECT = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "", uid: "u", generation: 7 } };

interface Run {
  readonly name: string;
  readonly atMs: number;
}

interface Options {
  readonly workers?: number;
  readonly timeoutMs?: number;
  readonly ownWrites?: OwnWrites;
}

export function controllerUnderTest(reconcile: Reconciler, { ownWrites, ...options }: Options = {}) {
  const clock = createFakeClock();
  const registry = new Registry();
  const runs: Run[] = [];
  const metrics = createControllerMetrics(registry);
  /** Of the object that is woken; may be changed. */
  const metadata = { ...OBJECT.metadata };
  const heldBack: boolean[] = [];
  /** Lines about failures, and the Events. */
  const told: string[] = [];
  const warn = ({ failures, uid, generation }: Readonly<Record<string, unknown>>, text: string) =>
    void told.push(`${text} ${String(failures)} ${String(uid)}/${String(generation)}`);
  const recordEvent = async ({ metadata }: KubeObject, { reason, note }: EventNote) =>
    void told.push(`Event of ${metadata.name}: ${reason} ${note}`);
  const controller = new Controller(
    {
      name: "test",
      workers: 1,
      ...options,
      object: ({ name }) => ({ ...OBJECT, metadata: { ...metadata, name } }),
      heldBack: (_key, isHeldBack) => void heldBack.push(isHeldBack),
      reconcile: (key, signal) => {
        runs.push({ name: key.name, atMs: clock.monotonicMs() });
        return reconcile(key, signal);
      },
    },
    {
      clock,
      log: { ...SILENT, warn },
      metrics,
      random: () => 0.5,
      recordEvent,
      ...(ownWrites === undefined ? {} : { ownWrites }),
    },
  );
  const [drain, abort] = [new AbortController(), new AbortController()];
  const running = controller.run(drain.signal, abort.signal);
  const settled = () => waitUntil("the controller to be idle", () => controller.idle, DEADLINE);
  return {
    clock,
    controller,
    runs,
    told,
    metadata,
    heldBack,
    drain,
    abort,
    running,
    settled,
    /** Wakes `KEY` and waits for the end of the run. */
    wake: async () => {
      controller.enqueue(KEY, 0);
      await settled();
    },
    metric: async (name: string, labels: Readonly<Record<string, string>> = {}) => {
      const { values } = (await registry.getSingleMetric(name)?.get()) ?? { values: [] };
      return values.find((one) => Object.entries(labels).every(([label, value]) => one.labels[label] === value))?.value;
    },
    [Symbol.asyncDispose]: async () => {
      drain.abort();
      abort.abort();
      await running;
    },
  };
}
