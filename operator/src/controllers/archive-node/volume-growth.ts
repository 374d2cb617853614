/**
 * How the volumes of a node get from their size to the wanted one. Pure.
 *
 * Claim templates of a StatefulSet cannot change, so: first the claims grow, then, when every volume has its new
 * capacity, the StatefulSet is deleted without its pods and made again with the new template. Class and access mode of a
 * volume never change; another one in the template is for volumes to come.
 */
import { quantityBytes } from "../quantity.ts";
import type { ClaimTemplate, ObservedState } from "./observed.ts";

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

export function planGrowth(template: ClaimTemplate, observed: ObservedState): VolumeGrowth {
  const { statefulSet, claims } = observed;
  const wanted = quantityBytes(template.size);
  if (statefulSet?.terminating) return { step: "await-removal" };
  const current = largest([
    ...claims.map((claim) => claim.requested),
    ...(statefulSet ? [statefulSet.claim.size] : []),
  ]);
  if (current !== undefined && wanted < quantityBytes(current)) return { step: "rejected", current };
  // A claim without a volume cannot grow: it does when it has one.
  const bound = claims.filter((claim) => claim.bound);
  const small = bound.filter((claim) => quantityBytes(claim.requested) < wanted).map((claim) => claim.name);
  if (small.length > 0) return { step: "grow-claims", claims: small };
  const waiting = bound.filter((claim) => quantityBytes(claim.capacity ?? 0) < wanted).map((claim) => claim.name);
  if (waiting.length > 0) return { step: "await-capacity", claims: waiting };
  if (statefulSet === undefined || isSame(statefulSet.claim, template)) return { step: "none" };
  const { uid, resourceVersion } = statefulSet;
  return { step: "replace-stateful-set", uid, resourceVersion };
}

function isSame(one: ClaimTemplate, other: ClaimTemplate): boolean {
  return (
    quantityBytes(one.size) === quantityBytes(other.size) &&
    one.className === other.className &&
    one.accessMode === other.accessMode
  );
}

/** The claim template to apply: the wanted one only where no StatefulSet stands, whose own never changes. */
export function claimTemplateFor(wanted: ClaimTemplate, observed: ObservedState, growth: VolumeGrowth): ClaimTemplate {
  if (observed.statefulSet !== undefined && !observed.statefulSet.terminating) return observed.statefulSet.claim;
  return growth.step === "rejected" ? { ...wanted, size: growth.current } : wanted;
}

function largest(sizes: readonly string[]): string | undefined {
  return [...sizes].sort((a, b) => quantityBytes(b) - quantityBytes(a))[0];
}
