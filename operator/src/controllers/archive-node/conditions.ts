/** From what was observed to the conditions of an ArchiveNode. Pure; every negative message says what to do next. */
import type { ArchiveNodeConditionType, Condition } from "@archivestream/crds";
import type { Document, Documents } from "../issued-documents.ts";
import type { Verdict } from "../kstatus.ts";
import { childNames } from "../names.ts";
import { isUrl } from "../peer-address.ts";
import { availableCondition } from "./available-condition.ts";
import type { Blocked } from "./blocked.ts";
import { type EffectiveNode, storageProblem } from "./effective.ts";
import type { ObservedState } from "./observed.ts";
import type { Peering } from "./peering.ts";
import { type Answer, answers, reportOf } from "./pod-reports.ts";
import { keptMessage, shrinkMessage, storageCondition } from "./storage-condition.ts";
import { type Decision, unlessStored, verdict } from "./verdict.ts";
import type { VolumeGrowth } from "./volume-growth.ts";

export interface ConditionInput {
  readonly node: EffectiveNode;
  readonly notImplemented: readonly string[];
  readonly observed: ObservedState;
  /** What was issued to the node last; undefined when this process has issued nothing. */
  readonly documents: Documents | undefined;
  readonly growth: VolumeGrowth;
  /** What stops all work, if anything: an invalid spec, a foreign object in a child's place. */
  readonly blocked: Blocked | undefined;
  /** Absent where no peer can be. */
  readonly peering?: Peering | undefined;
  readonly now: Date;
}

/** Renewal is tried again for this long before anyone is told. */
const RENEWAL_GRACE_MS = 24 * 3_600_000;

/** All conditions but `Ready` and `Reconciling`, which follow from these. */
export function decideConditions(input: ConditionInput, before: readonly Condition[]): Decision[] {
  const stalled = stalledCondition(input);
  return [
    acceptedCondition(input),
    availableCondition(
      input,
      before.find(({ type }) => type === "Available"),
    ),
    certificateCondition(input),
    trustCondition(input),
    configCondition(input),
    storageCondition(input),
    ...(input.peering === undefined ? [] : [input.peering.reachable]),
    ...(stalled === undefined ? [] : [stalled]),
    ...(input.node.spec.suspend ? [suspendedCondition()] : []),
  ];
}

function acceptedCondition(input: ConditionInput): Verdict<ArchiveNodeConditionType> {
  const { node, notImplemented, observed, blocked } = input;
  if (blocked?.reason === "InvalidSpec") return verdict("Accepted", "False", "InvalidSpec", blocked.message);
  const advertised = node.spec.endpoint?.advertised;
  if (advertised !== undefined && !isUrl(advertised)) {
    const message = `spec.endpoint.advertised is no URL, so peers are told the Service's name in the cluster; write https://, a host, and a port if it is not 443`;
    return verdict("Accepted", "False", "InvalidSpec", message);
  }
  const fields = notImplemented.join(", ");
  if (node.sharedEngines) {
    const message = `this release cannot run a node with shared engines, so no pod is started; make a new ArchiveNode without ${fields}`;
    return verdict("Accepted", "False", "NotImplementedEngines", message);
  }
  const kept = keptMessage(node, observed);
  if (notImplemented.length > 0) {
    const message = `this release does nothing yet for ${fields}; remove them, or leave them for a later release`;
    return verdict("Accepted", "True", "NotImplementedFields", kept === undefined ? message : `${message}; ${kept}`);
  }
  if (kept !== undefined) return verdict("Accepted", "True", "VolumesKept", kept);
  return verdict("Accepted", "True", "Accepted", "every field of the spec is acted on");
}

function suspendedCondition(): Verdict<ArchiveNodeConditionType> {
  return verdict(
    "Suspended",
    "True",
    "SuspendedByUser",
    "children stay as they are; set spec.suspend to false to go on",
  );
}

