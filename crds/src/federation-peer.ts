/** Kind FederationPeer: a remote node, written down by a person or discovered by gossip. */
import type { Static } from "typebox";
import { FEDERATION_PEER_CONDITIONS, type FederationPeerConditionType } from "./conditions.ts";
import type { DeepReadonly, KindDefinition, KubernetesObject } from "./kind.ts";
import {
  address,
  conditions,
  count,
  generation,
  labelName,
  labelSelector,
  nodeID,
  objectName,
  reference,
  sequence,
  time,
} from "./schema/formats.ts";
import { peerAddressRules, selectorRule } from "./schema/meaning.ts";
import { boolean, type CelRule, cel, enumOf, integer, mapList, object, set, string } from "./schema/structure.ts";

const CONDITION_TYPES = Object.keys(FEDERATION_PEER_CONDITIONS) as FederationPeerConditionType[];

const originOf = (self: string) => `(has(${self}.origin) ? ${self}.origin : 'Authored')`;
const isDiscovered = "has(self.origin) && self.origin == 'Discovered'";

const SPEC_RULES: readonly CelRule[] = [
  cel({
    id: "peer-id-or-ref",
    rule: "!(has(self.nodeID) && has(self.nodeRef))",
    message: "a peer is named once: remove nodeRef (remote node) or nodeID (ArchiveNode of this namespace)",
    reason: "FieldValueInvalid",
  }),
  cel({
    id: "peer-ref-has-no-endpoints",
    rule: "!(has(self.nodeRef) && has(self.endpoints))",
    message: "the operator knows the address of nodeRef: remove endpoints, or use nodeID instead of nodeRef",
    fieldPath: ".endpoints",
    reason: "FieldValueForbidden",
  }),
  cel({
    id: "peer-node-id-immutable",
    rule: "!has(oldSelf.nodeID) || (has(self.nodeID) && self.nodeID == oldSelf.nodeID)",
    message: "nodeID is immutable once set: restore it, or make a new FederationPeer",
    fieldPath: ".nodeID",
    reason: "FieldValueForbidden",
  }),
  cel({
    id: "peer-origin-immutable",
    rule: `${originOf("self")} == ${originOf("oldSelf")}`,
    message: "origin is immutable: restore it, or make a new FederationPeer",
    fieldPath: ".origin",
    reason: "FieldValueForbidden",
  }),
  cel({
    id: "discovered-sets-no-suspend",
    rule: `!(${isDiscovered}) || !has(self.suspend)`,
    message: "suspend is for authored peers: remove it, or set admission to Blocked",
    fieldPath: ".suspend",
    reason: "FieldValueForbidden",
  }),
  cel({
    id: "discovered-sets-no-node-selector",
    rule: `!(${isDiscovered}) || !has(self.nodeSelector)`,
    message: "nodeSelector is for authored peers: remove it, or write an authored peer with this nodeID",
    fieldPath: ".nodeSelector",
    reason: "FieldValueForbidden",
  }),
  cel({
    id: "approved-needs-identity",
    rule: `has(self.nodeID) || has(self.nodeRef) || (has(self.admission) ? self.admission != 'Approved' : (${isDiscovered}))`,
    message:
      "an approved peer needs an identity: set nodeID or nodeRef, or set admission to Pending to learn the id from its address",
    fieldPath: ".nodeID",
    reason: "FieldValueRequired",
  }),
];

const endpoints = mapList(
  { description: "Where the peer answers.", absent: "Where gossip says, once the peer is trusted." },
  "name",
  object(
    { description: "One address." },
    {
      required: {
        name: labelName({ description: "Name of the address." }),
        url: address({ description: "https URL.", cel: peerAddressRules("peer-endpoint", "endpoints[].url") }),
      },
      optional: {
        priority: integer({ description: "Lower is tried first.", absent: "0." }, { minimum: 0, maximum: 1000 }),
        region: string({ description: "Where it is; nodes of the same region prefer it." }, { maxLength: 63 }),
      },
    },
  ),
  { maxItems: 8 },
);

const trust = object(
  { description: "Narrows down what the peer must show." },
  {
    optional: {
      pins: set(
        { description: "Digests of accepted public keys (SPKI).", absent: "Every key that the identity vouches for." },
        string(
          {
            description: "One digest.",
            cel: [
              cel({
                id: "peer-pin-form",
                rule: "self.matches('^sha256:[0-9a-f]{64}$')",
                message: "trust.pins[] must be sha256: followed by 64 lower-case hexadecimal digits",
                reason: "FieldValueInvalid",
              }),
            ],
          },
          { minLength: 1, maxLength: 128 },
        ),
        { maxItems: 8 },
      ),
      caRef: reference({
        description: "Secret with `ca.crt`: the peer's certificate must be signed by it.",
        absent: "As the ArchiveNode's `trust.require` says.",
      }),
      minVersion: string(
        { description: "Lowest protocol version accepted.", absent: "Every version the node speaks." },
        { maxLength: 16, pattern: "^[0-9]{1,4}\\.[0-9]{1,4}$" },
      ),
      expires: time({ description: "Trust ends then.", absent: "Never." }),
    },
  },
);

