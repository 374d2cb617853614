/** Who may read or write which collection: public ones anyone reads, everything else needs the bearer token. */
import type { FastifyRequest } from "fastify";
import type { CollectionConfig } from "../contract/config-schema.ts";
import type { AccessToken } from "../identity/access-token.ts";
import { HttpProblem } from "./problem.ts";

const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

export class AccessPolicy {
  readonly #collections: ReadonlyMap<string, CollectionConfig>;
  readonly #token: AccessToken;

  constructor(collections: readonly CollectionConfig[], token: AccessToken) {
    this.#collections = new Map(collections.map((collection) => [collection.name, collection]));
    this.#token = token;
  }

  /** @throws {HttpProblem} `auth-required` when a token is offered and wrong */
  hasToken(request: FastifyRequest): boolean {
    const header = request.headers.authorization;
    if (header === undefined) return false;
    const offered = BEARER.exec(header)?.[1];
    if (offered === undefined || !this.#token.matches(offered)) {
      throw new HttpProblem("auth-required", "the token offered is not the token of this node");
    }
    return true;
  }

  /**
   * The collection, when this request may read it.
   *
   * @throws {HttpProblem} `auth-required`, `collection-unknown`
   */
  readable(request: FastifyRequest, name: string): CollectionConfig {
    const collection = this.#collections.get(name);
    const hasToken = this.hasToken(request);
    if (collection === undefined) throw unknown(name);
    if (collection.access !== "Public" && !hasToken) throw tokenNeeded();
    return collection;
  }

  /**
   * The collection, when this request may read whole files of it. Without the token it may not where captures are hidden:
   * a file can hold them beside others, also in requests and damaged parts that no index names.
   *
   * @throws {HttpProblem} `auth-required`, `content-restricted`, `collection-unknown`
   */
  readableWhole(request: FastifyRequest, name: string): CollectionConfig {
    const collection = this.readable(request, name);
    const { embargoSeconds, exclude } = collection;
    if (embargoSeconds === 0 && exclude.length === 0) return collection;
    if (this.hasToken(request)) return collection;
    throw new HttpProblem(
      "content-restricted",
      "the collection hides captures, which its files may hold: send the node's access token as Authorization: Bearer",
    );
  }

  /** @throws {HttpProblem} `auth-required`, `collection-unknown` */
  writable(request: FastifyRequest, name: string): CollectionConfig {
    if (!this.hasToken(request)) throw tokenNeeded();
    const collection = this.#collections.get(name);
    if (collection === undefined) throw unknown(name);
    return collection;
  }

  /** All collections this request may read, in the order of the configuration. */
  allReadable(request: FastifyRequest): readonly CollectionConfig[] {
    const all = [...this.#collections.values()];
    return this.hasToken(request) ? all : all.filter((collection) => collection.access === "Public");
  }
}

function tokenNeeded(): HttpProblem {
  return new HttpProblem("auth-required", "send the node's access token as Authorization: Bearer");
}

function unknown(name: string): HttpProblem {
  return new HttpProblem("collection-unknown", `no collection "${name}" here`);
}
