/**
 * Names that objects carry: labels, annotations, finalizer, field managers. They are stored in clusters, so a name
 * here is never changed, only added.
 */
export const GROUP = "archivestream.io";
export const VERSION = "v1alpha1";
export const API_VERSION = `${GROUP}/${VERSION}`;
/** Category of all three kinds: `kubectl get archivestream`. */
export const CATEGORY = "archivestream";

/**
 * Labels on children. Labels of an ArchiveNode itself are never copied to its children: GitOps tools would take the
 * children for their own and prune them.
 */
export const LABELS = {
  /** Name of the ArchiveNode; on every child, and the selector of its pods together with `appName`. */
  node: `${GROUP}/node`,
  /** On FederationPeers made by discovery: `discovered`. Guaranteed, so that selectors may use it. */
  origin: `${GROUP}/origin`,
  appName: "app.kubernetes.io/name",
  appInstance: "app.kubernetes.io/instance",
  appVersion: "app.kubernetes.io/version",
  appComponent: "app.kubernetes.io/component",
  appPartOf: "app.kubernetes.io/part-of",
  appManagedBy: "app.kubernetes.io/managed-by",
} as const;

/** Constant values of {@link LABELS}. */
export const LABEL_VALUES = {
  appName: "archive-node",
  appPartOf: "archivestream",
  appManagedBy: "archive-operator",
  originDiscovered: "discovered",
} as const;

export const ANNOTATIONS = {
  /** On children: digest of the document applied last, so that an equal one is not sent again. */
  appliedHash: `${GROUP}/applied-hash`,
  /**
   * On an ArchiveNode while its StatefulSet is replaced (volume growth): digest of the intended StatefulSet spec, set
   * before the orphaning delete, so that a crash in between is resumed.
   */
  statefulSetReplacement: `${GROUP}/stateful-set-replacement`,
  /** On the pod template: digest of settings that the process can only take at start. */
  configHash: `${GROUP}/config-hash`,
} as const;

/** Present only while `spec.deletion.announce` is set. */
export const FINALIZERS = { announceDeparture: `${GROUP}/announce-departure` } as const;

/** Server-side-apply managers, one per writer, so that each owns exactly the fields it sends. */
export const FIELD_MANAGERS = {
  node: "archivestream-node",
  peer: "archivestream-peer",
  policy: "archivestream-policy",
  discovery: "archivestream-discovery",
  status: "archivestream-status",
} as const;

/** Types of Secrets with a fixed format. */
export const SECRET_TYPES = {
  /** Made by users: key `node-ids`, one node id per line, `#` starts a comment. */
  allowList: `${GROUP}/allow-list`,
  /** Made by the operator: keys `allowlist.json` and `ca.pem`. */
  trust: `${GROUP}/trust`,
} as const;
