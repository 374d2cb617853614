/**
 * How the volumes of a node get from their size to the wanted one. Pure.
 *
 * Claim templates of a StatefulSet cannot change, so: first the claims grow, then, when every volume has its new
 * capacity, the StatefulSet is deleted without its pods and made again with the new template.
 */
import { quantityBytes } from "../quantity.ts";
import type { ObservedState } from "./observed.ts";

export type VolumeGrowth =
  | { readonly step: "none" }
  /** Smaller than what exists: nothing is done, the template keeps its size. */
  | { readonly step: "rejected"; readonly current: string }
  /** Never planned: the answer to growing claims. */
  | { readonly step: "not-expandable"; readonly message: string }
  | { readonly step: "grow-claims"; readonly claims: readonly string[] }
  | { readonly step: "await-capacity"; readonly claims: readonly string[] }
  | { readonly step: "replace-stateful-set"; readonly uid: string; readonly resourceVersion: string }
  /** The old StatefulSet is going; its successor must not be applied before it is gone. */
  | { readonly step: "await-removal" };

export function planGrowth(wantedSize: string, observed: ObservedState): VolumeGrowth {
  const { statefulSet, claims } = observed;
  const wanted = quantityBytes(wantedSize);
  if (statefulSet?.terminating) return { step: "await-removal" };
  const current = largest([...claims.map((claim) => claim.requested), ...(statefulSet ? [statefulSet.claimSize] : [])]);
  if (current !== undefined && wanted < quantityBytes(current)) return { step: "rejected", current };
  const small = claims.filter((claim) => quantityBytes(claim.requested) < wanted).map((claim) => claim.name);
  if (small.length > 0) return { step: "grow-claims", claims: small };
  const waiting = claims
    .filter((claim) => claim.bound && quantityBytes(claim.capacity ?? 0) < wanted)
    .map((claim) => claim.name);
  if (waiting.length > 0) return { step: "await-capacity", claims: waiting };
  if (statefulSet === undefined || quantityBytes(statefulSet.claimSize) === wanted) return { step: "none" };
  const { uid, resourceVersion } = statefulSet;
  return { step: "replace-stateful-set", uid, resourceVersion };
}

/** Size for the claim template: the wanted one only where nothing exists yet or everything already has it. */
export function templateSize(wantedSize: string, observed: ObservedState, growth: VolumeGrowth): string {
  if (observed.statefulSet !== undefined && !observed.statefulSet.terminating) return observed.statefulSet.claimSize;
  return growth.step === "rejected" ? growth.current : wantedSize;
}

function largest(sizes: readonly string[]): string | undefined {
  return [...sizes].sort((a, b) => quantityBytes(b) - quantityBytes(a))[0];
}
