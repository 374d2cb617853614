/** From what was observed and decided to the status of an ArchiveNode. Pure; unknown facts keep their stored value. */
import type {
  ArchiveNode,
  ArchiveNodeConditionType,
  ArchiveNodeReason,
  ArchiveNodeStatus,
  Condition,
} from "@archivestream/crds";
import { PORTS } from "@archivestream/node/contract";
import { mergeConditions, type Verdict, wholeSeconds } from "../kstatus.ts";
import { childNames } from "../names.ts";
import { quantityBytes } from "../quantity.ts";
import { type ConditionInput, decideConditions } from "./conditions.ts";
import { runningReplicas } from "./plan.ts";
import { answers } from "./pod-reports.ts";
import { podSelector } from "./resources/metadata.ts";
import { smallestCapacity } from "./storage-condition.ts";
import type { Decision } from "./verdict.ts";

type Stored = ArchiveNodeStatus;
type ArchiveNodeCondition = Condition<ArchiveNodeConditionType>;

/** A node that is not ready for longer is worth an Event. Pulling an image takes most of it. */
export const TAKES_LONG_MS = 60_000;

const HELD_BACK =
  "this object is worked on over and over, so the operator slows down; a change of its spec is acted on at once. Look for another program that changes what the operator made, else report it";

/** What makes `Ready` false, in the order in which a reader should look. */
const GATES = [
  ["CertificateValid", "CertificateInvalid"], // pods wait for keys, so it comes before what waits
  ["Available", "NotAvailable"],
  ["TrustSynced", "TrustNotSynced"],
  ["ConfigSynced", "ConfigNotSynced"],
  ["StorageReady", "StorageNotReady"],
] as const satisfies readonly (readonly [ArchiveNodeConditionType, ArchiveNodeReason<"Ready">])[];

export function archiveNodeStatus(object: ArchiveNode, input: ConditionInput): ArchiveNodeStatus {
  const stored: Stored = object.status ?? {};
  const { node, observed } = input;
  const statefulSet = observed.statefulSet;
  const endpoints = endpointsOf(input);
  return {
    ...stored,
    observedGeneration: object.metadata.generation ?? 0,
    effective: {
      version: node.version,
      image: node.image,
      replicas: runningReplicas(node),
      updateStrategy: node.updateStrategy,
    },
    replicas: statefulSet?.replicas ?? 0,
    readyReplicas: statefulSet?.readyReplicas ?? 0,
    selector: Object.entries(podSelector(node.name))
      .map(([key, value]) => `${key}=${value}`)
      .join(","),
    version: {
      ...runningVersion(input, stored),
      target: node.version,
      updatedReplicas: statefulSet?.updatedReplicas ?? 0,
    },
    ...identityStatus(input),
    endpoints,
    trust: trustStatus(input, stored),
    federation: federationStatus(input, stored),
    ...input.peering?.policies,
    storage: storageStatus(input),
    conditions: conditionsOf(object, input),
  };
}

function conditionsOf(object: ArchiveNode, input: ConditionInput): ArchiveNodeCondition[] {
  const context = { generation: object.metadata.generation ?? 0, now: input.now };
  const stored = object.status?.conditions ?? [];
  const decided = decideConditions(input, stored);
  const merged = mergeConditions(stored, decided, context);
  const ready = whileSuspended(input, readyVerdict(merged));
  const since = stored.find((condition) => condition.type === "Ready" && condition.status !== "True");
  const reconciling = reconcilingVerdict(input, ready, since?.lastTransitionTime);
  const summary: Decision[] = reconciling === undefined ? [ready] : [ready, reconciling];
  return [...merged, ...mergeConditions(stored, summary, context)];
}

/** Pods that start are nothing to act on. */
function gateReason(
  { reason }: ArchiveNodeCondition,
  otherwise: ArchiveNodeReason<"Ready">,
): ArchiveNodeReason<"Ready"> {
  return reason === "PodsStarting" ? "Starting" : otherwise;
}

/** False before Unknown: what is known to be wrong is what the reader needs. */
function readyVerdict(conditions: readonly ArchiveNodeCondition[]): Verdict<"Ready"> {
  const verdict = (status: "True" | "False" | "Unknown", reason: ArchiveNodeReason<"Ready">, message: string) =>
    ({ type: "Ready", status, reason, message }) as const;
  const of = (type: ArchiveNodeConditionType) => conditions.find((condition) => condition.type === type);
  const stalled = of("Stalled");
  // Strangers must not be able to take a node's readiness away: an archive with more offers than room serves as before.
  if (stalled !== undefined && stalled.reason !== "DiscoveryBudgetExceeded")
    return verdict("False", "Stalled", stalled.message);
  for (const [type, reason] of GATES) {
    const condition = of(type);
    if (condition?.status === "False") return verdict("False", gateReason(condition, reason), condition.message);
  }
  for (const [type] of GATES) {
    const condition = of(type);
    if (condition?.status !== "True") return verdict("Unknown", "Pending", condition?.message ?? "waiting");
  }
  if (of("Available")?.reason === "Hibernated") return verdict("True", "Hibernated", of("Available")?.message ?? "");
  return verdict("True", "Ready", "everything the spec asks for is running");
}

