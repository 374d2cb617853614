/** Kind SyncPolicy: which nodes exchange which collections with which peers, when and how fast. */
import type { Static } from "typebox";
import type { DeepReadonly, KindDefinition, KubernetesObject } from "./kind.ts";
import { cron, duration, labelSelector } from "./schema/formats.ts";
import { cronRule, durationRangeRule, selectorRule, timeZoneRule } from "./schema/meaning.ts";
import { boolean, type CelRule, cel, enumOf, integer, object, set, string } from "./schema/structure.ts";
import { SyncPolicyStatusSchema } from "./sync-policy/status.ts";
import { conflict, failure, limits, replication, verification, windows } from "./sync-policy/transfer.ts";

const SPEC_RULES: readonly CelRule[] = [
  cel({
    id: "policy-node-selector-required",
    rule: "has(self.nodeSelector)",
    message: "nodeSelector is required, since an absent one matches nothing: set it; {} matches every ArchiveNode",
    fieldPath: ".nodeSelector",
    reason: "FieldValueRequired",
  }),
  cel({
    id: "policy-peer-selector-required",
    rule: "has(self.peerSelector)",
    message: "peerSelector is required, since an absent one matches nothing: set it; {} matches every FederationPeer",
    fieldPath: ".peerSelector",
    reason: "FieldValueRequired",
  }),
  cel({
    id: "policy-schedule-or-interval",
    rule: "has(self.schedule) != has(self.interval)",
    message: "a policy has one rhythm: set either schedule or interval",
    reason: "FieldValueInvalid",
  }),
];

const collectionNames = (description: string, absent: string) =>
  set({ description, absent }, string({ description: "Name of a collection." }, { minLength: 1, maxLength: 63 }), {
    maxItems: 64,
  });

export const SyncPolicySpecSchema = object(
  {
    description:
      "What to exchange. Where two policies cover the same node, peer and collection, the higher `priority` wins, then the older, then the lexically smaller name.",
    cel: SPEC_RULES,
  },
  {
    optional: {
      nodeSelector: labelSelector({
        description: "ArchiveNodes of this namespace; `{}` matches all.",
        absent: "Refused.",
        cel: [selectorRule("policy-node-selector-expressions", "nodeSelector")],
      }),
      peerSelector: labelSelector({
        description:
          "FederationPeers of this namespace; `{}` matches all. Discovered ones carry `archivestream.io/origin: discovered`.",
        absent: "Refused.",
        cel: [selectorRule("policy-peer-selector-expressions", "peerSelector")],
      }),
      direction: enumOf(
        {
          description: "`Pull` fetches what is missing; `Announce` tells the peer what is new, so that it can.",
          absent: "`Pull`.",
        },
        ["Pull", "Announce", "Both"],
      ),
      collections: object(
        {
          description: "Which collections.",
          absent: "Every collection that both sides may exchange.",
          cel: [
            cel({
              id: "policy-collections-left",
              rule: "!has(self.include) || self.include.size() == 0 || !has(self.exclude) || !self.include.all(name, name in self.exclude)",
              message: "collections.exclude has every name of collections.include, so nothing is left: remove some",
              reason: "FieldValueInvalid",
            }),
          ],
        },
        {
          optional: {
            include: collectionNames("Only these.", "All."),
            exclude: collectionNames("Never these; wins over `include`.", "None."),
          },
        },
      ),
      schedule: cron(cronRule("policy-schedule-form", "schedule"), {
        description: "When to begin, in `timeZone`.",
        absent: "`interval` must be set.",
      }),
      interval: duration({
        description: "Time between begins, `10s` to `8760h`.",
        absent: "`schedule` must be set.",
        cel: [durationRangeRule("policy-interval-range", "interval", { min: "10s", max: "8760h" })],
      }),
      timeZone: string(
        {
          description: "IANA name, for `schedule` and `windows`.",
          absent: "UTC.",
          cel: [timeZoneRule("policy-time-zone", "timeZone")],
        },
        { minLength: 1, maxLength: 64, pattern: "^[A-Za-z0-9_+/-]+$" },
      ),
      jitter: duration({
        description: "Each begin is put off by up to this, so that nodes do not move in step.",
        absent: "A tenth of the interval, at most `5m`.",
      }),
      windows,
      limits,
      verification,
      conflict,
      failure,
      replication,
      priority: integer({ description: "Higher wins.", absent: "0." }, { minimum: -1000, maximum: 1000 }),
      mode: enumOf({ description: "`DryRun` only reports what would match.", absent: "`Enforce`." }, [
        "Enforce",
        "DryRun",
      ]),
      suspend: boolean({ description: "Begin no run; running transfers end.", absent: "false." }),
    },
  },
);

const conditionPath = (type: string, field: string) => `.status.conditions[?(@.type=="${type}")].${field}`;

export const SyncPolicyDefinition = {
  kind: "SyncPolicy",
  plural: "syncpolicies",
  singular: "syncpolicy",
  shortNames: ["spol"],
  description: "Which nodes exchange which collections with which peers.",
  spec: SyncPolicySpecSchema,
  status: SyncPolicyStatusSchema,
  columns: [
    { name: "Ready", type: "string", jsonPath: conditionPath("Ready", "status") },
    { name: "Nodes", type: "integer", jsonPath: ".status.matched.nodes" },
    { name: "Peers", type: "integer", jsonPath: ".status.matched.peers" },
    { name: "Direction", type: "string", jsonPath: ".spec.direction" },
    { name: "Schedule", type: "string", jsonPath: ".spec.schedule" },
    { name: "Interval", type: "string", jsonPath: ".spec.interval" },
    { name: "LastRun", type: "string", jsonPath: ".status.lastRun.result" },
    { name: "Suspended", type: "boolean", jsonPath: ".spec.suspend" },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    { name: "Reason", type: "string", jsonPath: conditionPath("Ready", "reason"), priority: 1 },
  ],
} as const satisfies KindDefinition;

export type SyncPolicySpec = DeepReadonly<Static<typeof SyncPolicySpecSchema>>;
export type SyncPolicyStatus = DeepReadonly<Static<typeof SyncPolicyStatusSchema>>;
export type SyncPolicy = KubernetesObject<"SyncPolicy", SyncPolicySpec, SyncPolicyStatus>;
