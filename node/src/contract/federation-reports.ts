/**
 * What a node reports of its peers, policies and discoveries on the admin port. Each is a page of its own with an ETag, so
 * that the status stays cacheable; none holds a count or a time that moves while nothing happens. 404 on one of these paths
 * means a node of an older release.
 */
import Type, { type Static } from "typebox";
import { NodeIdSchema } from "./documents.ts";

const Url = Type.String({ maxLength: 2048 });
/** Escaped and cut before it leaves the node: parts of it may be a peer's words. */
const Message = Type.String({ maxLength: 256 });

/** This node's own finding: `unknown` until the first answer or failure. */
export const PeerStateSchema = Type.Union([
  Type.Literal("alive"),
  Type.Literal("suspect"),
  Type.Literal("dead"),
  Type.Literal("unknown"),
]);
export type PeerState = Static<typeof PeerStateSchema>;

/** How far a peer has proven itself to this node: protocol levels L0 to L3. */
export const TrustLevelSchema = Type.Union([
  Type.Literal("unknown"),
  Type.Literal("claimed"),
  Type.Literal("proven"),
  Type.Literal("verified"),
]);
export type TrustLevel = Static<typeof TrustLevelSchema>;

/** Why a peer cannot be spoken with. */
export const PeerFailureSchema = Type.Object({
  reason: Type.Union([
    Type.Literal("DialFailed"),
    Type.Literal("TLSFailed"),
    Type.Literal("IdentityMismatch"),
    Type.Literal("PinMismatch"),
    Type.Literal("AddressForbidden"),
    Type.Literal("ProtocolTooOld"),
    Type.Literal("ProtocolTooNew"),
    /** The peer does not let this node in (yet): 202 `pending` or 403. */
    Type.Literal("NotAdmitted"),
  ]),
  message: Message,
});
export type PeerFailure = Static<typeof PeerFailureSchema>;

/** What a peer says of itself in its signed record. */
export const AdvertisedSchema = Type.Object({
  /** Protocol versions, lowest and highest. */
  protocol: Type.Optional(Type.Object({ min: Type.String({ maxLength: 16 }), max: Type.String({ maxLength: 16 }) })),
  /** Version of its program. */
  version: Type.Optional(Type.String({ maxLength: 64 })),
  capabilities: Type.Array(Type.String({ maxLength: 16 }), { maxItems: 8 }),
  /** Those it offers to this node; learnt when a policy or a person asked. */
  collections: Type.Optional(Type.Array(Type.String({ maxLength: 63 }), { maxItems: 64 })),
  endpoints: Type.Array(Url, { maxItems: 8 }),
});

/** GET peers: those of the federation document, and what became of its `addresses`. */
export const AdminPeersSchema = Type.Object({
  peers: Type.Array(
    Type.Object({
      nodeID: NodeIdSchema,
      state: PeerStateSchema,
      trust: TrustLevelSchema,
      /** The endpoint that worked last. */
      endpoint: Type.Optional(Url),
      /** Why it is not alive now; absent when it is, or when nothing is known yet. */
      failure: Type.Optional(PeerFailureSchema),
      advertised: Type.Optional(AdvertisedSchema),
    }),
    { maxItems: 4000 },
  ),
  addresses: Type.Array(
    Type.Object({ address: Url, claims: Type.Optional(NodeIdSchema), failure: Type.Optional(PeerFailureSchema) }),
    { maxItems: 64 },
  ),
});
export type AdminPeers = Static<typeof AdminPeersSchema>;

/** Why a file that is wanted is not here. One code per file. */
export const MISSING_REASONS = {
  queued: "its turn has not come yet",
  transferring: "it is being fetched",
  verifying: "it was fetched and is being read",
  "holder-offline": "the peer does not answer",
  "no-holder": "the peer does not have it any more",
  refused: "the peer does not give it to this node",
  "too-large": "it is larger than the policy or this node takes",
  "disk-reserve": "the volume has no room for it beside the reserve",
  "access-wider": "it would land in a collection with wider access than the peer's",
  corrupt: "what the peer sent does not have this hash",
  "not-an-archive": "the file is no WARC or ARC file",
  "bad-schedule": "the policy's schedule cannot be read or names no date, so that it never runs: correct it",
  failed: "fetching or storing it failed; the log says why",
} as const;
export type MissingReason = keyof typeof MISSING_REASONS;
export const MissingReasonSchema = Type.Unsafe<MissingReason>({
  type: "string",
  enum: Object.keys(MISSING_REASONS),
});

export const SyncTargetSchema = Type.Object({
  peer: NodeIdSchema,
  collection: Type.String({ maxLength: 63 }),
  /**
   * `Pending`: no run has ended yet. `Synced`: everything wanted is held. `Syncing`: something is under way.
   * `Incomplete`: the last run ended and something is missing. `Failed`: the peer's list could not be read, or never
   * will be.
   */
  state: Type.Union([
    Type.Literal("Pending"),
    Type.Literal("Synced"),
    Type.Literal("Syncing"),
    Type.Literal("Incomplete"),
    Type.Literal("Failed"),
  ]),
  /** The gravest reason of what is missing. */
  reason: Type.Optional(MissingReasonSchema),
});
export type SyncTarget = Static<typeof SyncTargetSchema>;

/** GET policies: of the federation document, in its order. */
export const AdminPoliciesSchema = Type.Object({
  policies: Type.Array(
    Type.Object({
      name: Type.String({ maxLength: 253 }),
      uid: Type.Optional(Type.String({ maxLength: 64 })),
      /** Those with a problem first. */
      targets: Type.Array(SyncTargetSchema, { maxItems: 256 }),
      targetsOmitted: Type.Integer({ minimum: 0 }),
    }),
    { maxItems: 256 },
  ),
});
export type AdminPolicies = Static<typeof AdminPoliciesSchema>;

/** GET discoveries: peers that proved their key and that neither document names; at most `discovery.maxPeers`. */
export const AdminDiscoveriesSchema = Type.Object({
  discoveries: Type.Array(
    Type.Object({
      nodeID: NodeIdSchema,
      endpoints: Type.Array(Url, { maxItems: 8 }),
      capabilities: Type.Array(Type.String({ maxLength: 16 }), { maxItems: 8 }),
      /** `handshake`: it came to us; `gossip`: another peer told of it. */
      source: Type.Union([Type.Literal("handshake"), Type.Literal("gossip")]),
    }),
    { maxItems: 2000 },
  ),
  /** True when there are more than `discovery.maxPeers`. */
  overBudget: Type.Boolean(),
});
export type AdminDiscoveries = Static<typeof AdminDiscoveriesSchema>;
