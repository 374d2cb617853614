/** Which changes of a status are worth an Event: transitions of the conditions a person waits for or must act on. */
import type { ArchiveNode, ArchiveNodeConditionType, ArchiveNodeStatus } from "@archivestream/crds";
import type { KubeObject } from "../../kube/objects.ts";

interface Note {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly action: string;
  readonly note: string;
}

export type Announce = (about: KubeObject, note: Note, signal: AbortSignal) => Promise<void>;

/** What people wait for or must act on. */
const ANNOUNCED: readonly ArchiveNodeConditionType[] = [
  "Ready",
  "Stalled",
  "StorageReady",
  "CertificateValid",
  "Suspended",
  "Reconciling",
];

const BAD_WHEN_TRUE: ReadonlySet<ArchiveNodeConditionType> = new Set(["Stalled", "Reconciling"]);

/** Steps on the way to the first `Ready`, which says that they were taken. */
const STEPS: ReadonlySet<ArchiveNodeConditionType> = new Set(["StorageReady", "CertificateValid"]);

type Said = NonNullable<ArchiveNodeStatus["conditions"]>[number];

/** Events of what a status write changed; the first status of an object announces nothing but trouble. */
export function transitionNotes(before: ArchiveNodeStatus | undefined, after: ArchiveNodeStatus): Note[] {
  // No pod has told its version yet.
  const isFirstRollout = before?.version?.current === undefined;
  return ANNOUNCED.flatMap((type) => {
    const was = before?.conditions?.find((condition) => condition.type === type);
    const is = after.conditions?.find((condition) => condition.type === type);
    if (is === undefined || !isNews(was, is) || (isFirstRollout && isStep(was, is))) return [];
    if (isWaiting(is, isFirstRollout)) return [];
    const bad = BAD_WHEN_TRUE.has(type) ? is.status === "True" : is.status === "False";
    return [
      { type: bad ? "Warning" : "Normal", reason: is.reason, action: "Reconcile", note: `${type}: ${is.message}` },
    ];
  });
}

function isNews(was: Said | undefined, is: Said): boolean {
  if (was?.status === is.status && was.reason === is.reason) return false;
  return is.status !== "Unknown" && (was !== undefined || is.status !== "False");
}

/** Pods that start take a while, also when they are replaced; when they take long, `Reconciling` says so with the reason. */
function isWaiting({ type, reason }: Said, isFirstRollout: boolean): boolean {
  if (type === "Reconciling") return reason !== "TakesLong";
  return type === "Ready" && (reason === "Starting" || (isFirstRollout && reason === "NotAvailable"));
}

/** Good, and nobody was told that it was bad. */
function isStep(was: Said | undefined, is: Said): boolean {
  return STEPS.has(is.type) && is.status === "True" && (was?.status !== "False" || was.reason === "Pending");
}

export async function announceTransitions(
  announce: Announce,
  node: ArchiveNode,
  status: ArchiveNodeStatus,
  signal: AbortSignal,
): Promise<void> {
  for (const note of transitionNotes(node.status, status)) await announce(node, note, signal);
}
