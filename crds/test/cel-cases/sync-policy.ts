/** Both ways through the rules of SyncPolicy, by the rule's id. */
import type { CelCase, RuleCases, Spec } from "./case.ts";

const policy = (fields: object): Spec => ({ nodeSelector: {}, peerSelector: {}, interval: "1h", ...fields });

function spol(accepts: readonly CelCase[], refuses: readonly CelCase[]): RuleCases {
  return { kind: "SyncPolicy", accepts, refuses };
}

export const SYNC_POLICY_CASES: Readonly<Record<string, RuleCases>> = {
  "policy-node-selector-required": spol(
    [{ why: "empty matches all", spec: policy({}) }],
    [{ why: "absent", spec: { peerSelector: {}, interval: "1h" } }],
  ),
  "policy-peer-selector-required": spol(
    [{ why: "empty matches all", spec: policy({}) }],
    [{ why: "absent", spec: { nodeSelector: {}, interval: "1h" } }],
  ),
  "policy-schedule-or-interval": spol(
    [
      { why: "interval", spec: policy({}) },
      { why: "schedule", spec: { nodeSelector: {}, peerSelector: {}, schedule: "@hourly" } },
    ],
    [
      { why: "both", spec: policy({ schedule: "@hourly" }) },
      { why: "none", spec: { nodeSelector: {}, peerSelector: {} } },
    ],
  ),
  "policy-interval-minimum": spol(
    [{ why: "ten seconds", spec: policy({ interval: "10s" }) }],
    [{ why: "just under", spec: policy({ interval: "9999ms" }) }],
  ),
  "policy-backoff-order": spol(
    [
      { why: "grows", spec: policy({ failure: { backoff: { min: "1s", max: "1m" } } }) },
      { why: "only one", spec: policy({ failure: { backoff: { min: "1h" } } }) },
    ],
    [{ why: "falls", spec: policy({ failure: { backoff: { min: "61s", max: "1m" } } }) }],
  ),
  "policy-copies-order": spol(
    [
      { why: "all", spec: policy({ replication: { minCopies: 2, targetCopies: 3, maxCopies: 5 } }) },
      { why: "equal", spec: policy({ replication: { minCopies: 2, targetCopies: 2, maxCopies: 2 } }) },
      { why: "one", spec: policy({ replication: { maxCopies: 1 } }) },
    ],
    [
      { why: "target under min", spec: policy({ replication: { minCopies: 3, targetCopies: 2 } }) },
      { why: "max under target", spec: policy({ replication: { targetCopies: 3, maxCopies: 2 } }) },
      { why: "max under min", spec: policy({ replication: { minCopies: 3, maxCopies: 2 } }) },
    ],
  ),
};
