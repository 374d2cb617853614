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

/** Events of what a status write changed; the first status of an object announces nothing but trouble. */
export function transitionNotes(before: ArchiveNodeStatus | undefined, after: ArchiveNodeStatus): Note[] {
  return ANNOUNCED.flatMap((type) => {
    const was = before?.conditions?.find((condition) => condition.type === type);
    const is = after.conditions?.find((condition) => condition.type === type);
    if (is === undefined || (was?.status === is.status && was.reason === is.reason)) return [];
    if (is.status === "Unknown" || (was === undefined && is.status === "False")) return [];
    const bad = type === "Stalled" ? is.status === "True" : is.status === "False";
    return [
      { type: bad ? "Warning" : "Normal", reason: is.reason, action: "Reconcile", note: `${type}: ${is.message}` },
    ];
  });
}

export async function announceTransitions(
  announce: Announce,
  node: ArchiveNode,
  status: ArchiveNodeStatus,
  signal: AbortSignal,
): Promise<void> {
  for (const note of transitionNotes(node.status, status)) await announce(node, note, signal);
}
