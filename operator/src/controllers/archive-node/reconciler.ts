/**
 * Drives one ArchiveNode to its spec: observe, plan, apply, report.
 *
 * Level based: the event that woke us is not an input, and every step is safe to repeat. Deciding lives in `plan.ts`,
 * `volume-growth.ts` and `conditions.ts` (pure); this file only moves data between the cluster and the plan.
 */
import {
  type ArchiveNode,
  type ArchiveNodeReason,
  type ArchiveNodeStatus,
  notImplementedFields,
} from "@archivestream/crds";
import { KubeError } from "../../kube/api-errors.ts";
import { forbiddenMessage } from "../kstatus.ts";
import { keyText, type ObjectKey } from "../objects.ts";
import { together } from "../together.ts";
import type { ConditionInput } from "./conditions.ts";
import type { DocumentIssuer, StoredDocuments } from "./documents.ts";
import { type EffectiveNode, effectiveNode, type OperatorSettings } from "./effective.ts";
import { ArchiveNodeError } from "./errors.ts";
import type { Documents, ObservedState } from "./observed.ts";
import { type Plan, plan } from "./plan.ts";
import type { Child } from "./resources/metadata.ts";
import { archiveNodeStatus, TAKES_LONG_MS } from "./status.ts";
import type { GrowthEffects } from "./volume-effects.ts";

export interface ArchiveNodeReconcilerDeps {
  readonly archiveNodes: { get(key: ObjectKey): ArchiveNode | undefined };
  readonly observe: (node: ArchiveNode) => ObservedState;
  readonly storedDocuments: (node: ArchiveNode) => StoredDocuments;
  readonly issuer: DocumentIssuer;
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
  readonly settings: OperatorSettings;
  readonly now: () => Date;
}

type Blocked = { readonly reason: ArchiveNodeReason<"Stalled">; readonly message: string };

/** Certificates end without an event; their conditions are looked at again this often. */
export const SAFETY_RECHECK_MS = 3_600_000;

/** What blocks a node may end without an event: rights, quotas, strangers' objects. */
const BLOCKED_RECHECK_MS = 300_000;

/** @returns milliseconds until the node should be looked at again, unless an event comes first */
export function createArchiveNodeReconciler(deps: ArchiveNodeReconcilerDeps) {
  return async (key: ObjectKey, signal: AbortSignal): Promise<number | undefined> => {
    const object = deps.archiveNodes.get(key);
    if (object === undefined) {
      deps.forget(key);
      return undefined;
    }
    if (object.metadata.deletionTimestamp !== undefined) return undefined;

    const now = deps.now();
    const node = effectiveNode(object, deps.settings);
    const observed = deps.observe(object);
    const documents = issueDocuments(deps, object, node, now);
    const planned = plan({ node, observed, documents, settings: deps.settings });
    const done = node.spec.suspend === true ? NOTHING_DONE : await carryOut(deps, node, planned, signal);
    const input: ConditionInput = {
      node,
      notImplemented: notImplementedFields("ArchiveNode", object.spec),
      observed,
      documents,
      growth: growthAfter(planned.growth, done),
      blocked: done.blocked,
      now,
    };
    const status = archiveNodeStatus(object, input);
    const putOffMs = await deps.writeStatus(object, status, signal);
    return putOffMs ?? (done.blocked === undefined ? recheckMs(status) : BLOCKED_RECHECK_MS);
  };
}

/** What takes long does so without an event. */
function recheckMs({ conditions = [] }: ArchiveNodeStatus): number {
  return conditions.some(({ reason }) => reason === "Progressing") ? TAKES_LONG_MS : SAFETY_RECHECK_MS;
}

function growthAfter(growth: Plan["growth"], { growthRefused }: Done): Plan["growth"] {
  return growthRefused === undefined ? growth : { step: "not-expandable", message: growthRefused };
}

interface Done extends GrowthEffects {
  readonly blocked: Blocked | undefined;
}

const NOTHING_DONE: Done = { blocked: undefined, growthRefused: undefined };

async function carryOut(
  deps: ArchiveNodeReconcilerDeps,
  node: EffectiveNode,
  planned: Plan,
  signal: AbortSignal,
): Promise<Done> {
  try {
    await together(planned.apply.map((child) => deps.apply(child, signal)));
    if (planned.pods !== undefined) await deps.apply(planned.pods, signal);
    await together(planned.remove.map((child) => deps.remove(child, signal)));
    return { blocked: undefined, ...(await deps.grow(node, planned.growth, signal)) };
  } catch (error) {
    const blocked = blockedBy(error);
    if (blocked === undefined) throw error;
    return { blocked, growthRefused: undefined };
  }
}

/** Failures that only a person can mend, as the reason to stop; undefined for all others. */
function blockedBy(error: unknown): Blocked | undefined {
  if (error instanceof ArchiveNodeError && error.code === "CHILD_NOT_OWNED") {
    const { kind, name, owner } = error.details as ArchiveNodeError<"CHILD_NOT_OWNED">["details"];
    const message = `${kind} ${name} exists and belongs to ${owner}; delete or rename it, or rename this ArchiveNode`;
    return { reason: "ChildNotOwned", message };
  }
  if (!(error instanceof KubeError)) return undefined;
  const said = error.details.message ?? error.details.reason ?? "";
  if (error.code === "FORBIDDEN") return { reason: "Forbidden", message: forbiddenMessage(said) };
  if (error.code === "INVALID")
    return {
      reason: "InvalidSpec",
      message: `the API server refused what the spec asks for: ${said}; change that field`,
    };
  return undefined;
}

function issueDocuments(
  deps: ArchiveNodeReconcilerDeps,
  object: ArchiveNode,
  node: EffectiveNode,
  now: Date,
): Documents {
  const createdAt = object.metadata.creationTimestamp;
  if (createdAt === undefined) throw new TypeError(`${keyText(node)} has no creationTimestamp`);
  return deps.issuer.issue({ node, stored: deps.storedDocuments(object), createdAt, now });
}