export const FederationPeerSpecSchema = object(
  { description: "Who the peer is and what it may do.", cel: SPEC_RULES },
  {
    optional: {
      nodeID: nodeID({
        description: "Identity: SHA-256 of its public key, lower-case hexadecimal. Immutable once set.",
        absent: "`nodeRef` must be set, or `admission` to `Pending`: then the id that the address claims is reported.",
      }),
      nodeRef: reference({
        description:
          "Instead of `nodeID` and `endpoints`: an ArchiveNode of this namespace, so that nodes and their peering can be applied in one go.",
        absent: "`nodeID` says who it is.",
      }),
      origin: enumOf({ description: "Who wrote the object. Immutable.", absent: "`Authored`." }, [
        "Authored",
        "Discovered",
      ]),
      endpoints,
      trust,
      admission: enumOf(
        { description: "Whether the peer is let in.", absent: "`Approved` when authored, `Pending` when discovered." },
        ["Approved", "Pending", "Blocked"],
      ),
      nodeSelector: labelSelector({
        description: "ArchiveNodes of this namespace that peer with it.",
        absent: "All of them.",
        cel: [selectorRule("peer-node-selector-expressions", "nodeSelector")],
      }),
      weight: integer(
        { description: "Share of work it gets beside other peers.", absent: "100." },
        { minimum: 0, maximum: 1000 },
      ),
      roles: set(
        { description: "What the peer is used for.", absent: "Everything it announces." },
        enumOf({ description: "One capability." }, ["crawl", "store", "search", "index"]),
        { maxItems: 8 },
      ),
      suspend: boolean({ description: "Keep trust as it is, but do not connect.", absent: "false." }),
    },
  },
);

const advertised = object(
  { description: "Facts that the peer claims about itself." },
  {
    optional: {
      version: string({ description: "Its program's version." }, { maxLength: 64 }),
      protocol: object(
        { description: "Protocol versions it speaks." },
        {
          optional: {
            min: string({ description: "Lowest." }, { maxLength: 16 }),
            max: string({ description: "Highest." }, { maxLength: 16 }),
          },
        },
      ),
      collections: set({ description: "Collections it offers." }, string({ description: "Name." }, { maxLength: 63 }), {
        maxItems: 64,
      }),
      endpoints: set({ description: "Addresses it gives." }, address({ description: "URL." }), { maxItems: 8 }),
      digest: string({ description: "Digest of the record it signed." }, { maxLength: 71 }),
    },
  },
);

export const FederationPeerStatusSchema = object(
  { description: "What the operator and the nodes observed." },
  {
    optional: {
      observedGeneration: generation({ description: "The generation this status is about." }),
      advertised,
      nodes: object(
        { description: "ArchiveNodes of this namespace." },
        {
          optional: {
            matched: count({ description: "Those that `nodeSelector` matches." }),
            connected: count({ description: "Those that speak with the peer." }),
          },
        },
      ),
      firstSeenTime: time({ description: "When a node saw it first." }),
      sources: set({ description: "ArchiveNodes that saw it." }, objectName({ description: "Name." }), { maxItems: 8 }),
      trust: object(
        { description: "Trust documents." },
        { optional: { sequence: sequence({ description: "Sequence of the last document that took this peer in." }) } },
      ),
      conditions: conditions(CONDITION_TYPES),
    },
  },
);

const conditionPath = (type: string, field: string) => `.status.conditions[?(@.type=="${type}")].${field}`;

export const FederationPeerDefinition = {
  kind: "FederationPeer",
  plural: "federationpeers",
  singular: "federationpeer",
  shortNames: ["fpeer"],
  description: "A remote archive: who it is, where it answers, whether it is let in.",
  spec: FederationPeerSpecSchema,
  status: FederationPeerStatusSchema,
  columns: [
    { name: "Origin", type: "string", jsonPath: ".spec.origin" },
    { name: "Admission", type: "string", jsonPath: ".spec.admission" },
    { name: "Ready", type: "string", jsonPath: conditionPath("Ready", "status") },
    { name: "Reachable", type: "string", jsonPath: conditionPath("Reachable", "reason") },
    {
      name: "Connected",
      type: "integer",
      jsonPath: ".status.nodes.connected",
      description: "Nodes that speak with it.",
    },
    { name: "Matched", type: "integer", jsonPath: ".status.nodes.matched", description: "Nodes that should." },
    { name: "Version", type: "string", jsonPath: ".status.advertised.version" },
    {
      name: "Since",
      type: "date",
      jsonPath: conditionPath("Reachable", "lastTransitionTime"),
      description: "When Reachable changed last.",
    },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    { name: "NodeID", type: "string", jsonPath: ".spec.nodeID", priority: 1 },
    { name: "Suspended", type: "boolean", jsonPath: ".spec.suspend", priority: 1 },
    { name: "Reason", type: "string", jsonPath: conditionPath("Ready", "reason"), priority: 1 },
  ],
} as const satisfies KindDefinition;

export type FederationPeerSpec = DeepReadonly<Static<typeof FederationPeerSpecSchema>>;
export type FederationPeerStatus = DeepReadonly<Static<typeof FederationPeerStatusSchema>>;
export type FederationPeer = KubernetesObject<"FederationPeer", FederationPeerSpec, FederationPeerStatus>;
