/**
 * How many documents each archive holds, as it said last: so that an answer can say how much was not asked when an archive
 * does not answer. What an archive shows depends on who asks, and in which collections; each of these is remembered apart.
 */
import type { FederatedRequest } from "../archive/archive.ts";

/** A number that was not heard anew for so long says nothing any more. */
const REMEMBERED_MS = 24 * 3_600_000;
/** Kinds of questions; the one not asked for longest is forgotten first. */
const MOST_KINDS = 64;

export type AskedFor = Pick<FederatedRequest, "audience" | "named">;

interface Told {
  readonly documents: number;
  readonly atMs: number;
}

export class KnownDocuments {
  readonly #byKind = new Map<string, Map<string, Told>>();
  readonly #monotonicMs: () => number;

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  note(asked: AskedFor, nodeId: string, documents: number): void {
    const kind = kindOf(asked);
    const told = this.#byKind.get(kind) ?? new Map<string, Told>();
    told.set(nodeId, { documents, atMs: this.#monotonicMs() });
    this.#byKind.delete(kind);
    this.#byKind.set(kind, told);
    const [oldest] = this.#byKind.keys();
    if (this.#byKind.size > MOST_KINDS && oldest !== undefined) this.#byKind.delete(oldest);
  }

  /** `undefined`: it never said, or too long ago. */
  of(asked: AskedFor, nodeId: string): number | undefined {
    const told = this.#byKind.get(kindOf(asked))?.get(nodeId);
    return told === undefined || this.#monotonicMs() - told.atMs > REMEMBERED_MS ? undefined : told.documents;
  }

  /** Forgets those that are no peers any more. */
  keepOnly(nodeIds: ReadonlySet<string>): void {
    for (const told of this.#byKind.values()) {
      for (const nodeId of told.keys()) if (!nodeIds.has(nodeId)) told.delete(nodeId);
    }
  }
}

function kindOf({ audience, named }: AskedFor): string {
  return JSON.stringify([audience, named?.toSorted() ?? null]);
}
