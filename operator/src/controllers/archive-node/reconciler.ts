/**
 * Drives one ArchiveNode to its spec: observe, plan, apply, report.
 *
 * Level based: the event that woke us is not an input, and every step is safe to repeat. Deciding lives in `plan.ts`,
 * `volume-growth.ts` and `conditions.ts` (pure); this file only moves data between the cluster and the plan.
 */
import { type ArchiveNode, type ArchiveNodeStatus, notImplementedFields } from "@archivestream/crds";
import { TerminalError } from "../../runtime/reconciler.ts";
import { portsOf } from "../federation-content.ts";
import type { Documents } from "../issued-documents.ts";
import { wholeSeconds } from "../kstatus.ts";
import { keyText, type ObjectKey } from "../objects.ts";
import { together } from "../together.ts";
import { type Blocked, blockedBy } from "./blocked.ts";
import type { DocumentIssuer, StoredDocuments } from "./documents.ts";
import { type EffectiveNode, effectiveNode, type OperatorSettings } from "./effective.ts";
import type { ObservedState } from "./observed.ts";
import { type PeeringInput, peeringOf } from "./peering.ts";
import { type Plan, plan, runningReplicas } from "./plan.ts";
import type { MissingPods } from "./refusal-events.ts";
import type { Child } from "./resources/metadata.ts";
import { archiveNodeStatus, TAKES_LONG_MS } from "./status.ts";
import type { GrowthEffects } from "./volume-effects.ts";
import { planGrowth, type VolumeGrowth } from "./volume-growth.ts";

export interface ArchiveNodeReconcilerDeps {
  readonly archiveNodes: { get(key: ObjectKey): ArchiveNode | undefined };
  readonly observe: (node: ArchiveNode) => ObservedState;
  /** Why no pod can be made, in the words of the controller of StatefulSets. */
  readonly refusal: (missing: MissingPods, signal: AbortSignal) => Promise<string | undefined>;
  readonly storedDocuments: (node: ArchiveNode) => StoredDocuments;
  readonly issuer: DocumentIssuer;
  /** Whom the node may speak with, and what its pods say of them. */
  readonly peering: (node: ArchiveNode, signal: AbortSignal) => Promise<PeeringInput>;
  /**
   * Server-side apply under our field manager; repeats are no-ops.
   *
   * @throws {ArchiveNodeError} CHILD_NOT_OWNED
   */
  readonly apply: (child: Child, signal: AbortSignal) => Promise<void>;
  /** Deletes a child of ours if it is there. */
  readonly remove: (child: Child, signal: AbortSignal) => Promise<void>;
  readonly grow: (node: EffectiveNode, growth: Plan["growth"], signal: AbortSignal) => Promise<GrowthEffects>;
  /** @returns milliseconds after which to come again, when the write was put off */
  readonly writeStatus: (
    node: ArchiveNode,
    status: ArchiveNodeStatus,
    signal: AbortSignal,
  ) => Promise<number | undefined>;
  readonly forget: (key: ObjectKey) => void;
  /** Deletes what a node of this name that is gone asked to be deleted. */
  readonly clearAway: (key: ObjectKey, signal: AbortSignal) => Promise<void>;
  readonly settings: OperatorSettings;
  readonly now: () => Date;
}

/** Certificates end without an event; their conditions are looked at again this often. */
export const SAFETY_RECHECK_MS = 3_600_000;

/** What blocks a node may end without an event: rights, quotas, strangers' objects. */
const BLOCKED_RECHECK_MS = 300_000;

/**
 * The reconciler answers with the milliseconds until the node should be looked at again, unless an event comes first.
 *
 * It throws a TerminalError, after the status was written, where only another spec or another child can help.
 */
export function createArchiveNodeReconciler(deps: ArchiveNodeReconcilerDeps) {
  return async (key: ObjectKey, signal: AbortSignal): Promise<number | undefined> => {
    await deps.clearAway(key, signal);
    const object = deps.archiveNodes.get(key);
    if (object === undefined) {
      deps.issuer.forget(key);
      deps.forget(key);
      return undefined;
    }
    if (object.metadata.deletionTimestamp !== undefined) return undefined;

    const now = deps.now();
    const node = effectiveNode(object, deps.settings);
    const observed = await withRefusal(deps, { object, node, observed: deps.observe(object), now }, signal);
    const peering = await deps.peering(object, signal);
    const work = { object, node, observed, peering, now };
    const done = node.spec.suspend === true ? leftAsIs(deps, work) : await bringAbout(deps, work, signal);
    const { documents, growth, blocked } = done;
    const notImplemented = notImplementedFields("ArchiveNode", object.spec);
    const status = archiveNodeStatus(object, {
      ...{ node, notImplemented, observed, documents, growth, blocked, now },
      peering: peeringOf(peering),
    });
    const putOffMs = await deps.writeStatus(object, status, signal);
    return putOffMs ?? (blocked === undefined ? recheckMs(status, observed, now) : blockedRecheckMs(blocked));
  };
}

