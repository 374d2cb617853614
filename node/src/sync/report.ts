/** What the node says of its policies: to the operator without numbers that move, to people with them. */
import type { PolicyEntry } from "../contract/documents.ts";
import type { AdminPolicies, MissingReason, SyncTarget } from "../contract/federation-reports.ts";
import type { Target } from "./target.ts";

/** One line of `archive-node policy list --json`. */
export interface PolicyLine {
  readonly name: string;
  readonly peer: string;
  readonly collection: string;
  /** Files of the peer that the policy asks for; null before its list was read. */
  readonly wanted: number | null;
  /** Of these, the ones that are here. */
  readonly held: number | null;
  /** At most a hundred; `wanted` minus `held` is how many there are. */
  readonly missing: readonly { readonly hash: string; readonly reason: MissingReason }[];
}

const LISTED_MISSING = 100;
const LISTED_TARGETS = 256;
/** Those with a problem first. */
const ORDER: Readonly<Record<SyncTarget["state"], number>> = {
  Failed: 0,
  Incomplete: 1,
  Syncing: 2,
  Pending: 3,
  Synced: 4,
};

export function adminPolicies(policies: readonly PolicyEntry[], targets: readonly Target[]): AdminPolicies {
  return {
    policies: policies.map(({ name, uid }) => {
      const all = targets
        .filter(({ planned }) => planned.policy.name === name)
        .flatMap((target) => target.report() ?? [])
        .sort((a, b) => ORDER[a.state] - ORDER[b.state] || compare(a, b));
      const listed = all.slice(0, LISTED_TARGETS);
      return {
        name,
        ...(uid === undefined ? {} : { uid }),
        targets: listed,
        targetsOmitted: all.length - listed.length,
      };
    }),
  };
}

function compare(a: SyncTarget, b: SyncTarget): number {
  const [left, right] = [`${a.peer}/${a.collection}`, `${b.peer}/${b.collection}`];
  return left < right ? -1 : left > right ? 1 : 0;
}

export async function policyLines(targets: readonly Target[]): Promise<readonly PolicyLine[]> {
  const shown = targets.filter((target) => target.report() !== undefined);
  return Promise.all(
    shown.map(async (target) => {
      const { policy, peer, collection } = target.planned;
      const { held, total } = target.counts;
      if (!target.isKnown) return { name: policy.name, peer, collection, wanted: null, held: null, missing: [] };
      const missing = total === 0 ? [] : await target.missing(LISTED_MISSING);
      return { name: policy.name, peer, collection, wanted: held + total, held, missing };
    }),
  );
}
