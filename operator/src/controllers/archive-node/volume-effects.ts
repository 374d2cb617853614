/**
 * Carries out a step of volume growth. Each step is bound to what was observed and safe to repeat after a crash: the
 * intent is written on the ArchiveNode before the StatefulSet is deleted, and taken off when its successor stands.
 */
import type { EffectiveNode } from "./effective.ts";
import type { VolumeGrowth } from "./volume-growth.ts";

export interface VolumeDeps {
  /** @returns why the API server refused, when the claim's class cannot grow */
  readonly growClaim: (
    namespace: string,
    claim: string,
    size: string,
    signal: AbortSignal,
  ) => Promise<string | undefined>;
  /** Sets or removes the annotation that announces the replacement; no request when it is so already. */
  readonly announceReplacement: (node: EffectiveNode, intent: string | undefined, signal: AbortSignal) => Promise<void>;
  /** Deletes the StatefulSet and leaves its pods; nothing if another one stands there now. */
  readonly orphanStatefulSet: (
    node: EffectiveNode,
    uid: string,
    resourceVersion: string,
    signal: AbortSignal,
  ) => Promise<void>;
}

export interface GrowthEffects {
  readonly growthRefused: string | undefined;
}

export async function carryOutGrowth(
  deps: VolumeDeps,
  node: EffectiveNode,
  growth: VolumeGrowth,
  signal: AbortSignal,
): Promise<GrowthEffects> {
  switch (growth.step) {
    case "grow-claims":
      return { growthRefused: await growClaims(deps, node, growth.claims, signal) };
    case "replace-stateful-set":
      await deps.announceReplacement(node, `${DATA_SIZE}=${node.storage.size}`, signal);
      await deps.orphanStatefulSet(node, growth.uid, growth.resourceVersion, signal);
      break;
    case "none":
      await deps.announceReplacement(node, undefined, signal);
      break;
    case "rejected":
    case "not-expandable":
    case "await-capacity":
    case "await-removal":
  }
  return { growthRefused: undefined };
}

/** What the replacement is for, in the annotation. */
const DATA_SIZE = "data-size";

async function growClaims(deps: VolumeDeps, node: EffectiveNode, claims: readonly string[], signal: AbortSignal) {
  for (const claim of claims) {
    const refusal = await deps.growClaim(node.namespace, claim, node.storage.size, signal);
    if (refusal !== undefined)
      return `claim ${claim} cannot grow to ${node.storage.size}: ${refusal}; set allowVolumeExpansion on its StorageClass, or the old size in spec.storage.size`;
  }
  return undefined;
}
