/** Writes the status of a SyncPolicy. This release does nothing else for the kind, and the status says so. */
import type { SyncPolicy, SyncPolicyStatus } from "@archivestream/crds";
import type { ObjectKey } from "../objects.ts";
import { unimplementedStatus } from "../unimplemented.ts";

export interface SyncPolicyReconcilerDeps {
  readonly policies: { get(key: ObjectKey): SyncPolicy | undefined };
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
    if (policy === undefined || policy.metadata.deletionTimestamp !== undefined) return undefined;
    const status = unimplementedStatus("SyncPolicy", policy, PURPOSE, deps.now());
    return deps.writeStatus(policy, status, signal);
  };
}

const PURPOSE = "exchange files with peers";
