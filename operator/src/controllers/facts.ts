/**
 * What controllers know that no object of the cluster holds: a board of facts in memory, one entry per ArchiveNode.
 *
 * One controller writes a kind's status; the others put facts here and it is woken. A fact that nobody has put yet is
 * absent, and an absent fact changes nothing in a status.
 */
import type { AdminStatus } from "@archivestream/node/contract";

export type IdentityFact =
  | { readonly state: "present"; readonly nodeID: string; readonly certificate: CertificateFact }
  /** The Secret that the user named is not there yet, or holds no key; it is watched for. */
  | { readonly state: "awaited"; readonly reason: "SecretNotFound" | "SecretInvalid"; readonly message: string }
  /** Keys could not be made or renewed; the next step is a person's. What was known before still holds. */
  | { readonly state: "blocked"; readonly reason: "Forbidden" | "SecretInvalid"; readonly message: string }
  /** The identity Secret is gone or holds another key; only a person can mend that. */
  | { readonly state: "lost"; readonly message: string };

export interface CertificateFact {
  /** RFC 3339, whole seconds, UTC. */
  readonly notAfter: string;
  readonly renewAfter: string;
  readonly serial: string;
}

/** What a pod said last on its admin port. */
export type PodReport =
  | { readonly state: "answered"; readonly podUid: string; readonly status: AdminStatus }
  /** `message` goes after "the admin port of pod x" and says what to do. */
  | { readonly state: "unreachable"; readonly podUid: string; readonly message: string };

export interface NodeFacts {
  readonly identity?: IdentityFact;
  /** Controllers that the object keeps waking, and that slow down. */
  readonly heldBack?: readonly string[];
  /** By pod name. */
  readonly pods: ReadonlyMap<string, PodReport>;
}

interface NodeKey {
  readonly namespace?: string | undefined;
  readonly name: string;
}

const NO_FACTS: NodeFacts = { pods: new Map() };

/** Facts of all ArchiveNodes, by `namespace/name`. Putting an equal fact again wakes nobody. */
export class FactBoard {
  readonly #facts = new Map<string, NodeFacts>();
  readonly #wake: (node: string) => void;

  /** @param wake - called with `namespace/name` when a fact of that node changed */
  constructor(wake: (node: string) => void) {
    this.#wake = wake;
  }

  of(node: string): NodeFacts {
    return this.#facts.get(node) ?? NO_FACTS;
  }

  putIdentity(node: string, identity: IdentityFact): void {
    this.#put(node, { ...this.of(node), identity });
  }

  /** What a controller tells of the objects that it slows down for. */
  heldBackBy(controller: string): (key: NodeKey, isHeldBack: boolean) => void {
    return ({ namespace = "", name }, isHeldBack) => {
      const node = `${namespace}/${name}`;
      const facts = this.of(node);
      const others = (facts.heldBack ?? []).filter((one) => one !== controller);
      this.#put(node, { ...facts, heldBack: isHeldBack ? [...others, controller] : others });
    };
  }

  putPod(node: string, pod: string, report: PodReport): void {
    const facts = this.of(node);
    this.#put(node, { ...facts, pods: new Map(facts.pods).set(pod, report) });
  }

  dropPod(node: string, pod: string): void {
    const facts = this.of(node);
    const pods = new Map(facts.pods);
    if (pods.delete(pod)) this.#put(node, { ...facts, pods });
  }

  forget(node: string): void {
    this.#facts.delete(node);
  }

  #put(node: string, facts: NodeFacts): void {
    const same = fingerprint(this.of(node)) === fingerprint(facts);
    this.#facts.set(node, facts);
    if (!same) this.#wake(node);
  }
}

function fingerprint(facts: NodeFacts): string {
  return JSON.stringify([facts.identity, facts.heldBack ?? [], [...facts.pods].sort(([a], [b]) => (a < b ? -1 : 1))]);
}
