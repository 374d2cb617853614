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

/** `Stalled` is bad news when it comes, all others when they become False. */
const ANNOUNCED: readonly ArchiveNodeConditionType[] = [
  "Ready",
  "Stalled",
  "StorageReady",
  "CertificateValid",
  "Suspended",
];

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
    const bad = type === "Stalled" ? is.status === "True" : is.status === "False";
    return [
      { type: bad ? "Warning" : "Normal", reason: is.reason, action: "Reconcile", note: `${type}: ${is.message}` },
    ];
  });
}

function isNews(was: Said | undefined, is: Said): boolean {
  if (was?.status === is.status && was.reason === is.reason) return false;
  return is.status !== "Unknown" && (was !== undefined || is.status !== "False");
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
