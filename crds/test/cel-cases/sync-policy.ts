/** Both ways through the rules of SyncPolicy, by the rule's id. */
import { BYTES, type CelCase, type RuleCases, type Spec, selectors, texts } from "./case.ts";

const policy = (fields: object): Spec => ({ nodeSelector: {}, peerSelector: {}, interval: "1h", ...fields });

const scheduled = (schedule: string, fields: object = {}): Spec => ({
  ...{ nodeSelector: {}, peerSelector: {}, schedule },
  ...fields,
});

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
  "policy-interval-range": texts("SyncPolicy", (interval) => policy({ interval }), {
    good: ["10s", "8760h"],
    bad: ["9999ms", "8760h1s"],
  }),
  "policy-schedule-form": texts("SyncPolicy", scheduled, {
    good: [
      "0 3 * * *",
      "@hourly",
      "@midnight",
      "*/15 8-18/2 1,15 jan-jun MON-fri",
      "? 0 ? * ?",
      "00  02 01 01 07",
      "0 0 L * *",
      "0 0 LW * *",
      "0 0 15W * *",
      "0 0 * * 5L",
      "0 0 * * MON#2",
    ],
    bad: [
      "61 25 * * *",
      "60 * * * *",
      "* 24 * * *",
      "* * 0 * *",
      "* * 32 * *",
      "* * * 13 *",
      "* * * * 8",
      "* * * * MONDAY",
      "1, * * * *",
      "*/0 * * * *",
      "5/10 * * * *",
      "1-2-3 * * * *",
      "a * * * *",
      "@reboot",
    ],
  }),
  "policy-time-zone": texts("SyncPolicy", (timeZone) => scheduled("@daily", { timeZone }), {
    good: ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5"],
    bad: ["Mars/Olympus", "Europe/Berln", "Local"],
  }),
  "policy-collections-left": spol(
    [
      { why: "some are left", spec: policy({ collections: { include: ["a", "b"], exclude: ["b", "c"] } }) },
      { why: "none included by name", spec: policy({ collections: { include: [], exclude: ["a"] } }) },
    ],
    [
      {
        why: "every one is excluded",
        spec: policy({ collections: { include: ["a", "b"], exclude: ["b", "c", "a"] } }),
      },
    ],
  ),
  "policy-node-selector-expressions": selectors("SyncPolicy", (nodeSelector) => policy({ nodeSelector })),
  "policy-peer-selector-expressions": selectors("SyncPolicy", (peerSelector) => policy({ peerSelector })),
  "policy-bandwidth-whole": texts("SyncPolicy", (bandwidth) => policy({ limits: { bandwidth } }), BYTES),
  "policy-max-item-size-whole": texts("SyncPolicy", (maxItemSize) => policy({ limits: { maxItemSize } }), BYTES),
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
