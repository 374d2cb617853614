/** How controllers write the status of their kind. Part of the composition root. */
import { FIELD_MANAGERS } from "@archivestream/crds";
import { type KnownKind, RESOURCES } from "./controllers/resource-types.ts";
import type { KubeClient } from "./kube/client.ts";
import type { Clock } from "./kube/clock.ts";
import type { KubeMetrics } from "./kube/metrics.ts";
import type { KubeObject } from "./kube/objects.ts";
import { createStatusWriter, type WriteStatus } from "./kube/status.ts";

interface StatusDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly metrics: KubeMetrics;
}

type Reporting = KubeObject & { readonly status?: object | undefined };

export function statusWriter({ client, clock, metrics }: StatusDeps, kind: KnownKind): WriteStatus<Reporting, object> {
  const options = { client, clock, metrics, resource: RESOURCES[kind], fieldManager: FIELD_MANAGERS.status };
  return createStatusWriter<Reporting, object>(options);
}

/** Answers with the time after which to come again when the write was put off. */
export function orPutOff(write: WriteStatus<Reporting, object>) {
  return async (object: Reporting, status: object, signal: AbortSignal) => {
    const written = await write(object, status, signal);
    return written.outcome === "deferred" ? written.delayMs : undefined;
  };
}
