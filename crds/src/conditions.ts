/**
 * Condition types and reasons of the three kinds: what each means and what the reader of it should do. The reference
 * page is written from these tables, and controllers may use no reason that is not here.
 *
 * Reasons are matched by alerts and scripts: add, never rename.
 */

/** What a reason means, and the next step for whoever reads it. */
type Reasons = Readonly<Record<string, string>>;

export interface ConditionDefinition {
  readonly meaning: string;
  readonly reasons: Reasons;
}

const READY_PENDING = "The operator has seen the object and not finished with it yet. Wait.";

const accepted = {
  Accepted: "The operator understood every field and acts on it. Nothing to do.",
  NotImplementedFields:
    "The object is accepted, but this release does nothing yet for the fields named in the message. Remove them, or leave them for a later release.",
  NotImplementedValue:
    "This release cannot do what the message names, and does nothing rather than something weaker. Use another value, or leave it for a later release.",
  InvalidSpec: "The spec cannot work although the schema allows it; the message names the field. Change that field.",
} as const;

const reconciling = {
  Progressing: "Work is under way; the message says what is awaited.",
} as const;

const stalled = {
  InvalidSpec: "Retrying cannot help. Change the field that the message names.",
  Forbidden:
    "The API server refused the operator: RBAC, quota or an admission policy. Grant what the message names; it is tried again after at most 30 minutes.",
} as const;

const suspended = {
  SuspendedByUser: "`spec.suspend` is true: everything stays as it is. Set it to false to go on.",
} as const;

