/**
 * Reads the allow-list Secrets that ArchiveNodes name, each only when it changed.
 *
 * A list that is gone or damaged keeps what it said last. A process that never read it takes that from the node's own
 * trust document, less what its other lists say: a list lost at the wrong moment must not shut out everybody, and an id
 * that somebody takes out of a list that is in order must not stay because of one that is lost.
 */
import { type ArchiveNode, SECRET_TYPES } from "@archivestream/crds";
import { DOCUMENT_FILES, TrustDocumentSchema } from "@archivestream/node/contract";
import { Value } from "typebox/value";
import type { AllowedIds } from "../federation-content.ts";
import { childNames } from "../names.ts";
import { keyText, type ObjectKey, type SecretObject } from "../objects.ts";
import { ALLOW_LIST_KEY, type AllowList, parseAllowList } from "./allow-list.ts";

export interface AllowListsDeps {
  readonly read: (key: ObjectKey, signal: AbortSignal) => Promise<SecretObject | undefined>;
  readonly watch: {
    want(node: ObjectKey, ...secrets: readonly string[]): void;
    forget(node: ObjectKey): void;
    version(key: ObjectKey): string;
    isLive(namespace: string): boolean;
  };
}

interface Known {
  readonly version: string;
  /** What it says, or said when it was last in order; undefined when this process never read it so. */
  readonly nodeIDs: readonly string[] | undefined;
  readonly problem: AllowedIds["problem"];
}

export class AllowLists {
  readonly #deps: AllowListsDeps;
  /** By `namespace/name` of the Secret. */
  readonly #known = new Map<string, Known>();
  /** Secrets of a node, by its `namespace/name`. */
  readonly #namedBy = new Map<string, readonly string[]>();
  /**
   * Ids that a node keeps for lists that this process never read, by its `namespace/name`. Taken once: the document that
   * they come from holds them from then on because they are here.
   */
  readonly #kept = new Map<string, readonly string[]>();

  constructor(deps: AllowListsDeps) {
    this.#deps = deps;
  }

  /** Every id that the node's lists name. */
  async of(node: ArchiveNode, signal: AbortSignal): Promise<AllowedIds> {
    const { metadata, spec } = node;
    const names = (spec.trust?.allowListRefs ?? []).map(({ name }) => name);
    this.#deps.watch.want(metadata, ...names);
    this.#namedBy.set(keyText(metadata), names);
    const lists: Known[] = [];
    for (const name of names) lists.push(await this.#list({ namespace: metadata.namespace, name }, signal));
    const said = new Set(lists.flatMap(({ nodeIDs }) => nodeIDs ?? []));
    const isComplete = lists.every(({ nodeIDs }) => nodeIDs !== undefined);
    const kept = isComplete ? this.#keepNothing(node) : await this.#keptBeside(said, node, signal);
    return {
      nodeIDs: [...new Set([...said, ...kept])],
      problem: lists.find(({ problem }) => problem !== undefined)?.problem,
    };
  }

  /** Drops what is remembered of a node that is gone. */
  forget(node: ObjectKey): void {
    const names = this.#namedBy.get(keyText(node)) ?? [];
    this.#namedBy.delete(keyText(node));
    this.#kept.delete(keyText(node));
    this.#deps.watch.forget(node);
    for (const name of names) this.#known.delete(keyText({ namespace: node.namespace, name }));
  }

  async #list(key: ObjectKey, signal: AbortSignal): Promise<Known> {
    const before = this.#known.get(keyText(key));
    const watched = this.#deps.watch.version(key);
    if (before !== undefined && this.#deps.watch.isLive(key.namespace) && before.version === watched) return before;
    const secret = await this.#deps.read(key, signal);
    const read = listOf(key.name, secret);
    const version = secret?.metadata.resourceVersion ?? "";
    const known: Known =
      "nodeIDs" in read
        ? { version, nodeIDs: read.nodeIDs, problem: undefined }
        : { version, nodeIDs: before?.nodeIDs, problem: read };
    this.#known.set(keyText(key), known);
    return known;
  }

  #keepNothing(node: ArchiveNode): readonly string[] {
    this.#kept.delete(keyText(node.metadata));
    return [];
  }

  async #keptBeside(said: ReadonlySet<string>, node: ArchiveNode, signal: AbortSignal): Promise<readonly string[]> {
    const before = this.#kept.get(keyText(node.metadata));
    if (before !== undefined) return before;
    const kept = (await this.#lastEnforced(node, signal)).filter((nodeID) => !said.has(nodeID));
    this.#kept.set(keyText(node.metadata), kept);
    return kept;
  }

  /** Ids in the node's trust document that no FederationPeer brought. */
  async #lastEnforced({ metadata }: ArchiveNode, signal: AbortSignal): Promise<readonly string[]> {
    const key = { namespace: metadata.namespace, name: childNames(metadata.name).trust };
    const encoded = (await this.#deps.read(key, signal))?.data?.[DOCUMENT_FILES.trust] ?? "";
    const document = parseJson(Buffer.from(encoded, "base64").toString());
    if (!Value.Check(TrustDocumentSchema, document)) return [];
    return document.entries.filter(({ peerUID }) => peerUID === undefined).map(({ nodeID }) => nodeID);
  }
}

function listOf(
  name: string,
  secret: SecretObject | undefined,
): Extract<AllowList, { state: "read" }> | NonNullable<AllowedIds["problem"]> {
  const kept = "until then what it said last holds";
  if (secret === undefined)
    return { reason: "SecretNotFound", message: `allow list Secret ${name} is not there; create it, ${kept}` };
  const invalid = (problem: string) =>
    ({ reason: "SecretInvalid", message: `allow list Secret ${name}: ${problem}; correct it, ${kept}` }) as const;
  if (secret.type !== SECRET_TYPES.allowList)
    return invalid(`its type is ${secret.type ?? "Opaque"}; make it anew with type ${SECRET_TYPES.allowList}`);
  const encoded = secret.data?.[ALLOW_LIST_KEY];
  if (encoded === undefined) return invalid(`it has no key ${ALLOW_LIST_KEY}`);
  const list = parseAllowList(Buffer.from(encoded, "base64").toString());
  return list.state === "read" ? list : invalid(list.problem);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // fails the schema
  }
}
