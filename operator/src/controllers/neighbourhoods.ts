/** The peers, policies and nodes of a namespace, read from the caches and resolved. */
import type { ArchiveNode, FederationPeer, SyncPolicy } from "@archivestream/crds";
import type { Neighbourhood } from "./federation-content.ts";
import type { ObjectKey } from "./objects.ts";
import { resolvePeers } from "./resolved-peers.ts";
import { resolvePolicies } from "./resolved-policies.ts";

export interface NeighbourhoodCaches {
  readonly archiveNodes: { list(): readonly ArchiveNode[]; get(key: ObjectKey): ArchiveNode | undefined };
  readonly federationPeers: { list(): readonly FederationPeer[] };
  readonly syncPolicies: { list(): readonly SyncPolicy[] };
}

export class Neighbourhoods {
  readonly #caches: NeighbourhoodCaches;
  readonly #isOurs: (node: ArchiveNode) => boolean;

  /** @param isOurs - which ArchiveNodes this operator acts on; a peer may stand for any */
  constructor(caches: NeighbourhoodCaches, isOurs: (node: ArchiveNode) => boolean) {
    this.#caches = caches;
    this.#isOurs = isOurs;
  }

  of(namespace: string): Neighbourhood {
    const inside = <T extends { readonly metadata: { readonly namespace: string } }>(objects: readonly T[]) =>
      objects.filter(({ metadata }) => metadata.namespace === namespace);
    return {
      peers: resolvePeers(inside(this.#caches.federationPeers.list()), (name) =>
        this.#caches.archiveNodes.get({ namespace, name }),
      ),
      policies: resolvePolicies(inside(this.#caches.syncPolicies.list())),
    };
  }

  /** Some peer of this namespace stands for an ArchiveNode of it. */
  hasReferences(namespace: string): boolean {
    return this.#caches.federationPeers
      .list()
      .some(({ metadata, spec }) => metadata.namespace === namespace && spec.nodeRef !== undefined);
  }

  /** ArchiveNodes of a namespace that this operator acts on, by name; those being deleted are left out. */
  nodes(namespace: string): readonly ArchiveNode[] {
    return this.#caches.archiveNodes
      .list()
      .filter(
        (node) =>
          node.metadata.namespace === namespace && node.metadata.deletionTimestamp === undefined && this.#isOurs(node),
      )
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  }
}