function certificateCondition({ node, observed, now }: ConditionInput): Decision {
  const identity = observed.facts.identity;
  if (identity === undefined) return unlessStored("CertificateValid", "waiting for the node's keys");
  if (identity.state === "blocked") return unlessStored("CertificateValid", "see the Stalled condition");
  if (identity.state === "lost")
    return verdict(
      "CertificateValid",
      "False",
      "IdentityLost",
      "no certificate can be renewed; see the Stalled condition",
    );
  if (identity.state === "awaited") return verdict("CertificateValid", "False", identity.reason, identity.message);
  const { notAfter, renewAfter } = identity.certificate;
  const why = node.spec.suspend === true ? "nothing is renewed while spec.suspend is true" : "see the operator's log";
  if (now.getTime() >= Date.parse(notAfter))
    return verdict(
      "CertificateValid",
      "False",
      "Expired",
      `the certificate ended at ${notAfter} and was not renewed; ${why}`,
    );
  if (now.getTime() >= Date.parse(renewAfter) + RENEWAL_GRACE_MS)
    return verdict(
      "CertificateValid",
      "True",
      "ExpiringSoon",
      `renewal is due since ${renewAfter}, the certificate ends at ${notAfter}; ${why}`,
    );
  return verdict("CertificateValid", "True", "Valid", `valid until ${notAfter}${recoveryHint(node, observed)}`);
}

/** A recovery key protects only while whoever takes the identity key cannot take it too. */
function recoveryHint(node: EffectiveNode, { recoveryKeyInCluster }: ObservedState): string {
  if (!recoveryKeyInCluster) return "";
  return `; the recovery key is still in Secret ${childNames(node.name).recovery}: save it outside the cluster, then delete that Secret`;
}

function trustCondition(input: ConditionInput): Decision {
  if (input.peering?.trustProblem !== undefined) return input.peering.trustProblem;
  return documentCondition("TrustSynced", input, input.documents?.trust, (report) => report.status.trust);
}

function configCondition(input: ConditionInput): Decision {
  const { observed, documents } = input;
  const synced = documentCondition("ConfigSynced", input, documents?.federation, (report) => report.status.federation);
  if (documents === undefined || "keep" in synced || synced.status !== "True") return synced;
  const stale = answers(observed).find(({ report }) => report.status.configDigest !== documents.configDigest);
  if (stale === undefined) return synced;
  const message = `pod ${stale.pod} runs an older configuration and is being replaced; with updateStrategy OnDelete, delete it`;
  return verdict("ConfigSynced", "False", "Propagating", message);
}

function documentCondition<T extends "TrustSynced" | "ConfigSynced">(
  type: T,
  { node, observed }: ConditionInput,
  document: Document | undefined,
  pick: (report: Answer) => { readonly sequence: number; readonly digest: string },
): Decision {
  if (observed.pods.length === 0 && (node.replicas === 0 || node.sharedEngines))
    return verdict(type, "True", "NoPods", "no pod runs");
  if (document === undefined) return unlessStored(type, "no document has been issued");
  const lagging = answers(observed).find(({ report }) => pick(report).sequence < document.sequence);
  if (lagging !== undefined) {
    const message = `pod ${lagging.pod} has sequence ${pick(lagging.report).sequence} of ${document.sequence}; it follows within two minutes`;
    return verdict(type, "False", "Propagating", message);
  }
  const [silent] = observed.pods.flatMap((pod) => {
    const report = pod.ready ? reportOf(observed, pod) : undefined;
    return report?.state === "unreachable" ? [`the admin port of pod ${pod.name} ${report.message}`] : [];
  });
  if (silent !== undefined) return verdict(type, "Unknown", "PodsUnreachable", silent);
  const known = observed.pods.every((pod) => reportOf(observed, pod)?.state === "answered");
  if (observed.pods.length === 0 || !known) return unlessStored(type, "waiting for the pods to report");
  return verdict(type, "True", "Synced", `all pods have sequence ${document.sequence}`);
}

function stalledCondition({
  node,
  observed,
  growth,
  blocked,
  peering,
}: ConditionInput): Verdict<ArchiveNodeConditionType> | undefined {
  const identity = observed.facts.identity;
  if (identity?.state === "lost") return verdict("Stalled", "True", "IdentityLost", identity.message);
  if (identity?.state === "blocked") return verdict("Stalled", "True", identity.reason, identity.message);
  if (blocked !== undefined) return verdict("Stalled", "True", blocked.reason, blocked.message);
  if (node.sharedEngines)
    return verdict("Stalled", "True", "InvalidSpec", "shared engines cannot be run yet; see the Accepted condition");
  if (growth.step === "rejected")
    return verdict("Stalled", "True", "StorageShrinkRejected", shrinkMessage(node.storage.size, growth.current));
  if (growth.step === "not-expandable") return verdict("Stalled", "True", "StorageNotExpandable", growth.message);
  const problem = storageProblem(node);
  // What strangers can bring about comes last: it hides nothing.
  return problem === undefined ? peering?.discoveryStalled : verdict("Stalled", "True", "InvalidSpec", problem);
}
