/**
 * Condition types and reasons of the three kinds: what each means and what the reader of it should do. The reference
 * page is written from these tables, and controllers may use no reason that is not here.
 *
 * Reasons are matched by alerts and scripts: add, never rename.
 */

import { ARCHIVE_NODE_CONDITIONS } from "./conditions/archive-node.ts";
import {
  accepted,
  type ConditionDefinition,
  READY_PENDING,
  reconciling,
  stalled,
  suspended,
} from "./conditions/shared.ts";

export type { ConditionDefinition };
export { ARCHIVE_NODE_CONDITIONS };

export const FEDERATION_PEER_CONDITIONS = {
  Accepted: {
    meaning: "The spec was understood and conflicts with no other peer.",
    reasons: {
      ...accepted,
      NodeIDRequired:
        "The peer is known by address only and is never trusted on first use. Set `spec.nodeID` to the id in the message, after comparing it with what the other archive's operator tells you.",
      NodeNotFound: "`spec.nodeRef` names no ArchiveNode of this namespace. Create it or correct the name.",
    },
  },
  Ready: {
    meaning: "Accepted, Trusted and Reachable on every matched node.",
    reasons: {
      Pending: READY_PENDING,
      Ready: "Nothing to do.",
      DuplicateNodeID: "Another FederationPeer has the same node id; the message names it. Delete one of the two.",
      AdmissionPending: "Nobody has decided yet. Set `spec.admission` to Approved or Blocked.",
      Blocked: "`spec.admission` is Blocked. Nothing to do.",
      NotAccepted: "See the Accepted condition.",
      Suspended: "`spec.suspend` is true: trust stays, nobody connects. Set it to false to go on.",
      NotTrusted: "See the Trusted condition.",
      NotReachable: "See the Reachable condition.",
    },
  },
  Trusted: {
    meaning: "Every matched node enforces a trust document that names this peer.",
    reasons: {
      Trusted: "Nothing to do.",
      Pending: READY_PENDING,
      NotAccepted: "See the Accepted condition.",
      NoMatchingNode: "`spec.nodeSelector` matches no ArchiveNode. Correct it.",
      NoRoom:
        "A matched node trusts nobody by key (`spec.trust.require`), denies this id, or its trust document is full. See that node.",
      Propagating: "Some nodes have not taken the document yet. Wait.",
      AdmissionPending: "Set `spec.admission` to Approved.",
      Blocked: "`spec.admission` is Blocked.",
      Expired: "`spec.trust.expires` has passed. Move or remove it.",
      PinMismatch:
        "The peer showed a key that none of `spec.trust.pins` covers. Ask its operator, then add the new pin.",
    },
  },
  Reachable: {
    meaning: "At least one matched node speaks with the peer.",
    reasons: {
      Connected: "Nothing to do.",
      Pending: READY_PENDING,
      Suspended: "`spec.suspend` is true: nobody connects. Set it to false to go on.",
      NoMatchingNode: "`spec.nodeSelector` matches no ArchiveNode. Correct it.",
      DialFailed: "No endpoint answered; the message holds the last error. Check `spec.endpoints`.",
      TLSFailed: "The TLS 1.3 handshake failed; the message says why.",
      IdentityMismatch: "The address belongs to another node id than `spec.nodeID`. Correct one of them.",
      PinMismatch:
        "The peer showed a key that none of `spec.trust.pins` covers. Ask its operator, then add the new pin.",
      AddressForbidden: "The address is one that nodes do not call. Give the peer another in `spec.endpoints`.",
      NotAdmitted: "The peer does not let this node in yet. Give its operator this node's id, `status.nodeID`.",
      ProtocolTooOld: "See the Compatible condition.",
      ProtocolTooNew: "See the Compatible condition.",
    },
  },
  Compatible: {
    meaning: "Protocol versions overlap.",
    reasons: {
      Compatible: "Nothing to do.",
      Pending: READY_PENDING,
      ProtocolTooOld: "The peer speaks less than `spec.trust.minVersion`. Ask its operator to upgrade.",
      ProtocolTooNew: "This node is too old for the peer. Upgrade it.",
    },
  },
  Reconciling: { meaning: "Present and True only while work is under way.", reasons: reconciling },
  Stalled: {
    meaning: "Present and True only when the operator has stopped trying without outside help.",
    reasons: stalled,
  },
  Shadowed: {
    meaning: "Present and True only when another object with the same node id wins: authored, then older, then name.",
    reasons: { DuplicateNodeID: "The message names the winner. Delete one of the two." },
  },
  Suspended: { meaning: "Present and True only while `spec.suspend` is true.", reasons: suspended },
} as const satisfies Readonly<Record<string, ConditionDefinition>>;

