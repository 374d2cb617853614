/**
 * Tells users what happened through Events: once, then as a series, and never faster than a small budget per object.
 *
 * Best effort by design: an Event that cannot be written is dropped, because a reconcile must not fail for it.
 */
import type { KubeClient } from "../kube/client.ts";
import type { Clock } from "../kube/clock.ts";
import { documentDigest } from "../kube/digest.ts";
import type { KubeObject, ResourceType } from "../kube/objects.ts";
import { microTime } from "./lease.ts";
import type { Log } from "./log.ts";

export interface EventNote {
  readonly type: "Normal" | "Warning";
  /** CamelCase, from a closed set. */
  readonly reason: string;
  /** What was done or tried, such as `Reconcile`. */
  readonly action: string;
  /** One sentence for a person; cut at 1024 bytes, which is what the API allows. */
  readonly note: string;
}

/** Resolves when the Event was written or given up; never rejects. */
export type RecordEvent = (about: KubeObject, note: EventNote, signal: AbortSignal) => Promise<void>;

export interface EventRecorderDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  /** `archivestream.io/operator`. */
  readonly controller: string;
  /** The pod's name. */
  readonly instance: string;
}

export const EVENTS: ResourceType = {
  group: "events.k8s.io",
  version: "v1",
  kind: "Event",
  plural: "events",
  namespaced: true,
};

/** client-go's spam filter: a burst of 25 per object, then one in five minutes. */
const BURST = 25;
const REFILL_MS = 300_000;
/** A repetition within this belongs to the series of the first. */
const SERIES_MS = 6 * 60_000;
/** A running series is written at most this often. */
const SERIES_WRITE_MS = 60_000;
const MAX_NOTE_BYTES = 1024;
const MAX_REMEMBERED = 4096;

interface Series {
  readonly name: string;
  readonly namespace: string;
  count: number;
  lastMs: number;
  writtenMs: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

export function createEventRecorder(deps: EventRecorderDeps): RecordEvent {
  const recent = new Map<string, Series>();
  const buckets = new Map<string, Bucket>();
  return async (about, note, signal) => {
    const now = deps.clock.monotonicMs();
    const digest = documentDigest([about.metadata.uid, note.type, note.reason, note.note]);
    const known = recent.get(digest);
    try {
      if (known !== undefined && now - known.lastMs < SERIES_MS) return await repeat(deps, known, now, signal);
      if (!takeToken(buckets, about.metadata.uid ?? "", now)) return;
      const event = newEvent(deps, about, note, digest);
      const { name, namespace } = event.metadata;
      remember(recent, digest, { name, namespace, count: 1, lastMs: now, writtenMs: now });
      await deps.client.create(EVENTS, event, signal).catch((error: unknown) => {
        recent.delete(digest); // a repetition must not go to a series that was never begun
        throw error;
      });
    } catch (error) {
      deps.log.debug({ err: error, reason: note.reason }, "an event was not written");
    }
  };
}

async function repeat(deps: EventRecorderDeps, series: Series, now: number, signal: AbortSignal): Promise<void> {
  series.count += 1;
  series.lastMs = now;
  if (series.count > 2 && now - series.writtenMs < SERIES_WRITE_MS) return;
  series.writtenMs = now;
  await deps.client.patch(
    { resource: EVENTS, key: series },
    { series: { count: series.count, lastObservedTime: microTime(deps.clock.now()) } },
    { contentType: "application/merge-patch+json", fieldManager: deps.controller },
    signal,
  );
}

function newEvent(deps: EventRecorderDeps, about: KubeObject, note: EventNote, digest: string) {
  const namespace = about.metadata.namespace ?? "default";
  const nowMs = deps.clock.now();
  // Unique over restarts too: a name that exists is a series of an earlier process, which we cannot continue.
  const name = `${about.metadata.name.slice(0, 200)}.${digest.slice(0, 8)}${nowMs.toString(16)}`;
  return {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { name, namespace },
    eventTime: microTime(nowMs),
    type: note.type,
    reason: note.reason,
    action: note.action,
    note: cutBytes(note.note, MAX_NOTE_BYTES),
    regarding: {
      apiVersion: about.apiVersion,
      kind: about.kind,
      name: about.metadata.name,
      namespace: about.metadata.namespace,
      uid: about.metadata.uid,
      resourceVersion: about.metadata.resourceVersion,
    },
    reportingController: deps.controller,
    reportingInstance: deps.instance.slice(0, 128),
  };
}

/** Cuts at a character, not inside one. */
function cutBytes(text: string, limit: number): string {
  if (Buffer.byteLength(text) <= limit) return text;
  const cut = Buffer.from(text)
    .subarray(0, limit - 3)
    .toString("utf8")
    .replace(/\uFFFD+$/, "");
  return `${cut}…`;
}

function takeToken(buckets: Map<string, Bucket>, uid: string, now: number): boolean {
  const known = buckets.get(uid);
  const tokens = known === undefined ? BURST : Math.min(BURST, known.tokens + (now - known.atMs) / REFILL_MS);
  remember(buckets, uid, { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs: now });
  return tokens >= 1;
}

/** The oldest entry makes room: at worst an Event starts a new series. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > MAX_REMEMBERED) map.delete(map.keys().next().value ?? "");
}