export const ARCHIVE_NODE_CONDITIONS = {
  Accepted: {
    meaning: "The spec was understood.",
    reasons: {
      ...accepted,
      NotImplementedEngines:
        "This release runs nodes with embedded storage only, so no pod is started. Make a new ArchiveNode without the fields in the message.",
      VolumesKept:
        "Every field is acted on, but volumes that exist keep the class and access mode they were made with. Nothing to do, or make a new ArchiveNode and copy the files.",
    },
  },
  Ready: {
    meaning: "Available, CertificateValid, TrustSynced, ConfigSynced and StorageReady are all True.",
    reasons: {
      Pending: READY_PENDING,
      Ready: "Everything the spec asks for is running. Nothing to do.",
      Hibernated: "`spec.replicas` is 0: no pod runs, volumes stay. Raise it to wake the node.",
      NotAvailable: "Too few pods serve. See the Available condition.",
      CertificateInvalid: "See the CertificateValid condition.",
      TrustNotSynced: "See the TrustSynced condition.",
      ConfigNotSynced: "See the ConfigSynced condition.",
      StorageNotReady: "See the StorageReady condition.",
      Stalled: "The operator has stopped trying. See the Stalled condition.",
    },
  },
  Reconciling: {
    meaning: "Present and True only while work is under way.",
    reasons: {
      ...reconciling,
      TakesLong: "Not ready for a minute. The message says what is awaited and how to look into it.",
    },
  },
  Stalled: {
    meaning: "Present and True only when the operator has stopped trying without outside help.",
    reasons: {
      ...stalled,
      IdentityLost:
        "Secret `<name>-identity` is gone or holds another key than `status.nodeID`. Restore it from a backup; it is never replaced silently, since peers would meet a stranger.",
      SecretInvalid: "The Secret that the message names holds no usable key. Correct or delete it.",
      StorageShrinkRejected:
        "`spec.storage.size` is smaller than the volume. Volumes only grow: set the old size again.",
      StorageNotExpandable:
        "The StorageClass does not allow expansion. Set `allowVolumeExpansion: true` on it, or set the old size again.",
      DiscoveryBudgetExceeded: "Gossip offers more peers than `spec.discovery.maxPeers`. Raise it, or deny some.",
      ChildNotOwned:
        "An object with a child's name exists and belongs to somebody else. Delete or rename it, or rename the ArchiveNode.",
    },
  },
  Available: {
    meaning: "Enough pods serve: all but one, and at least one.",
    reasons: {
      MinimumReplicasAvailable: "Enough pods serve. Nothing to do.",
      MinimumReplicasUnavailable: "Too few pods are ready. `kubectl describe pod` of the pods named in the message.",
      Hibernated: "`spec.replicas` is 0. Raise it to wake the node.",
      PodsNotCreated: "The StatefulSet has not made its pods yet. Wait; `kubectl describe statefulset` if it lasts.",
      PodsDegraded: "A pod reads but refuses writes; the message says why (disk full, damaged index).",
      Pending: READY_PENDING,
    },
  },
  CertificateValid: {
    meaning:
      "The certificate of the federation port and the delegation of the service key are valid and not about to end.",
    reasons: {
      Valid: "Nothing to do.",
      Pending: READY_PENDING,
      Expired: "The certificate has ended. Renew the Secret that `spec.tls` names.",
      ExpiringSoon: "Renewal failed so far; the message says why. It is tried again.",
      SecretNotFound: "Create the Secret that the message names.",
      SecretInvalid: "The Secret that the message names holds no usable key. Correct its contents.",
      IdentityLost: "See the Stalled condition.",
    },
  },
  TrustSynced: {
    meaning: "Every pod enforces the current trust document.",
    reasons: {
      Synced: "Nothing to do.",
      Pending: READY_PENDING,
      Propagating: "Pods still enforce an older document; the message says which sequence. Takes up to two minutes.",
      PodsUnreachable: "The admin port of the pods in the message does not answer. Check the pods and NetworkPolicies.",
      SecretNotFound: "Create the Secret that the message names.",
      SecretInvalid: "The allow list that the message names cannot be read. Correct its contents.",
      TooManyEntries:
        "A trust document holds 4,000 peers, and more are named; the message says how many were left out. Shorten the allow lists.",
      NoPods: "No pod runs, so nothing enforces an old document.",
    },
  },
  ConfigSynced: {
    meaning: "Every pod runs the current configuration and federation document.",
    reasons: {
      Synced: "Nothing to do.",
      Pending: READY_PENDING,
      Propagating: "Pods still use an older document or are being replaced. Wait.",
      PodsUnreachable: "The admin port of the pods in the message does not answer. Check the pods and NetworkPolicies.",
      NoPods: "No pod runs, so nothing uses an old document.",
    },
  },
  StorageReady: {
    meaning: "Every volume is bound and as large as asked for.",
    reasons: {
      Bound: "Nothing to do.",
      Pending: "A claim is not bound yet. `kubectl describe pvc` of the claims named in the message.",
      VolumeLost:
        "The volume behind a claim is gone, and what was in it. Restore it, or delete claim and pod to begin with an empty one.",
      Resizing: "Volumes are growing. Wait.",
      StorageNotExpandable: "See the Stalled condition.",
      StorageShrinkRejected: "See the Stalled condition.",
    },
  },
  PeersReachable: {
    meaning: "Approved peers answer. Does not gate Ready: a remote outage is not this node's failure.",
    reasons: {
      AllReachable: "Nothing to do.",
      NoPeers: "No approved peer. Create a FederationPeer to join a federation.",
      SomeUnreachable: "See the Reachable condition of the peers named in the message.",
      NoneReachable: "No peer answers. Check this node's egress first, then the peers.",
      Pending: READY_PENDING,
    },
  },
  BackupHealthy: {
    meaning: "The last backup succeeded. Does not gate Ready.",
    reasons: {
      Succeeded: "Nothing to do.",
      NeverRan: "No backup has run yet. Wait for `spec.backup.schedule`.",
      Failed: "The message says why. Fix it; the next scheduled run tries again.",
    },
  },
  Suspended: { meaning: "Present and True only while `spec.suspend` is true.", reasons: suspended },
} as const satisfies Readonly<Record<string, ConditionDefinition>>;

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
      NotImplemented: "This release does not connect to peers yet. Nothing to do.",
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
      NotImplemented: "This release does not exchange files with peers yet. Nothing to do.",
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
