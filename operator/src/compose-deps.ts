/** What the files of the composition root hand to each other. */
import type { OperatorSettings } from "./controllers/archive-node/effective.ts";
import type { Caches } from "./controllers/caches.ts";
import type { KubeClient } from "./kube/client.ts";
import type { Clock } from "./kube/clock.ts";
import type { KubeMetrics } from "./kube/metrics.ts";
import type { RecordEvent } from "./runtime/event-recorder.ts";
import type { Log } from "./runtime/log.ts";
import type { Manager } from "./runtime/manager.ts";

export interface ControllersDeps {
  readonly manager: Manager;
  readonly client: KubeClient;
  readonly caches: Caches;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: KubeMetrics;
  readonly recordEvent: RecordEvent;
  readonly settings: OperatorSettings;
  readonly className: string;
  readonly workers: number;
  readonly resyncMs: number;
  /** Port of the pods' admin server; tests stand in for pods on another one. */
  readonly adminPort?: number;
}

export interface ObjectKeyInNamespace {
  readonly namespace: string;
  readonly name: string;
}

/** @returns milliseconds after which to look again; undefined: when something happens */
export type Recheck = (key: ObjectKeyInNamespace, signal: AbortSignal) => Promise<number | undefined>;
