/** Writes the status of a SyncPolicy, from what the nodes of its namespace do with it. The nodes' documents carry it out. */
import { notImplementedFields, type SyncPolicy, type SyncPolicyStatus } from "@archivestream/crds";
import type { ObjectKey } from "../objects.ts";
import { policyStatus } from "./status.ts";
import type { PolicyView } from "./view.ts";

export interface SyncPolicyReconcilerDeps {
  readonly policies: { get(key: ObjectKey): SyncPolicy | undefined };
  /** Undefined when the policy is not one of the living any more. */
  readonly view: (policy: SyncPolicy) => PolicyView | undefined;
  /** @returns milliseconds after which to come again, when the write was put off */
  readonly writeStatus: (
    policy: SyncPolicy,
    status: SyncPolicyStatus,
    signal: AbortSignal,
  ) => Promise<number | undefined>;
  readonly now: () => Date;
}

export function createSyncPolicyReconciler(deps: SyncPolicyReconcilerDeps) {
  return async (key: ObjectKey, signal: AbortSignal): Promise<number | undefined> => {
    const policy = deps.policies.get(key);
    const view = policy === undefined ? undefined : deps.view(policy);
    if (policy === undefined || view === undefined) return undefined;
    const notImplemented = notImplementedFields("SyncPolicy", policy.spec);
    return deps.writeStatus(policy, policyStatus({ ...view, notImplemented, now: deps.now() }), signal);
  };
}
