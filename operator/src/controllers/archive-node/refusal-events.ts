/**
 * What the controller of StatefulSets was told when it could not make a pod. It is said in Events only; they are asked for
 * while pods are missing, by the StatefulSet's UID, and are never watched.
 */
import { KubeError } from "../../kube/api-errors.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { KubeObject } from "../../kube/objects.ts";
import { EVENTS } from "../../runtime/event-recorder.ts";

interface EventObject extends KubeObject {
  readonly note?: string;
  readonly eventTime?: string | null;
  readonly series?: { readonly lastObservedTime?: string };
  readonly deprecatedLastTimestamp?: string | null;
}

export interface MissingPods {
  readonly namespace: string;
  /** Of the StatefulSet. */
  readonly uid: string;
  /** RFC 3339; what was said before is about pods that were missing earlier. */
  readonly since: string;
}

/** One per cause and pod, and the API server forgets them after an hour. */
const MOST_EVENTS = 100;
/** Between this clock and that of the controller of StatefulSets. */
const CLOCK_SKEW_MS = 30_000;

/** @returns what was said last; undefined when nothing was, or the operator may not read Events */
export async function lastRefusal(
  client: Pick<KubeClient, "list">,
  { namespace, uid, since }: MissingPods,
  signal: AbortSignal,
): Promise<string | undefined> {
  const fieldSelector = `regarding.uid=${uid},reason=FailedCreate`;
  const options = { namespace, fieldSelector, query: { limit: String(MOST_EVENTS) } };
  try {
    const { items } = await client.list<EventObject>(EVENTS, options, signal);
    const fromMs = Date.parse(since) - CLOCK_SKEW_MS;
    const recent = items.filter((event) => lastMs(event) >= fromMs).sort((a, b) => lastMs(b) - lastMs(a));
    return recent[0]?.note;
  } catch (error) {
    // It only explains: the node is looked after without it.
    if (error instanceof KubeError) return undefined;
    throw error;
  }
}

function lastMs({ series, deprecatedLastTimestamp, eventTime, metadata }: EventObject): number {
  const text = series?.lastObservedTime ?? deprecatedLastTimestamp ?? eventTime ?? metadata.creationTimestamp;
  return text === undefined ? 0 : Date.parse(text);
}
