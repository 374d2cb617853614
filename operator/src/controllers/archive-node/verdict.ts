/** What is decided about one condition of an ArchiveNode. Pure. */
import type { ArchiveNodeConditionType, ArchiveNodeReason, ConditionStatus } from "@archivestream/crds";
import type { Verdict } from "../kstatus.ts";

/** A verdict, or the verdict to give only if none is stored: the facts behind it are not known yet. */
export type Decision<T extends ArchiveNodeConditionType = ArchiveNodeConditionType> =
  | Verdict<T>
  | { readonly type: T; readonly keep: Verdict<T> };

export function verdict<T extends ArchiveNodeConditionType>(
  type: T,
  status: ConditionStatus,
  reason: ArchiveNodeReason<T> & string,
  message: string,
): Verdict<T> {
  return { type, status, reason, message };
}

export function unlessStored<T extends ArchiveNodeConditionType>(type: T, message: string): Decision<T> {
  return { type, keep: { type, status: "Unknown", reason: "Pending", message } };
}
