/** The allotments of all ArchiveNodes, each made once for what it follows from, and what was made meanwhile. */
import type { ArchiveNode } from "@archivestream/crds";
import type { Neighbourhood } from "../federation-content.ts";
import type { FederationReports } from "../federation-facts.ts";
import { keyText } from "../objects.ts";
import { type Allotment, type AllotmentInput, allotmentOf } from "./allotment.ts";
import { LAG_MS } from "./reconciler.ts";
import type { WantedPeer } from "./wanted.ts";

export interface AllotmentsDeps {
  readonly neighbourhood: (namespace: string) => Neighbourhood;
  readonly reports: (node: string) => readonly FederationReports[];
  /** Monotonic. */
  readonly nowMs: () => number;
}

export class Allotments {
  readonly #deps: AllotmentsDeps;
  readonly #made = new WeakMap<ArchiveNode, { readonly input: AllotmentInput; readonly allotment: Allotment }>();
  /** Objects that were created a moment ago, by name: what the cache does not show yet counts all the same. */
  #inFlight: readonly { readonly object: WantedPeer; readonly untilMs: number }[] = [];

  constructor(deps: AllotmentsDeps) {
    this.#deps = deps;
  }

  of(node: ArchiveNode): Allotment {
    const { namespace } = node.metadata;
    const { peers } = this.#deps.neighbourhood(namespace);
    const reports = this.#deps.reports(keyText(node.metadata));
    const known = this.#made.get(node);
    const inFlight = this.#notShown(namespace, peers);
    const input = { node, reports, peers, inFlight };
    if (known !== undefined && isSame(known.input, input)) return known.allotment;
    const allotment = allotmentOf(input);
    this.#made.set(node, { input, allotment });
    return allotment;
  }

  created(object: WantedPeer): void {
    this.#inFlight = [...this.#inFlight, { object, untilMs: this.#deps.nowMs() + LAG_MS }];
  }

  #notShown(namespace: string, peers: AllotmentInput["peers"]): readonly WantedPeer[] {
    const nowMs = this.#deps.nowMs();
    this.#inFlight = this.#inFlight.filter(({ untilMs }) => untilMs > nowMs);
    const inside = this.#inFlight
      .map(({ object }) => object)
      .filter(({ metadata }) => metadata.namespace === namespace);
    if (inside.length === 0) return [];
    const shown = new Set(peers.map(({ name }) => name));
    return inside.filter(({ metadata }) => !shown.has(metadata.name));
  }
}

function isSame(one: AllotmentInput, other: AllotmentInput): boolean {
  const isEach = (a: readonly unknown[], b: readonly unknown[]) =>
    a.length === b.length && a.every((part, index) => part === b[index]);
  return one.peers === other.peers && isEach(one.reports, other.reports) && isEach(one.inFlight, other.inFlight);
}
