/**
 * Kind ArchiveNode: one federation identity, run as one StatefulSet. The parts of the spec are in `archive-node/`;
 * this file puts them together and holds the rules that span several of them.
 */
import type { Static } from "typebox";
import { collections, crawl, ingest } from "./archive-node/content.ts";
import { discovery, endpoint, identity, search, tls, trust } from "./archive-node/federation.ts";
import { monitoring, networkPolicy } from "./archive-node/network.ts";
import { ArchiveNodeStatusSchema } from "./archive-node/status.ts";
import { backup, coordination, index, restoreFrom, storage } from "./archive-node/storage.ts";
import { image, podTemplate, resources, scheduling, updateStrategy } from "./archive-node/workload.ts";
import type { DeepReadonly, KindDefinition, KubernetesObject } from "./kind.ts";
import { duration } from "./schema/formats.ts";
import { boolean, type CelRule, cel, enumOf, integer, object, set, string } from "./schema/structure.ts";

/** `has()` of a nested field: CEL answers an error, not false, when the parent is absent. */
function present(self: string, parent: string, field: string): string {
  return `(has(${self}.${parent}) && has(${self}.${parent}.${field}))`;
}

/** Refuses to change or remove a field once it has a value. */
function immutableOnceSet(parent: string, field: string): CelRule {
  const path = `${parent}.${field}`;
  return cel({
    id: `${parent}-${field.replace(/[A-Z]/g, (upper) => `-${upper.toLowerCase()}`)}-immutable`,
    rule: `!${present("oldSelf", parent, field)} || (${present("self", parent, field)} && self.${path} == oldSelf.${path})`,
    message: `${path} is immutable once set: restore the old value, or make a new ArchiveNode`,
    reason: "FieldValueForbidden",
  });
}

const objectStore = (self: string) => present(self, "storage", "objectStore");
const openSearch = (self: string) => present(self, "index", "openSearch");
const redis = (self: string) => present(self, "coordination", "redis");

const SPEC_RULES: readonly CelRule[] = [
  cel({
    id: "shared-engines-all-or-none",
    rule: `${objectStore("self")} == ${openSearch("self")} && ${openSearch("self")} == ${redis("self")}`,
    message:
      "shared engines go together: set all of storage.objectStore, index.openSearch, coordination.redis, or none",
    reason: "FieldValueInvalid",
  }),
  cel({
    id: "shared-engines-as-at-creation",
    rule: `${objectStore("self")} == ${objectStore("oldSelf")} && ${openSearch("self")} == ${openSearch("oldSelf")} && ${redis("self")} == ${redis("oldSelf")}`,
    message:
      "the engines are fixed at creation: restore storage.objectStore, index.openSearch and coordination.redis, or make a new ArchiveNode and sync into it",
    reason: "FieldValueForbidden",
  }),
  cel({
    id: "replicas-need-shared-engines",
    rule: `!has(self.replicas) || self.replicas <= 1 || (${objectStore("self")} && ${openSearch("self")} && ${redis("self")})`,
    message:
      "replicas above 1 need shared engines: set storage.objectStore, index.openSearch and coordination.redis, or replicas to 0 or 1",
    fieldPath: ".replicas",
    reason: "FieldValueInvalid",
  }),
  immutableOnceSet("storage", "className"),
  immutableOnceSet("storage", "accessMode"),
  cel({
    id: "identity-choice-immutable",
    rule: `${present("self", "identity", "secretRef")} == ${present("oldSelf", "identity", "secretRef")}`,
    message: "identity.secretRef is set at creation or never: restore it as it was, or make a new ArchiveNode",
    reason: "FieldValueForbidden",
  }),
  cel({
    id: "restore-only-at-creation",
    rule: "!has(self.restoreFrom) || (has(oldSelf.restoreFrom) && self.restoreFrom == oldSelf.restoreFrom)",
    message: "restoreFrom works only at creation: remove it or restore its old value, or make a new ArchiveNode",
    fieldPath: ".restoreFrom",
    reason: "FieldValueForbidden",
  }),
];

