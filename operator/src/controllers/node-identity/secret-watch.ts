/**
 * Notices at once what happens to Secrets that carry no label of ours: those that users name, and lost ones to come back.
 *
 * One metadata-only watch for each namespace with such a Secret, none elsewhere. Secrets of kinds that cannot be meant,
 * which are the many and the large ones, are left out by the API server.
 */
import type { KubeObject } from "../../kube/objects.ts";
import type { Reflector } from "../../runtime/reflector.ts";
import { keyText, type ObjectKey } from "../objects.ts";

export interface SecretWatchDeps {
  /** Of the metadata of Secrets in one namespace, limited by {@link WATCHED_SECRETS}. */
  readonly reflector: (namespace: string) => Reflector<KubeObject>;
  /** A Secret that this node wants has come, changed or gone. */
  readonly changed: (node: ObjectKey) => void;
}

/** Field selector of the watch: without Helm's releases, account tokens, image pull secrets and boot tokens. */
export const WATCHED_SECRETS = [
  "helm.sh/release.v1",
  "kubernetes.io/service-account-token",
  "kubernetes.io/dockerconfigjson",
  "bootstrap.kubernetes.io/token",
]
  .map((type) => `type!=${type}`)
  .join(",");

/** Between names of Secrets, which hold none. */
const SEPARATOR = "/";

interface NamespaceWatch {
  readonly reflector: Reflector<KubeObject>;
  /** Nodes by the name of the Secret they want, then by their own name. */
  readonly wanted: Map<string, Set<string>>;
  readonly stop: AbortController;
  ended: Promise<void> | undefined;
}

export class SecretWatch {
  readonly #deps: SecretWatchDeps;
  readonly #namespaces = new Map<string, NamespaceWatch>();
  /** Names of the Secrets by `namespace/name` of the node, as one text. */
  readonly #secretsOf = new Map<string, string>();
  #running: AbortSignal | undefined;

  constructor(deps: SecretWatchDeps) {
    this.#deps = deps;
  }

  /** From now on `node` is woken for these Secrets of its namespace, and for no other. */
  want(node: ObjectKey, ...secrets: readonly string[]): void {
    const wanted = secrets.toSorted().join(SEPARATOR);
    if ((this.#secretsOf.get(keyText(node)) ?? "") === wanted) return;
    // The namespace stays watched while the node goes from one Secret to another.
    const watch = secrets.length === 0 ? undefined : this.#watchOf(node.namespace);
    for (const secret of secrets) watch?.wanted.set(secret, (watch.wanted.get(secret) ?? new Set()).add(node.name));
    this.#drop(
      node,
      this.#namesOf(node).filter((secret) => !secrets.includes(secret)),
    );
    if (secrets.length > 0) this.#secretsOf.set(keyText(node), wanted);
  }

  forget(node: ObjectKey): void {
    this.#drop(node, this.#namesOf(node));
  }

  #namesOf(node: ObjectKey): readonly string[] {
    return this.#secretsOf.get(keyText(node))?.split(SEPARATOR) ?? [];
  }

  #drop(node: ObjectKey, secrets: readonly string[]): void {
    this.#secretsOf.delete(keyText(node));
    const watch = this.#namespaces.get(node.namespace);
    if (watch === undefined) return;
    for (const secret of secrets) {
      const nodes = watch.wanted.get(secret);
      nodes?.delete(node.name);
      if (nodes?.size === 0) watch.wanted.delete(secret);
    }
    if (watch.wanted.size > 0) return;
    watch.stop.abort();
    this.#namespaces.delete(node.namespace);
  }

  /** Resource version as watched; empty while there is no such Secret, or nothing is known of it. */
  version({ namespace, name }: ObjectKey): string {
    const found = this.#namespaces.get(namespace)?.reflector.cache.get({ namespace, name });
    return found?.metadata.resourceVersion ?? "";
  }

  /** False while a change could go unnoticed: not begun, cut off, or not allowed. */
  isLive(namespace: string): boolean {
    const reflector = this.#namespaces.get(namespace)?.reflector;
    return reflector?.cache.hasSynced === true && reflector.state === "watching";
  }

  /** Watches until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    this.#running = signal;
    for (const watch of this.#namespaces.values()) this.#start(watch, signal);
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    this.#running = undefined;
    await Promise.all([...this.#namespaces.values()].flatMap(({ ended }) => (ended === undefined ? [] : [ended])));
  }

  #watchOf(namespace: string): NamespaceWatch {
    return this.#namespaces.get(namespace) ?? this.#open(namespace);
  }

  #open(namespace: string): NamespaceWatch {
    const watch: NamespaceWatch = {
      reflector: this.#deps.reflector(namespace),
      wanted: new Map(),
      stop: new AbortController(),
      ended: undefined,
    };
    watch.reflector.cache.onChange(({ object }) => {
      for (const name of watch.wanted.get(object.metadata.name) ?? []) this.#deps.changed({ namespace, name });
    });
    this.#namespaces.set(namespace, watch);
    if (this.#running !== undefined) this.#start(watch, this.#running);
    return watch;
  }

  #start(watch: NamespaceWatch, signal: AbortSignal): void {
    watch.ended ??= watch.reflector.run(AbortSignal.any([signal, watch.stop.signal]));
  }
}
