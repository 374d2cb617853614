/** Kind SyncPolicy: which nodes exchange which collections with which peers, when and how fast. */
import type { Static } from "typebox";
import { SYNC_POLICY_CONDITIONS, type SyncPolicyConditionType } from "./conditions.ts";
import type { DeepReadonly, KindDefinition, KubernetesObject } from "./kind.ts";
import {
  conditions,
  count,
  cron,
  duration,
  generation,
  labelSelector,
  objectName,
  quantity,
  sequence,
  time,
} from "./schema/formats.ts";
import {
  atomicList,
  boolean,
  type CelRule,
  cel,
  enumOf,
  integer,
  mapList,
  object,
  set,
  string,
} from "./schema/structure.ts";

const CONDITION_TYPES = Object.keys(SYNC_POLICY_CONDITIONS) as SyncPolicyConditionType[];

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

const clock = (description: string) =>
  string({ description }, { maxLength: 5, pattern: "^([01][0-9]|2[0-3]):[0-5][0-9]$" });

const windows = atomicList(
  { description: "When transfers may run, in `timeZone`; one that began inside goes on.", absent: "Always." },
  object(
    { description: "One window." },
    {
      required: {
        start: clock("Begin, as `22:00`."),
        end: clock("End; earlier than the begin means the next day."),
      },
      optional: {
        days: set(
          { description: "Days on which it begins.", absent: "Every day." },
          enumOf({ description: "Day." }, ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]),
          { minItems: 1, maxItems: 7 },
        ),
      },
    },
  ),
  { maxItems: 16 },
);

const limits = object(
  { description: "How much a node may do for this policy." },
  {
    optional: {
      bandwidth: quantity({ description: "Bytes per second and node, e.g. `10Mi`.", absent: "No limit." }),
      concurrency: integer({ description: "Transfers at once and node.", absent: "4." }, { minimum: 1, maximum: 64 }),
      maxItemSize: quantity({ description: "Larger files are left out.", absent: "No limit." }),
    },
  },
);

const failure = object(
  { description: "What happens when a peer fails." },
  {
    optional: {
      backoff: object(
        {
          description: "Pauses between attempts, doubling.",
          cel: [
            cel({
              id: "policy-backoff-order",
              rule: "!has(self.min) || !has(self.max) || duration(self.min) <= duration(self.max)",
              message: "failure.backoff.min must not be longer than failure.backoff.max: change one of them",
              fieldPath: ".min",
              reason: "FieldValueInvalid",
            }),
          ],
        },
        {
          optional: {
            min: duration({ description: "First pause.", absent: "`10s`." }),
            max: duration({ description: "Longest pause.", absent: "`30m`." }),
          },
        },
      ),
      deadline: duration({
        description: "A run that takes longer is ended and counted as failed.",
        absent: "No deadline.",
      }),
    },
  },
);

const copies = (description: string, absent: string) => integer({ description, absent }, { minimum: 1, maximum: 100 });

const replication = object(
  {
    description: "Copies of each file in the federation.",
    absent: "Files are fetched as `direction` says; copies are not counted.",
    cel: [
      cel({
        id: "policy-copies-order",
        rule: "(!has(self.minCopies) || !has(self.targetCopies) || self.minCopies <= self.targetCopies) && (!has(self.targetCopies) || !has(self.maxCopies) || self.targetCopies <= self.maxCopies) && (!has(self.minCopies) || !has(self.maxCopies) || self.minCopies <= self.maxCopies)",
        message: "replication.minCopies, targetCopies and maxCopies must not fall in this order: change one of them",
        reason: "FieldValueInvalid",
      }),
    ],
  },
  {
    optional: {
      minCopies: copies("Fewer copies are repaired at once.", "2."),
      targetCopies: copies("Copies aimed at.", "3."),
      maxCopies: copies("More copies may be dropped.", "5."),
    },
  },
);

