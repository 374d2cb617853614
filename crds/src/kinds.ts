/** All kinds of the group, in the order in which a reader meets them. */
import { ArchiveNodeDefinition } from "./archive-node.ts";
import { FederationPeerDefinition } from "./federation-peer.ts";
import type { KindDefinition } from "./kind.ts";
import { SyncPolicyDefinition } from "./sync-policy.ts";

export const KINDS = {
  ArchiveNode: ArchiveNodeDefinition,
  FederationPeer: FederationPeerDefinition,
  SyncPolicy: SyncPolicyDefinition,
} as const satisfies Readonly<Record<string, KindDefinition>>;

export type KindName = keyof typeof KINDS;
