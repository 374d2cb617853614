/**
 * Who may read or write which collection. Public collections anyone reads; Federation ones also peers that the trust
 * document names; Private ones only who holds the node's token, as does whoever writes.
 */
import type { CollectionConfig } from "../contract/config-schema.ts";
import type { Caller } from "./caller.ts";
import { AccessError } from "./errors.ts";

export class AccessPolicy {
  readonly #collections: ReadonlyMap<string, CollectionConfig>;

  constructor(collections: readonly CollectionConfig[]) {
    this.#collections = new Map(collections.map((collection) => [collection.name, collection]));
  }

  /**
   * The collection, when this caller may read it.
   *
   * @throws {AccessError} `AUTH_REQUIRED`, `COLLECTION_UNKNOWN`
   */
  readable(caller: Caller, name: string): CollectionConfig {
    const collection = this.#known(name);
    if (!mayRead(caller, collection)) throw new AccessError("AUTH_REQUIRED", {});
    return collection;
  }

  /**
   * The collection, when this caller may read whole files of it. Without the token it may not where captures are hidden:
   * a file can hold them beside others, also in requests and damaged parts that no index names.
   *
   * @throws {AccessError} `AUTH_REQUIRED`, `CONTENT_RESTRICTED`, `COLLECTION_UNKNOWN`
   */
  readableWhole(caller: Caller, name: string): CollectionConfig {
    const collection = this.readable(caller, name);
    if (!mayReadWhole(caller, collection)) throw new AccessError("CONTENT_RESTRICTED", { collection: name });
    return collection;
  }

  /** @throws {AccessError} `AUTH_REQUIRED`, `COLLECTION_UNKNOWN` */
  writable(caller: Caller, name: string): CollectionConfig {
    if (caller.kind !== "token") throw new AccessError("AUTH_REQUIRED", {});
    return this.#known(name);
  }

  /** All collections this caller may read, in the order of the configuration. */
  allReadable(caller: Caller): readonly CollectionConfig[] {
    return [...this.#collections.values()].filter((collection) => mayRead(caller, collection));
  }

  /** All collections whose files this caller may have whole: what peers are told of and may copy. */
  allReadableWhole(caller: Caller): readonly CollectionConfig[] {
    return this.allReadable(caller).filter((collection) => mayReadWhole(caller, collection));
  }

  #known(name: string): CollectionConfig {
    const collection = this.#collections.get(name);
    if (collection === undefined) throw new AccessError("COLLECTION_UNKNOWN", { collection: name });
    return collection;
  }
}

function mayRead(caller: Caller, { access }: CollectionConfig): boolean {
  if (access === "Public" || caller.kind === "token") return true;
  return access === "Federation" && caller.kind === "peer" && caller.isTrusted;
}

function mayReadWhole(caller: Caller, { embargoSeconds, exclude }: CollectionConfig): boolean {
  return caller.kind === "token" || (embargoSeconds === 0 && exclude.length === 0);
}
