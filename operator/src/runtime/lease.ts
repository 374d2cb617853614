/** The record leaders write into a Lease: pure reading and writing of its spec. */
import type { KubeObject, ResourceType } from "../kube/objects.ts";

export const LEASES: ResourceType = {
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
  namespaced: true,
};

export interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

export interface Lease extends KubeObject {
  readonly spec?: LeaseSpec;
}

/** Times of a Lease are `MicroTime`: RFC 3339 with exactly six digits. */
export function microTime(nowMs: number): string {
  return `${new Date(nowMs).toISOString().slice(0, -1)}000Z`;
}

export interface Claim {
  readonly identity: string;
  readonly leaseDurationMs: number;
  readonly nowMs: number;
}

/** The spec after `claim.identity` took or renewed it. */
export function claimed(before: LeaseSpec | undefined, claim: Claim): LeaseSpec {
  const now = microTime(claim.nowMs);
  const renewing = before?.holderIdentity === claim.identity;
  return {
    holderIdentity: claim.identity,
    leaseDurationSeconds: Math.ceil(claim.leaseDurationMs / 1000),
    acquireTime: renewing ? (before.acquireTime ?? now) : now,
    renewTime: now,
    leaseTransitions: (before?.leaseTransitions ?? 0) + (renewing || before === undefined ? 0 : 1),
  };
}

/** Given up: no holder, and a duration of one second so that old clients do not wait either. */
export function releasedSpec(before: LeaseSpec | undefined, nowMs: number): LeaseSpec {
  return { ...before, holderIdentity: "", leaseDurationSeconds: 1, renewTime: microTime(nowMs) };
}
