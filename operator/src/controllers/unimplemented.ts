/**
 * Status of an object whose kind this release accepts and does nothing for: it says so, and is never ready.
 *
 * Pure. `Reconciling` is absent, because nothing is under way.
 */
import { type Condition, notImplementedFields } from "@archivestream/crds";
import { mergeConditions } from "./kstatus.ts";

interface Described {
  readonly metadata: { readonly generation?: number };
  readonly spec: object;
  readonly status?: { readonly conditions?: readonly Condition[] };
}

export interface UnimplementedStatus<T extends string> {
  readonly observedGeneration: number;
  readonly conditions: readonly Condition<T>[];
}

/** @param purpose - what the release does not do, as the end of "this release does not ... yet" */
export function unimplementedStatus(
  kind: "FederationPeer" | "SyncPolicy",
  object: Described,
  purpose: string,
  now: Date,
): UnimplementedStatus<"Accepted" | "Ready"> {
  const generation = object.metadata.generation ?? 0;
  const fields = notImplementedFields(kind, object.spec).join(", ");
  const conditions = mergeConditions<"Accepted" | "Ready">(
    object.status?.conditions ?? [],
    [
      {
        type: "Accepted",
        status: "True",
        reason: "NotImplementedFields",
        message: `this release does nothing yet for ${fields}; leave the object for a later release, or delete it`,
      },
      {
        type: "Ready",
        status: "False",
        reason: "NotImplemented",
        message: `this release does not ${purpose} yet; nothing to do`,
      },
    ],
    { generation, now },
  );
  return { observedGeneration: generation, conditions };
}