/** What is not ready stays so while nothing is repaired: the next step is the user's. */
function whileSuspended({ node }: ConditionInput, ready: Verdict<"Ready">): Verdict<"Ready"> {
  if (node.spec.suspend !== true || ready.status === "True") return ready;
  const message = `${ready.message}; nothing is done about it while spec.suspend is true: set it to false to go on`;
  return { ...ready, message };
}

/**
 * Work is under way: something is not there yet that will come by itself.
 *
 * @param unreadySince - RFC 3339; absent while the node is ready or new
 */
function reconcilingVerdict(
  input: ConditionInput,
  ready: Verdict<"Ready">,
  unreadySince: string | undefined,
): Verdict<"Reconciling"> | undefined {
  const { node, observed, now } = input;
  if (node.spec.suspend === true || ready.reason === "Stalled") return undefined;
  const isLate = unreadySince !== undefined && now.getTime() - Date.parse(unreadySince) >= TAKES_LONG_MS;
  const reason = isLate && ready.status !== "True" ? "TakesLong" : "Progressing";
  if ((observed.facts.heldBack ?? []).length > 0)
    return { type: "Reconciling", status: "True", reason: "HeldBack", message: HELD_BACK };
  const progressing = (message: string) => ({ type: "Reconciling", status: "True", reason, message }) as const;
  if (ready.status !== "True") return progressing(ready.message);
  const set = observed.statefulSet;
  if (
    set !== undefined &&
    (!set.upToDate || set.updatedReplicas < runningReplicas(node) || set.replicas !== runningReplicas(node))
  )
    return progressing(`${set.updatedReplicas} of ${runningReplicas(node)} pods updated`);
  return undefined;
}

function identityStatus({ observed }: ConditionInput): Partial<ArchiveNodeStatus> {
  const identity = observed.facts.identity;
  // Absent facts leave `nodeID` and `certificate` as stored; so does a lost identity.
  return identity?.state === "present" ? { nodeID: identity.nodeID, certificate: identity.certificate } : {};
}

function trustStatus(input: ConditionInput, stored: Stored): NonNullable<ArchiveNodeStatus["trust"]> {
  const before = stored.trust;
  const { sequence, entries } = input.documents?.trust ?? { sequence: before?.sequence, entries: before?.entries };
  const observed = observedSequence(input, "trust") ?? before?.observedSequence;
  const justPropagated = observed !== undefined && observed === sequence && before?.observedSequence !== observed;
  return {
    ...defined("sequence", sequence),
    ...defined("entries", entries),
    ...defined("observedSequence", observed),
    ...defined("lastPropagatedTime", justPropagated ? wholeSeconds(input.now) : before?.lastPropagatedTime),
  };
}

function federationStatus(input: ConditionInput, stored: Stored): NonNullable<ArchiveNodeStatus["federation"]> {
  const before = stored.federation;
  return {
    ...before,
    ...defined("peers", input.peering?.counts),
    ...defined("configSequence", input.documents?.federation.sequence ?? before?.configSequence),
    ...defined("observedConfigSequence", observedSequence(input, "federation") ?? before?.observedConfigSequence),
  };
}

/** Lowest sequence of any pod; absent until every pod has said. */
function observedSequence(input: ConditionInput, document: "trust" | "federation"): number | undefined {
  const known = answers(input.observed);
  if (known.length === 0 || known.length < input.observed.pods.length) return undefined;
  return Math.min(...known.map(({ report }) => report.status[document].sequence));
}

/** The release all pods run; while they differ, the one they all ran last. */
function runningVersion(input: ConditionInput, stored: Stored): { current?: string } {
  const versions = new Set(answers(input.observed).map(({ report }) => report.status.version));
  const [only] = versions.size === 1 ? versions : [stored.version?.current];
  return defined("current", only);
}

function storageStatus({ node, observed, growth }: ConditionInput): NonNullable<ArchiveNodeStatus["storage"]> {
  const capacity = smallestCapacity(observed);
  return {
    // As it was given: a negative number is a number to the schema, but no quantity as text.
    requested: node.spec.storage?.size ?? node.storage.size,
    ...defined("capacity", capacity),
    resizing:
      (growth.step !== "none" && growth.step !== "rejected" && growth.step !== "not-expandable") ||
      (capacity !== undefined && growth.step === "none" && quantityBytes(capacity) < quantityBytes(node.storage.size)),
  };
}

function endpointsOf({ node }: ConditionInput): NonNullable<ArchiveNodeStatus["endpoints"]> {
  const host = `${childNames(node.name).service}.${node.namespace}.svc`;
  return [
    { name: "federation", url: `https://${host}:${PORTS.federation}` },
    { name: "web", url: `http://${host}:${PORTS.web}` },
    { name: "replay", url: `http://${host}:${PORTS.replay}` },
  ];
}

function defined<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
}
