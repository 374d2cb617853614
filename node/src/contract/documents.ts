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
export type TrustDocument = Static<typeof TrustDocumentSchema>;

/** `federation.json` of ConfigMap `<n>-federation`. */
export const FederationDocumentSchema = Type.Object({
  sequence: Sequence,
  issuedAt: Time,
  node: Type.String({ maxLength: 63 }),
  peers: Type.Array(
    Type.Object({
      nodeID: NodeIdSchema,
      endpoints: Type.Array(Type.String({ maxLength: 2048 }), { maxItems: 8 }),
    }),
    { maxItems: 4000 },
  ),
  policies: Type.Array(Type.Object({ name: Type.String({ maxLength: 253 }) }), { maxItems: 256 }),
  digest: Digest,
});
export type FederationDocument = Static<typeof FederationDocumentSchema>;

/** File names inside the mounted folders. */
export const DOCUMENT_FILES = { trust: "allowlist.json", trustCa: "ca.pem", federation: "federation.json" } as const;

/** Proof that a service key speaks for an identity: signed by the identity key, domain {@link DELEGATION_DOMAIN}. */
export const DelegationSchema = Type.Object({
  delegation: Type.Object({
    node_id: NodeIdSchema,
    /** base64url SPKI DER of the Ed25519 service key. */
    spki: Type.String({ maxLength: 128 }),
    /** Epoch milliseconds. */
    not_before: Type.Integer({ minimum: 0 }),
    not_after: Type.Integer({ minimum: 0 }),
    /** base64url SPKI DER of the Ed25519 identity key whose SHA-256 is `node_id`. */
    identity_key: Type.String({ maxLength: 128 }),
  }),
  /** base64url Ed25519 signature over the domain and the RFC 8785 form of `delegation`. */
  sig: Type.String({ maxLength: 128 }),
});
export type Delegation = Static<typeof DelegationSchema>;

/** Signing domain, put before the canonical bytes, so that no signature can stand for another. */
export const DELEGATION_DOMAIN = "asfp-v1/delegation\n";

/** File names inside the mounted key folders. */
export const KEY_FILES = {
  serviceKey: "service.key",
  delegation: "delegation.json",
  tlsKey: "tls.key",
  tlsCert: "tls.crt",
  adminCa: "ca.crt",
  accessToken: "token",
} as const;
