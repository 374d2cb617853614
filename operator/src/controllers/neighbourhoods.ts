/** The peers, policies and nodes of each namespace, understood once and then brought up to date change by change. */
import type { ArchiveNode, FederationPeer, SyncPolicy } from "@archivestream/crds";
import type { KubeObject } from "../kube/objects.ts";
import type { Change } from "../runtime/cache.ts";
import type { Reflector } from "../runtime/reflector.ts";
import type { Neighbourhood } from "./federation-content.ts";
import type { ObjectKey } from "./objects.ts";
import { PeerIndex } from "./peer-index.ts";
import type { ResolvedPeer } from "./resolved-peers.ts";
import { resolvePolicies } from "./resolved-policies.ts";

export interface NeighbourhoodCaches {
  readonly archiveNodes: { list(): readonly ArchiveNode[]; get(key: ObjectKey): ArchiveNode | undefined };
  readonly syncPolicies: { list(): readonly SyncPolicy[] };
  readonly reflectorsOf: (
    kind: "ArchiveNode" | "FederationPeer" | "SyncPolicy",
  ) => readonly Pick<Reflector<KubeObject>, "cache">[];
}

/** What is remembered of one namespace until something in it changes. */
interface Known {
  readonly peers: PeerIndex;
  neighbourhood: Neighbourhood | undefined;
  policies: Neighbourhood["policies"] | undefined;
  nodes: readonly ArchiveNode[] | undefined;
}

export class Neighbourhoods {
  readonly #caches: NeighbourhoodCaches;
  readonly #isOurs: (node: ArchiveNode) => boolean;
  readonly #known = new Map<string, Known>();

  /** @param isOurs - which ArchiveNodes this operator acts on; a peer may stand for any */
  constructor(caches: NeighbourhoodCaches, isOurs: (node: ArchiveNode) => boolean) {
    this.#caches = caches;
    this.#isOurs = isOurs;
    const follow = (
      kind: Parameters<NeighbourhoodCaches["reflectorsOf"]>[0],
      changed: (change: Change<KubeObject>, known: Known) => void,
    ) => {
      for (const { cache } of caches.reflectorsOf(kind))
        cache.onChange((change) => changed(change, this.#in(change.object.metadata.namespace ?? "")));
    };
    follow("FederationPeer", ({ type, object }, { peers }) => {
      if (type === "deleted") peers.remove(object.metadata.name);
      else peers.put(object as KubeObject & FederationPeer);
    });
    follow("SyncPolicy", (_change, known) => {
      known.policies = undefined;
    });
    follow("ArchiveNode", ({ object }, known) => {
      known.nodes = undefined;
      known.peers.nodeChanged(object.metadata.name);
    });
  }

  /** The same object until something else than the status of a peer changes. */
  of(namespace: string): Neighbourhood {
    const known = this.#in(namespace);
    known.policies ??= resolvePolicies(inside(this.#caches.syncPolicies.list(), namespace));
    const { policies } = known;
    const peers = known.peers.all;
    if (known.neighbourhood?.peers !== peers || known.neighbourhood.policies !== policies)
      known.neighbourhood = { peers, policies };
    return known.neighbourhood;
  }

  /** Undefined when it is not one of the living any more. */
  peer({ namespace, name }: ObjectKey): ResolvedPeer | undefined {
    return this.#in(namespace).peers.get(name);
  }

  /** Peers of a namespace that are the same archive. */
  sameArchive(namespace: string, nodeID: string): readonly ResolvedPeer[] {
    return this.#in(namespace).peers.withNodeID(nodeID);
  }

  /** Some peer of this namespace stands for an ArchiveNode of it. */
  hasReferences(namespace: string): boolean {
    return this.#in(namespace).peers.hasReferences;
  }

  /** ArchiveNodes of a namespace that this operator acts on, by name; those being deleted are left out. */
  nodes(namespace: string): readonly ArchiveNode[] {
    const known = this.#in(namespace);
    known.nodes ??= inside(this.#caches.archiveNodes.list(), namespace)
      .filter((node) => node.metadata.deletionTimestamp === undefined && this.#isOurs(node))
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    return known.nodes;
  }

  #in(namespace: string): Known {
    const known = this.#known.get(namespace) ?? {
      peers: new PeerIndex((name) => this.#caches.archiveNodes.get({ namespace, name })),
      ...{ neighbourhood: undefined, policies: undefined, nodes: undefined },
    };
    this.#known.set(namespace, known);
    return known;
  }
}

function inside<T extends { readonly metadata: { readonly namespace: string } }>(
  objects: readonly T[],
  namespace: string,
) {
  return objects.filter(({ metadata }) => metadata.namespace === namespace);
}
