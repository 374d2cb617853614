/** Which policy pulls which collection from which peer. Pure. */
import type { CollectionAccess } from "../asfp/sync-messages.ts";
import type { FederationDocument, PolicyEntry } from "../contract/documents.ts";

/** A collection that is pulled from one peer. */
export interface PlannedTarget {
  readonly policy: PolicyEntry;
  readonly peer: string;
  readonly collection: string;
  /** The policy names the collection: it is missed when the peer does not have it. */
  readonly isNamed: boolean;
}

export interface PlanInput {
  readonly document: Pick<FederationDocument, "peers" | "policies">;
  /** Of this node, which is never its own peer. */
  readonly nodeId: string;
  /** Names of this node's collections. */
  readonly collections: readonly string[];
}

/** In the order of the policies; of those that match the same peer and collection, the first has it. */
export function planTargets({ document, nodeId, collections }: PlanInput): readonly PlannedTarget[] {
  const suspended = new Set(document.peers.filter(({ suspend }) => suspend === true).map((peer) => peer.nodeID));
  const everyone = document.peers.map((peer) => peer.nodeID);
  const planned = new Map<string, PlannedTarget>();
  for (const policy of document.policies) {
    const peers = (policy.peers ?? everyone).filter((peer) => peer !== nodeId && !suspended.has(peer));
    for (const peer of peers) {
      for (const collection of collections.filter((name) => matches(policy, name))) {
        const key = targetKey(peer, collection);
        const isNamed = policy.include !== undefined;
        if (!planned.has(key)) planned.set(key, { policy, peer, collection, isNamed });
      }
    }
  }
  return [...planned.values()];
}

const WIDTH: Readonly<Record<CollectionAccess, number>> = { Private: 0, Federation: 1, Public: 2 };

/** Whether somebody may read a collection of access `ours` who may not read one of access `theirs`. */
export function isWider(ours: CollectionAccess, theirs: CollectionAccess): boolean {
  return WIDTH[ours] > WIDTH[theirs];
}

export function targetKey(peer: string, collection: string): string {
  return `${peer}/${collection}`;
}

function matches({ include, exclude }: PolicyEntry, collection: string): boolean {
  return (include === undefined || include.includes(collection)) && exclude?.includes(collection) !== true;
}
