/**
 * Writes a status subresource only when its meaning changed, and at most once a second per object.
 *
 * Times of transitions and probes do not count as meaning. A change of the `Ready` condition is never held back.
 */
import type { KubeClient } from "./client.ts";
import type { Clock } from "./clock.ts";
import { documentDigest } from "./digest.ts";
import { Expectations } from "./expectations.ts";
import type { KubeMetrics } from "./metrics.ts";
import { apiVersionOf, type KubeObject, keyOf, type ResourceType } from "./objects.ts";

export interface StatusWriterDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly metrics: KubeMetrics;
  readonly resource: ResourceType;
  readonly fieldManager: string;
  /** Fields besides the conditions' times whose change alone is not worth a write. */
  readonly maskedFields?: readonly string[];
  /** Shortest time between two writes of one object, milliseconds; default 1 s. */
  readonly minIntervalMs?: number;
}

export type StatusWrite =
  | { readonly outcome: "written" | "unchanged" }
  /** Too soon after the last write: come back after `delayMs` with what is true then. */
  | { readonly outcome: "deferred"; readonly delayMs: number };

/** `object` as cached, with its live status. @throws {KubeError} `CONFLICT` when it is another incarnation by now */
export type WriteStatus<T extends KubeObject, S> = (object: T, status: S, signal: AbortSignal) => Promise<StatusWrite>;

const MASKED = ["lastTransitionTime", "lastProbeTime", "lastHeartbeatTime", "lastUpdateTime"];
const MIN_INTERVAL_MS = 1_000;

interface Written {
  readonly digest: string;
  /** Of what the server made of it: it may prune or default, and that is no reason to write again. */
  readonly answered: string;
  readonly ready: string | undefined;
  readonly atMs: number;
}

export function createStatusWriter<T extends KubeObject & { readonly status?: S | undefined }, S extends object>(
  deps: StatusWriterDeps,
): WriteStatus<T, S> {
  const masked = new Set([...MASKED, ...(deps.maskedFields ?? [])]);
  const digest = (status: unknown) => documentDigest(maskFields(status, masked));
  const expectations = new Expectations(deps.clock);
  const written = new Map<string, Written>();
  deps.metrics.statusWritten(deps.resource.kind, 0);

  const isSame = (object: T, next: string, last: Written | undefined) => {
    const stale = expectations.isStale(object.metadata.uid ?? "", object.metadata.resourceVersion);
    const live = digest(object.status ?? {});
    if (next === last?.digest && (stale || live === last.answered)) return true;
    return !stale && next === live;
  };

  return async (object, status, signal) => {
    const uid = object.metadata.uid ?? "";
    const last = written.get(uid);
    const next = digest(status);
    if (isSame(object, next, last)) return { outcome: "unchanged" };
    const ready = readyStatus(status);
    const delayMs = (last?.atMs ?? -Infinity) + (deps.minIntervalMs ?? MIN_INTERVAL_MS) - deps.clock.monotonicMs();
    if (delayMs > 0 && ready === last?.ready) return { outcome: "deferred", delayMs };
    const answer = await sendStatus(deps, object, status, signal);
    expectations.wrote(uid, object.metadata.resourceVersion, answer.metadata.resourceVersion);
    const answered = digest(answer.status ?? {});
    written.set(uid, { digest: next, answered, ready, atMs: deps.clock.monotonicMs() });
    trim(written, deps.clock.monotonicMs());
    deps.metrics.statusWritten(deps.resource.kind);
    return { outcome: "written" };
  };
}

async function sendStatus(
  deps: StatusWriterDeps,
  object: KubeObject,
  status: object,
  signal: AbortSignal,
): Promise<KubeObject & { readonly status?: unknown }> {
  const { name, namespace, uid } = object.metadata;
  const body = {
    apiVersion: apiVersionOf(deps.resource),
    kind: deps.resource.kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), ...(uid === undefined ? {} : { uid }) },
    status,
  };
  return deps.client.patch(
    { resource: deps.resource, key: keyOf(object) },
    body,
    {
      subresource: "status",
      contentType: "application/apply-patch+yaml",
      fieldManager: deps.fieldManager,
      force: true,
    },
    signal,
  );
}

function maskFields(value: unknown, masked: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((item) => maskFields(item, masked));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, field]) => !masked.has(name) && field !== undefined)
      .map(([name, field]) => [name, maskFields(field, masked)]),
  );
}

function readyStatus(status: object): string | undefined {
  const { conditions } = status as {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
  return conditions?.find((condition) => condition.type === "Ready")?.status;
}

/** Entries older than any expectation tell nothing any more; objects come and go for ever. */
const KEEP_MS = 10 * 60_000;
const TRIM_ABOVE = 10_000;

function trim(written: Map<string, Written>, nowMs: number): void {
  if (written.size <= TRIM_ABOVE) return;
  for (const [uid, entry] of written) if (nowMs - entry.atMs > KEEP_MS) written.delete(uid);
}
