/**
 * Deletes the volumes and the identity of an ArchiveNode that is gone, when its last spec asked for that.
 *
 * The cluster itself would go by what we applied last, and a spec that was changed just before the deletion may not have
 * been applied. So every child that outlives the node is protected in the cluster, and `retention: Delete` is carried out
 * here, from the object that the deletion event shows. A deletion that nobody saw keeps the data: see decision 0003.
 */
import type { ArchiveNode } from "@archivestream/crds";
import { KubeError } from "../../kube/api-errors.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { Clock } from "../../kube/clock.ts";
import type { KubeObject, ResourceType } from "../../kube/objects.ts";
import type { Reflector } from "../../runtime/reflector.ts";
import { childNames, DATA_VOLUME, podName } from "../names.ts";
import { keyText, type ObjectKey } from "../objects.ts";
import { RESOURCES } from "../resource-types.ts";
import { together } from "../together.ts";
import { type Cached, MAX_REPLICAS } from "./observe.ts";

export interface DeparturesDeps {
  readonly client: Pick<KubeClient, "get" | "delete">;
  readonly claims: Cached<KubeObject>;
  /** Metadata only. */
  readonly secrets: Cached<KubeObject>;
  readonly clock: Clock;
}

/** Who waits for the end of it looks again after this. */
export const DEPARTURE_LOOK_MS = 500;
/** A process that begins to lead later than this after a deletion leaves alone what another one decided about. */
const FORGOTTEN_AFTER_MS = 600_000;

/** An object as it was when the node was deleted; one of the same name that came later has another UID. */
interface Left {
  readonly resource: ResourceType;
  readonly key: ObjectKey;
  readonly uid: string;
}

interface Departure {
  readonly uid: string;
  readonly notedMs: number;
  readonly left: readonly Left[];
}

export class Departures {
  readonly #deps: DeparturesDeps;
  readonly #departures = new Map<string, Departure>();

  constructor(deps: DeparturesDeps) {
    this.#deps = deps;
  }

  /**
   * To be called before the controllers are bound to the same caches: what goes is noted before they are woken.
   *
   * @param gone - told of every node that goes, so that one that is made anew at once is not taken for it
   */
  follow(
    nodes: readonly Pick<Reflector<KubeObject>, "cache">[],
    isOurs: (node: ArchiveNode) => boolean,
    gone: (node: ObjectKey) => void,
  ): void {
    for (const { cache } of nodes)
      cache.onChange((change) => {
        if (change.type !== "deleted") return;
        const node = change.object as unknown as ArchiveNode; // what these caches hold
        gone(node.metadata);
        if (change.isLast && isOurs(node)) this.note(node);
      });
  }

  /** @param last - as the deletion event shows it, which is as it was stored last */
  note(last: ArchiveNode): void {
    if (last.spec.storage?.retention !== "Delete") return;
    const { uid } = last.metadata;
    // What comes later under these names, such as an identity that is restored, is somebody's and stays.
    const departure = { uid, notedMs: this.#deps.clock.monotonicMs(), left: this.#leftOf(last.metadata) };
    this.#departures.set(keyText(last.metadata), departure);
  }

  /** True while a node of this name must not be given children, or they would take up what is about to go. */
  isUnderWay(node: ObjectKey): boolean {
    const departure = this.#departures.get(keyText(node));
    if (departure === undefined) return false;
    if (this.#deps.clock.monotonicMs() - departure.notedMs < FORGOTTEN_AFTER_MS) return true;
    this.#departures.delete(keyText(node));
    return false;
  }

  /** Deletes what is left of a node of this name that is gone; claims that pods still use go with these. */
  async carryOut(node: ObjectKey, signal: AbortSignal): Promise<void> {
    const departure = this.#departures.get(keyText(node));
    if (departure === undefined || !this.isUnderWay(node)) return;
    if (!(await this.#isInUse(node, departure.uid, signal)))
      await together(departure.left.map((one) => this.#delete(one, signal)));
    if (this.#departures.get(keyText(node)) === departure) this.#departures.delete(keyText(node));
  }

  /** Deleted with `--cascade=orphan`, or another process has given the pods to a new node of this name. */
  async #isInUse({ namespace, name }: ObjectKey, uid: string, signal: AbortSignal): Promise<boolean> {
    const key = { namespace, name: childNames(name).statefulSet };
    const set = await this.#deps.client.get<KubeObject>(RESOURCES.StatefulSet, key, signal);
    return set !== undefined && set.metadata.ownerReferences?.some((owner) => owner.uid === uid) !== true;
  }

  async #delete({ uid, ...target }: Left, signal: AbortSignal): Promise<void> {
    try {
      await this.#deps.client.delete(target, { uid }, signal);
    } catch (error) {
      // Another object of that name: not the one that was left.
      if (!(error instanceof KubeError) || error.code !== "CONFLICT") throw error;
    }
  }

  #leftOf({ namespace, name }: ObjectKey): Left[] {
    const { claims, secrets } = this.#deps;
    const { identity, recovery } = childNames(name);
    const ordinals = Array.from({ length: MAX_REPLICAS }, (_, ordinal) => `${DATA_VOLUME}-${podName(name, ordinal)}`);
    const cached = (cache: Cached<KubeObject>, resource: ResourceType, names: readonly string[]): Left[] =>
      names.flatMap((one) => {
        const key = { namespace, name: one };
        const metadata = cache.get(key)?.metadata;
        if (metadata?.uid === undefined || metadata.deletionTimestamp !== undefined) return [];
        return [{ resource, key, uid: metadata.uid }];
      });
    return [
      ...cached(claims, RESOURCES.PersistentVolumeClaim, ordinals),
      ...cached(secrets, RESOURCES.Secret, [identity, recovery]),
    ];
  }
}
