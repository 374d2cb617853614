/** Conditions of an ArchiveNode: see ../conditions.ts. */
import { accepted, type ConditionDefinition, READY_PENDING, reconciling, stalled, suspended } from "./shared.ts";

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
      Starting: "Pods are starting, for the first time or anew. Wait; Reconciling says when it takes long.",
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
      HeldBack:
        "The object is worked on over and over, and the operator slows down. A change of the spec is acted on at once. Look for another program that changes what the operator made, else report it.",
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
      PodsStarting: "Pods are starting, for the first time or anew. Wait; Reconciling says when it takes long.",
      PodsNotCreated:
        "No pod can be made; the message names the cause, such as a quota, a ServiceAccount that is missing, or a pod that does not end.",
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
      ClaimTerminating:
        "A claim was deleted while its pod runs. The files go when that pod ends or restarts. Save them first, as the message says.",
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
