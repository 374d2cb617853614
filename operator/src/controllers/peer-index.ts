/**
 * The FederationPeers of one namespace as they are understood, brought up to date object by object: a change costs what
 * it concerns, the object and those of the same archive, however many others there are.
 */
import type { FederationPeer } from "@archivestream/crds";
import { byPrecedence, type NodeNamed, type ResolvedPeer, resolvePeer } from "./resolved-peers.ts";

export class PeerIndex {
  readonly #nodeNamed: NodeNamed;
  readonly #byName = new Map<string, ResolvedPeer>();
  /** Names by node id, and by the ArchiveNode that a peer stands for. */
  readonly #sameNodeID = new Map<string, Set<string>>();
  readonly #sameNodeRef = new Map<string, Set<string>>();
  #all: readonly ResolvedPeer[] | undefined;

  constructor(nodeNamed: NodeNamed) {
    this.#nodeNamed = nodeNamed;
  }

  get(name: string): ResolvedPeer | undefined {
    return this.#byName.get(name);
  }

  /** In order of precedence. */
  withNodeID(nodeID: string): readonly ResolvedPeer[] {
    return this.#named(this.#sameNodeID.get(nodeID)).sort(byPrecedence);
  }

  get hasReferences(): boolean {
    return this.#sameNodeRef.size > 0;
  }

  /** In order of precedence. The same list until something else than a status changes: the status in it may be older. */
  get all(): readonly ResolvedPeer[] {
    this.#all ??= [...this.#byName.values()].sort(byPrecedence);
    return this.#all;
  }

  /** It was created or changed. One that is being deleted counts no more. */
  put(object: FederationPeer): void {
    const { name, deletionTimestamp } = object.metadata;
    const before = this.#byName.get(name);
    if (deletionTimestamp !== undefined) {
      this.remove(name);
    } else if (before !== undefined && isSameButStatus(before.object, object)) {
      this.#byName.set(name, { ...before, object });
    } else {
      this.remove(name);
      this.#add(resolvePeer(object, this.#nodeNamed));
    }
  }

  remove(name: string): void {
    const peer = this.#byName.get(name);
    if (peer === undefined) return;
    this.#all = undefined;
    this.#byName.delete(name);
    drop(this.#sameNodeID, peer.nodeID, name);
    drop(this.#sameNodeRef, peer.nodeRef, name);
    this.#decide(peer.nodeID);
  }

  /** Who the ArchiveNode is or where it answers may have changed, and whether it is there. */
  nodeChanged(node: string): void {
    for (const { name, object } of this.#named(this.#sameNodeRef.get(node))) {
      this.remove(name);
      this.#add(resolvePeer(object, this.#nodeNamed));
    }
  }

  #add(peer: ResolvedPeer): void {
    this.#all = undefined;
    this.#byName.set(peer.name, peer);
    join(this.#sameNodeID, peer.nodeID, peer.name);
    join(this.#sameNodeRef, peer.nodeRef, peer.name);
    this.#decide(peer.nodeID);
  }

  /** Which object of one archive counts: the first of those that are acted on. */
  #decide(nodeID: string | undefined): void {
    if (nodeID === undefined) return;
    const [winner, ...others] = this.withNodeID(nodeID).filter(({ refused }) => refused === undefined);
    if (winner?.shadowedBy !== undefined) this.#byName.set(winner.name, { ...winner, shadowedBy: undefined });
    for (const other of others)
      if (other.shadowedBy !== winner?.name) this.#byName.set(other.name, { ...other, shadowedBy: winner?.name });
  }

  #named(names: ReadonlySet<string> = new Set()): ResolvedPeer[] {
    return [...names].flatMap((name) => this.#byName.get(name) ?? []);
  }
}

/** Everything that resolving reads, and what selectors and owners hang on. */
function isSameButStatus({ metadata: one }: FederationPeer, { metadata: other }: FederationPeer): boolean {
  const read = ({ uid, generation, labels, ownerReferences }: Readonly<Record<string, unknown>>) =>
    JSON.stringify([uid, generation, labels, ownerReferences]);
  return read({ ...one }) === read({ ...other });
}

function join(sets: Map<string, Set<string>>, key: string | undefined, name: string): void {
  if (key === undefined) return;
  sets.set(key, (sets.get(key) ?? new Set()).add(name));
}

function drop(sets: Map<string, Set<string>>, key: string | undefined, name: string): void {
  if (key === undefined) return;
  const names = sets.get(key);
  names?.delete(name);
  if (names?.size === 0) sets.delete(key);
}
