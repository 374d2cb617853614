/**
 * The two sequenced documents that the operator keeps current in every node: who may peer (trust) and with
 * whom to exchange what (federation). Delivered as a mounted file and by PUT on the admin port; a node takes the
 * one with the higher sequence whose digest verifies.
 *
 * `digest` is `sha256:<hex>` over the RFC 8785 form of the document without `digest`, `sequence` and `issuedAt`,
 * so that the same content always has the same digest and a sequence moves only when content does.
 */
import Type, { type Static } from "typebox";

export const NodeIdSchema = Type.String({ pattern: "^[0-9a-f]{64}$" });
const Sha256Pin = Type.String({ pattern: "^sha256:[0-9a-f]{64}$" });
const Digest = Type.String({ pattern: "^sha256:[0-9a-f]{64}$" });
const Sequence = Type.Integer({ minimum: 1 });
const Time = Type.String({ pattern: "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}Z$" });

export const TrustEntrySchema = Type.Object({
  nodeID: NodeIdSchema,
  pins: Type.Array(Sha256Pin, { maxItems: 8 }),
  notBefore: Type.Optional(Time),
  notAfter: Type.Optional(Time),
  /** UID of the FederationPeer that brought this entry; absent for ids from an allow-list Secret. */
  peerUID: Type.Optional(Type.String({ maxLength: 64 })),
});

/** `allowlist.json` of Secret `<n>-trust`; at most 4,000 entries (about 640 KiB, under the 1 MiB object limit). */
export const TrustDocumentSchema = Type.Object({
  sequence: Sequence,
  issuedAt: Time,
  node: Type.String({ maxLength: 63 }),
  mode: Type.Union([Type.Literal("Public"), Type.Literal("Private")]),
  require: Type.Union([Type.Literal("Key"), Type.Literal("CA"), Type.Literal("KeyOrCA"), Type.Literal("KeyAndCA")]),
  entries: Type.Array(TrustEntrySchema, { maxItems: 4000 }),
  revoked: Type.Array(NodeIdSchema, { maxItems: 4000 }),
  digest: Digest,
});
export type TrustEntry = Static<typeof TrustEntrySchema>;
export type TrustDocument = Static<typeof TrustDocumentSchema>;

const Url = Type.String({ minLength: 1, maxLength: 2048, pattern: "^https://" });
const CollectionName = Type.String({ minLength: 1, maxLength: 63 });

export const FederationPeerEntrySchema = Type.Object({
  nodeID: NodeIdSchema,
  /** Base URLs of its federation API, in the order to dial. A person or the operator put them there. */
  endpoints: Type.Array(Type.String({ maxLength: 2048 }), { maxItems: 8 }),
  /** SPKI digests that its certificate must match; absent: whatever key its record names. */
  pins: Type.Optional(Type.Array(Sha256Pin, { maxItems: 8 })),
  /** Share of work beside other peers; absent: 100. */
  weight: Type.Optional(Type.Integer({ minimum: 0, maximum: 1000 })),
  /** Trusted, but not dialled. */
  suspend: Type.Optional(Type.Boolean()),
});
export type FederationPeerEntry = Static<typeof FederationPeerEntrySchema>;

/** Pull from `peers` what this node misses. The node takes the first policy that matches a (peer, collection). */
export const PolicyEntrySchema = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 253 }),
  /** UID of the SyncPolicy; absent for one that was made on the command line. */
  uid: Type.Optional(Type.String({ maxLength: 64 })),
  /** Node ids. Absent: every peer of this document. */
  peers: Type.Optional(Type.Array(NodeIdSchema, { maxItems: 4000 })),
  /** Collections; absent: every one that both sides have. */
  include: Type.Optional(Type.Array(CollectionName, { maxItems: 64 })),
  exclude: Type.Optional(Type.Array(CollectionName, { maxItems: 64 })),
  /** Time between begins. Either this or `schedule` is set. */
  intervalSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 31_536_000 })),
  /** Cron expression of five fields, in `timeZone` (IANA; absent: UTC). */
  schedule: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
  timeZone: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  /** Larger files are not fetched. */
  maxItemBytes: Type.Optional(Type.Integer({ minimum: 1 })),
});
export type PolicyEntry = Static<typeof PolicyEntrySchema>;

/** `federation.json` of ConfigMap `<n>-federation`. Everything an older node does not know is optional. */
export const FederationDocumentSchema = Type.Object({
  sequence: Sequence,
  issuedAt: Time,
  node: Type.String({ maxLength: 63 }),
  peers: Type.Array(FederationPeerEntrySchema, { maxItems: 4000 }),
  /** In order of precedence. */
  policies: Type.Array(PolicyEntrySchema, { maxItems: 256 }),
  /** Base URLs to ask first. */
  seeds: Type.Optional(Type.Array(Url, { maxItems: 16 })),
  /** Base URLs of peers known by address only: the node asks who is there and reports it, and trusts nobody for it. */
  addresses: Type.Optional(Type.Array(Url, { maxItems: 64 })),
  /** Base URL that peers are told; absent: where the node listens. */
  advertised: Type.Optional(Url),
  discovery: Type.Optional(
    Type.Object({
      /** Absent: `Disabled` under the operator; a node without one proposes. */
      mode: Type.Union([
        Type.Literal("Disabled"),
        Type.Literal("Observe"),
        Type.Literal("Propose"),
        Type.Literal("AutoAdmit"),
      ]),
      maxPeers: Type.Optional(Type.Integer({ minimum: 1, maximum: 2000 })),
      /** Node ids that are never reported. */
      deny: Type.Optional(Type.Array(NodeIdSchema, { maxItems: 256 })),
    }),
  ),
  search: Type.Optional(
    Type.Object({
      /** Peers asked per question; absent: 16. */
      maxPeers: Type.Optional(Type.Integer({ minimum: 1, maximum: 64 })),
      /** Absent: 2,000. */
      timeoutMs: Type.Optional(Type.Integer({ minimum: 50, maximum: 10_000 })),
    }),
  ),
  digest: Digest,
});
export type FederationDocument = Static<typeof FederationDocumentSchema>;

/** File names inside the mounted folders. */
export const DOCUMENT_FILES = { trust: "allowlist.json", trustCa: "ca.pem", federation: "federation.json" } as const;

/** File names inside the mounted key folders. */
export const KEY_FILES = {
  serviceKey: "service.key",
  delegation: "delegation.json",
  tlsKey: "tls.key",
  tlsCert: "tls.crt",
  adminCa: "ca.crt",
  accessToken: "token",
} as const;