export const SYNC_POLICY_CONDITIONS = {
  Accepted: { meaning: "The spec was understood.", reasons: accepted },
  ResolvedRefs: {
    meaning: "Both selectors match something.",
    reasons: {
      Resolved: "Nothing to do.",
      NoMatchingNode: "`spec.nodeSelector` matches no ArchiveNode. Correct it or label one.",
      NoMatchingPeer: "`spec.peerSelector` matches no FederationPeer. Correct it or label one.",
    },
  },
  Programmed: {
    meaning: "Every matched node has taken the federation document with this policy.",
    reasons: {
      Programmed: "Nothing to do.",
      Propagating: "See `status.targets` for the nodes that lag. Wait.",
      Pending: READY_PENDING,
      NotAccepted: "See the Accepted condition.",
      NoPairs: "No matched node trusts a matched peer. See the FederationPeers.",
      Suspended: "`spec.suspend` is true: no node has the policy. Set it to false to go on.",
      DryRun: "`spec.mode` is DryRun: matched, not programmed. Set it to Enforce to begin.",
    },
  },
  Conflicted: {
    meaning: "Present and True only when another policy wins for some (node, peer, collection).",
    reasons: {
      LowerPrecedence:
        "The message names the winner: higher `spec.priority`, then older, then name. Raise the priority or narrow the selectors.",
    },
  },
  Ready: {
    meaning: "Accepted, ResolvedRefs and Programmed.",
    reasons: {
      Pending: READY_PENDING,
      Ready: "Nothing to do.",
      NotAccepted: "See the Accepted condition.",
      Suspended: "`spec.suspend` is true: no run begins. Set it to false to go on.",
      NotResolved: "See the ResolvedRefs condition.",
      NotProgrammed: "See the Programmed condition.",
    },
  },
  Reconciling: { meaning: "Present and True only while work is under way.", reasons: reconciling },
  Stalled: {
    meaning: "Present and True only when the operator has stopped trying without outside help.",
    reasons: stalled,
  },
  Suspended: { meaning: "Present and True only while `spec.suspend` is true.", reasons: suspended },
} as const satisfies Readonly<Record<string, ConditionDefinition>>;

export type ArchiveNodeConditionType = keyof typeof ARCHIVE_NODE_CONDITIONS;
export type FederationPeerConditionType = keyof typeof FEDERATION_PEER_CONDITIONS;
export type SyncPolicyConditionType = keyof typeof SYNC_POLICY_CONDITIONS;

/** Reasons of one condition type of an ArchiveNode: `ArchiveNodeReason<"Ready">`. */
export type ArchiveNodeReason<T extends ArchiveNodeConditionType> =
  keyof (typeof ARCHIVE_NODE_CONDITIONS)[T]["reasons"];
export type FederationPeerReason<T extends FederationPeerConditionType> =
  keyof (typeof FEDERATION_PEER_CONDITIONS)[T]["reasons"];
export type SyncPolicyReason<T extends SyncPolicyConditionType> = keyof (typeof SYNC_POLICY_CONDITIONS)[T]["reasons"];

export type ConditionStatus = "True" | "False" | "Unknown";

/** Condition of the API conventions. `lastTransitionTime` (RFC 3339, UTC, whole seconds) moves only with `status`. */
export interface Condition<T extends string = string> {
  readonly type: T;
  readonly status: ConditionStatus;
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
}