export const ArchiveNodeSpecSchema = object(
  { description: "What the node should be.", cel: SPEC_RULES },
  {
    optional: {
      className: string(
        {
          description: "Which operator instance acts on this object, where several share a cluster.",
          absent: "The default instance.",
        },
        { maxLength: 63, pattern: "^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$" },
      ),
      version: string(
        { description: "Release of the node program; `image` overrides.", absent: "The operator's own release." },
        { maxLength: 32, pattern: "^(0|[1-9][0-9]*)\\.(0|[1-9][0-9]*)\\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?$" },
      ),
      image,
      replicas: integer(
        {
          description:
            "Pods. 0 hibernates the node: volumes stay. More than 1 needs the shared engines. Has the only default of the API, since `kubectl scale` cannot read an absent field.",
          absent: "1, which the API server writes in.",
        },
        { minimum: 0, maximum: 32, default: 1 },
      ),
      capabilities: set(
        { description: "What the node announces and serves.", absent: "All four." },
        enumOf({ description: "One capability." }, ["crawl", "store", "search", "index"]),
        { minItems: 1, maxItems: 4 },
      ),
      collections,
      ingest,
      crawl,
      storage,
      index,
      coordination,
      resources,
      scheduling,
      identity,
      tls,
      trust,
      discovery,
      endpoint,
      search,
      backup,
      restoreFrom,
      updateStrategy,
      podTemplate,
      networkPolicy,
      monitoring,
      suspend: boolean({
        description:
          "Leave the children as they are, keys and certificates included: some of these may end 30 days later. Status is still reported, deletion still works.",
        absent: "false.",
      }),
      deletion: object(
        {
          description: "What happens before the node is deleted.",
          absent: "It is deleted at once; no finalizer is set.",
        },
        {
          optional: {
            announce: duration({
              description: "How long deletion may wait for the node to tell its peers; at most `10m`.",
              absent: "Peers are not told.",
              cel: [
                cel({
                  id: "deletion-announce-maximum",
                  rule: "duration(self) <= duration('10m')",
                  message: "deletion.announce must be at most 10m",
                  reason: "FieldValueInvalid",
                }),
              ],
            }),
          },
        },
      ),
    },
  },
);

/** Longest child name is a pod's `<name>-…-<ordinal>` and the label value of its revision; 40 keeps all below 63. */
const ROOT_RULES: readonly CelRule[] = [
  cel({
    id: "node-name-form",
    rule: "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
    message:
      "metadata.name takes lower-case letters, digits and -, begins with a letter and ends with a letter or digit",
    reason: "FieldValueInvalid",
  }),
  cel({
    id: "node-name-length",
    rule: "self.metadata.name.size() <= 40",
    message: "metadata.name must have at most 40 characters, so that names of Services and pods stay valid",
    reason: "FieldValueInvalid",
  }),
];

const conditionPath = (type: string, field: string) => `.status.conditions[?(@.type=="${type}")].${field}`;

export const ArchiveNodeDefinition = {
  kind: "ArchiveNode",
  plural: "archivenodes",
  singular: "archivenode",
  shortNames: ["anode"],
  description: "One web archive: one federation identity, run as one StatefulSet.",
  spec: ArchiveNodeSpecSchema,
  status: ArchiveNodeStatusSchema,
  rootRules: ROOT_RULES,
  scale: {
    specReplicasPath: ".spec.replicas",
    statusReplicasPath: ".status.replicas",
    labelSelectorPath: ".status.selector",
  },
  columns: [
    { name: "Ready", type: "string", jsonPath: conditionPath("Ready", "status") },
    { name: "Replicas", type: "integer", jsonPath: ".status.readyReplicas", description: "Pods that are ready." },
    { name: "Version", type: "string", jsonPath: ".status.effective.version" },
    {
      name: "Peers",
      type: "integer",
      jsonPath: ".status.federation.peers.ready",
      description: "Peers that are ready.",
    },
    {
      name: "Trust",
      type: "integer",
      jsonPath: ".status.trust.observedSequence",
      description: "Sequence of the trust document that every pod enforces.",
    },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    { name: "NodeID", type: "string", jsonPath: ".status.nodeID", priority: 1 },
    { name: "Endpoint", type: "string", jsonPath: ".status.endpoints[0].url", priority: 1 },
    // As text: kubectl shows a date by its age, and one in the future as <invalid>.
    { name: "CertExpiry", type: "string", jsonPath: ".status.certificate.notAfter", priority: 1 },
    { name: "Suspended", type: "boolean", jsonPath: ".spec.suspend", priority: 1 },
    { name: "Reason", type: "string", jsonPath: conditionPath("Ready", "reason"), priority: 1 },
  ],
} as const satisfies KindDefinition;

export type ArchiveNodeSpec = DeepReadonly<Static<typeof ArchiveNodeSpecSchema>>;
export type ArchiveNodeStatus = DeepReadonly<Static<typeof ArchiveNodeStatusSchema>>;
export type ArchiveNode = KubernetesObject<"ArchiveNode", ArchiveNodeSpec, ArchiveNodeStatus>;
