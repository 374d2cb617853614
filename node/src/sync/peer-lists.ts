/** Reads what a peer says that it has: its collections and the changes of one. What it sends is checked before it is used. */
import type { TSchema } from "typebox";
import Value from "typebox/value";
import {
  type Change,
  ChangeSchema,
  type ChangesAnswer,
  ChangesAnswerSchema,
  type CollectionAccess,
  type CollectionsAnswer,
  CollectionsAnswerSchema,
  SYNC_LIMITS,
  WithdrawnChangeSchema,
} from "../asfp/sync-messages.ts";
import type { PeerCalls } from "../peers/peer-calls.ts";
import { SyncError } from "./errors.ts";
import { statusError } from "./transfer.ts";

/** Targets of one peer run at about the same time, and ask once. */
const COLLECTIONS_AGE_MS = 2_000;
const LIST_MS = 30_000;

/** `undefined`: the peer knows the protocol's document only, and has no lists. */
export type PeerCollections = ReadonlyMap<string, CollectionAccess> | undefined;

export class PeerLists {
  readonly #calls: Pick<PeerCalls, "json">;
  readonly #monotonicMs: () => number;
  readonly #lifetime: AbortSignal;
  readonly #collections = new Map<string, { readonly askedMs: number; readonly answer: Promise<PeerCollections> }>();

  /** @param lifetime - ends what is asked for several targets */
  constructor(calls: Pick<PeerCalls, "json">, monotonicMs: () => number, lifetime: AbortSignal) {
    this.#calls = calls;
    this.#lifetime = lifetime;
    this.#monotonicMs = monotonicMs;
  }

  /** @throws {SyncError} `REFUSED`, `PEER_BUSY`, `UNEXPECTED_STATUS`, `BAD_LIST`; what the calls throw */
  collections(peer: string): Promise<PeerCollections> {
    const known = this.#collections.get(peer);
    const nowMs = this.#monotonicMs();
    if (known !== undefined && nowMs - known.askedMs < COLLECTIONS_AGE_MS) return known.answer;
    // The answer may be for several targets, so that it ends with none of them.
    const answer = this.#askCollections(peer);
    this.#collections.set(peer, { askedMs: nowMs, answer });
    return answer;
  }

  /**
   * A page of changes.
   *
   * @returns `undefined` when the cursor belongs to a list that is no more
   * @throws {SyncError} as `collections`; what the calls throw; the signal's reason
   */
  async changes(
    peer: string,
    collection: string,
    cursor: string | undefined,
    signal: AbortSignal,
  ): Promise<ChangesAnswer | undefined> {
    const query = new URLSearchParams({ collection, limit: String(SYNC_LIMITS.items) });
    if (cursor !== undefined) query.set("since", cursor);
    const { status, headers, body } = await this.#calls.json(
      peer,
      { method: "GET", path: `/sync/changes?${query.toString()}` },
      { maxBytes: SYNC_LIMITS.pageBytes, signal: AbortSignal.any([signal, AbortSignal.timeout(LIST_MS)]) },
    );
    if (status === 410) return undefined;
    if (status !== 200) throw statusError(status, headers["retry-after"]);
    if (!Value.Check(ChangesAnswerSchema, body)) throw badList(ChangesAnswerSchema, body);
    const have = body.items.filter(({ op }) => op === "have");
    const bad = have.find((item) => !Value.Check(ChangeSchema, item));
    if (bad !== undefined) throw badList(ChangeSchema, bad);
    const { epoch, next, more } = body;
    const withdrawn = body.items.filter((item) => Value.Check(WithdrawnChangeSchema, item)).map(({ hash }) => hash);
    return { epoch, next, more, withdrawn, items: have as readonly object[] as readonly Change[] };
  }

  async #askCollections(peer: string): Promise<PeerCollections> {
    const { status, headers, body } = await this.#calls.json(
      peer,
      { method: "GET", path: "/collections" },
      {
        maxBytes: SYNC_LIMITS.collectionsBytes,
        signal: AbortSignal.any([this.#lifetime, AbortSignal.timeout(LIST_MS)]),
      },
    );
    if (status === 404) return undefined;
    if (status !== 200) throw statusError(status, headers["retry-after"]);
    if (!Value.Check(CollectionsAnswerSchema, body)) throw badList(CollectionsAnswerSchema, body);
    const { collections }: CollectionsAnswer = body;
    return new Map(collections.map(({ name, access }) => [name, access]));
  }
}

function badList(schema: TSchema, body: unknown): SyncError {
  const [first] = Value.Errors(schema, body);
  return new SyncError("BAD_LIST", {
    reason: `${first?.instancePath ?? ""} ${first?.message ?? "no JSON"}`.slice(0, 256),
  });
}