export const SyncPolicySpecSchema = object(
  {
    description:
      "What to exchange. Where two policies cover the same node, peer and collection, the higher `priority` wins, then the older, then the lexically smaller name.",
    cel: SPEC_RULES,
  },
  {
    optional: {
      nodeSelector: labelSelector({ description: "ArchiveNodes of this namespace; `{}` matches all. Required." }),
      peerSelector: labelSelector({
        description:
          "FederationPeers of this namespace; `{}` matches all. Required. Discovered ones carry `archivestream.io/origin: discovered`.",
      }),
      direction: enumOf(
        {
          description: "`Pull` fetches what is missing; `Announce` tells the peer what is new, so that it can.",
          absent: "`Pull`.",
        },
        ["Pull", "Announce", "Both"],
      ),
      collections: object(
        { description: "Which collections.", absent: "Every collection that both sides may exchange." },
        {
          optional: {
            include: collectionNames("Only these.", "All."),
            exclude: collectionNames("Never these; wins over `include`.", "None."),
          },
        },
      ),
      schedule: cron({ description: "When to begin; or use `interval`." }),
      interval: duration({
        description: "Time between begins, at least `10s`; or use `schedule`.",
        cel: [
          cel({
            id: "policy-interval-minimum",
            rule: "duration(self) >= duration('10s')",
            message: "interval must be at least 10s",
            reason: "FieldValueInvalid",
          }),
        ],
      }),
      timeZone: string(
        { description: "IANA name, for `schedule` and `windows`.", absent: "UTC." },
        { minLength: 1, maxLength: 64, pattern: "^[A-Za-z0-9_+/-]+$" },
      ),
      jitter: duration({
        description: "Each begin is put off by up to this, so that nodes do not move in step.",
        absent: "A tenth of the interval, at most `5m`.",
      }),
      windows,
      limits,
      verification: object(
        { description: "How received files are checked." },
        {
          optional: {
            mode: enumOf(
              {
                description: "`Digest` checks the file's hash; `Full` also reads every record and its digests.",
                absent: "`Digest`.",
              },
              ["Digest", "Full"],
            ),
          },
        },
      ),
      conflict: object(
        { description: "Two different files under one file name." },
        {
          optional: {
            strategy: enumOf(
              {
                description: "Which one keeps the name; no file is lost, each is stored under its hash.",
                absent: "`KeepBoth`.",
              },
              ["KeepBoth", "KeepLocal", "KeepRemote"],
            ),
          },
        },
      ),
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

export const SyncPolicyStatusSchema = object(
  { description: "What the operator observed." },
  {
    optional: {
      observedGeneration: generation({ description: "The generation this status is about." }),
      matched: object(
        { description: "What the selectors match." },
        {
          optional: {
            nodes: count({ description: "ArchiveNodes." }),
            peers: count({ description: "FederationPeers." }),
            pairs: count({ description: "Pairs of both." }),
          },
        },
      ),
      programmed: object(
        { description: "Nodes that have taken the policy." },
        { optional: { nodes: count({ description: "How many." }) } },
      ),
      conflicts: object(
        { description: "Where another policy wins." },
        { optional: { pairs: count({ description: "Pairs." }) } },
      ),
      targets: mapList(
        { description: "Matched nodes, those with a problem first; at most 32." },
        "node",
        object(
          { description: "One node." },
          {
            required: { node: objectName({ description: "ArchiveNode." }) },
            optional: {
              sequence: sequence({ description: "Sequence of its federation document." }),
              observed: sequence({ description: "Lowest sequence that any of its pods uses." }),
            },
          },
        ),
        { maxItems: 32 },
      ),
      targetsOmitted: count({ description: "Matched nodes that are not in `targets`." }),
      lastRun: object(
        { description: "Written when the result changes; the times of runs are metrics." },
        {
          optional: {
            result: enumOf({ description: "How runs end." }, ["Succeeded", "Partial", "Failed"]),
            since: time({ description: "Since when they end so." }),
          },
        },
      ),
      conditions: conditions(CONDITION_TYPES),
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