/** @throws {TerminalError} there is nothing to wait for */
function blockedRecheckMs({ reason, message, cause }: Blocked): number {
  if (reason === "InvalidSpec") throw new TerminalError(message, { cause });
  return BLOCKED_RECHECK_MS;
}

/** Events come without an event of their own: why a pod is missing is asked for at growing distances. */
const MISSING_RECHECK_MS = 2_000;

/** What takes long does so without an event. */
function recheckMs({ conditions = [] }: ArchiveNodeStatus, observed: ObservedState, now: Date): number {
  const [isUnderWay, since] = [
    conditions.some(({ reason }) => reason === "Progressing"),
    conditions.find(({ type, status }) => type === "Available" && status === "False")?.lastTransitionTime,
  ];
  if (since === undefined || observed.pods.length > 0) return isUnderWay ? TAKES_LONG_MS : SAFETY_RECHECK_MS;
  return Math.min(TAKES_LONG_MS, Math.max(MISSING_RECHECK_MS, now.getTime() - Date.parse(since)));
}

/** Asked for only where a pod should be and none is, not even one that is ending. */
async function withRefusal(
  deps: ArchiveNodeReconcilerDeps,
  { object, node, observed, now }: Omit<Work, "peering">,
  signal: AbortSignal,
): Promise<ObservedState> {
  const { statefulSet, pods, leavingPods } = observed;
  if (statefulSet === undefined || runningReplicas(node) === 0 || pods.length + leavingPods.length > 0) return observed;
  const available = object.status?.conditions?.find(({ type }) => type === "Available");
  const since =
    available?.status === "True" || available === undefined ? wholeSeconds(now) : available.lastTransitionTime;
  const refusal = await deps.refusal({ namespace: node.namespace, uid: statefulSet.uid, since }, signal);
  return refusal === undefined ? observed : { ...observed, refusal };
}

interface Work {
  readonly object: ArchiveNode;
  readonly node: EffectiveNode;
  readonly observed: ObservedState;
  readonly peering: PeeringInput;
  readonly now: Date;
}

/** How far the work got. */
interface Done {
  /** What the node is given; undefined when nothing valid could be rendered and nothing was before. */
  readonly documents: Documents | undefined;
  readonly growth: VolumeGrowth;
  readonly blocked: Blocked | undefined;
}

/** While a node is suspended its children stay as they are, and so do the documents that its pods are handed. */
function leftAsIs(deps: ArchiveNodeReconcilerDeps, { node, observed }: Work): Done {
  const growth = planGrowth(node.storage, observed);
  return { documents: deps.issuer.issued(node.uid), growth, blocked: undefined };
}

async function bringAbout(deps: ArchiveNodeReconcilerDeps, work: Work, signal: AbortSignal): Promise<Done> {
  const { node, observed } = work;
  let growth = planGrowth(node.storage, observed);
  try {
    const documents = issueDocuments(deps, work);
    const peerPorts = portsOf(work.peering.federation.federation);
    const planned = plan({ node, observed, documents, peerPorts, settings: deps.settings });
    const refused = await carryOut(deps, node, planned, signal);
    if (refused !== undefined) growth = { step: "not-expandable", message: refused };
    return { documents, growth, blocked: undefined };
  } catch (error) {
    const blocked = blockedBy(error);
    if (blocked === undefined) throw error;
    return { documents: deps.issuer.issued(node.uid), growth, blocked };
  }
}

/** @returns why the volumes cannot grow, if they cannot */
async function carryOut(
  deps: ArchiveNodeReconcilerDeps,
  node: EffectiveNode,
  planned: Plan,
  signal: AbortSignal,
): Promise<string | undefined> {
  await together(planned.apply.map((child) => deps.apply(child, signal)));
  if (planned.pods !== undefined) await deps.apply(planned.pods, signal);
  await together(planned.remove.map((child) => deps.remove(child, signal)));
  return (await deps.grow(node, planned.growth, signal)).growthRefused;
}

function issueDocuments(deps: ArchiveNodeReconcilerDeps, { object, node, peering, now }: Work): Documents {
  const createdAt = object.metadata.creationTimestamp;
  if (createdAt === undefined) throw new TypeError(`${keyText(node)} has no creationTimestamp`);
  return deps.issuer.issue({
    ...{ node, createdAt, now },
    stored: deps.storedDocuments(object),
    federation: peering.federation,
  });
}
