/** Who is let in: decided by the trust document alone, by key. */
import type { TrustDocument, TrustEntry } from "../contract/documents.ts";

export type Refusal = "own" | "revoked" | "expired" | "not-yet" | "pins" | "ca-needed";

export type Admission =
  /** The trust document names it. */
  | { readonly kind: "trusted"; readonly pins: readonly string[] }
  /** Public mode, and nobody said anything against it. */
  | { readonly kind: "open" }
  /** Private mode, and a person may still add it. */
  | { readonly kind: "pending" }
  | { readonly kind: "refused"; readonly reason: Refusal };

export const REFUSALS: Readonly<Record<Refusal, string>> = {
  own: "this is the node itself",
  revoked: "the node is revoked",
  expired: "the time for which the node was trusted is over",
  "not-yet": "the time for which the node is trusted has not begun",
  pins: "the node's certificate keys are not those it is trusted with",
  "ca-needed": "nodes are let in by their CA, which this version cannot check",
};

interface Indexed {
  readonly entries: ReadonlyMap<string, readonly TrustEntry[]>;
  readonly revoked: ReadonlySet<string>;
}
const indexes = new WeakMap<TrustDocument, Indexed>();

function indexOf(document: TrustDocument): Indexed {
  const before = indexes.get(document);
  if (before !== undefined) return before;
  const entries = Map.groupBy(document.entries, (entry) => entry.nodeID);
  const indexed = { entries, revoked: new Set(document.revoked) };
  indexes.set(document, indexed);
  return indexed;
}

/**
 * @param document - without one nobody is let in
 * @param spkis - certificate keys that the node's record names; absent: pins are not compared
 */
export function admission(
  document: TrustDocument | undefined,
  nodeId: string,
  nowMs: number,
  spkis?: readonly string[],
): Admission {
  if (document === undefined) return { kind: "pending" };
  const { entries, revoked } = indexOf(document);
  if (revoked.has(nodeId)) return { kind: "refused", reason: "revoked" };
  const named = entries.get(nodeId);
  if (named === undefined) return document.mode === "Public" ? { kind: "open" } : { kind: "pending" };
  if (document.require === "CA" || document.require === "KeyAndCA") return { kind: "refused", reason: "ca-needed" };
  // An id may come from a peer object and from an allow list: whichever lets it in does.
  let last: Admission = { kind: "pending" };
  for (const entry of named) {
    last = admissionByEntry(entry, nowMs, spkis);
    if (last.kind === "trusted") break;
  }
  return last;
}

function admissionByEntry(entry: TrustEntry, nowMs: number, spkis: readonly string[] | undefined): Admission {
  if (entry.notBefore !== undefined && nowMs < Date.parse(entry.notBefore)) {
    return { kind: "refused", reason: "not-yet" };
  }
  if (entry.notAfter !== undefined && nowMs >= Date.parse(entry.notAfter)) {
    return { kind: "refused", reason: "expired" };
  }
  const isPinned = entry.pins.length > 0 && spkis !== undefined;
  if (isPinned && !spkis.some((spki) => entry.pins.includes(spki))) return { kind: "refused", reason: "pins" };
  return { kind: "trusted", pins: entry.pins };
}

/** When the next entry that counts now, or will count, is over; `undefined` when none ever is. */
export function nextExpiryMs(document: TrustDocument | undefined, nowMs: number): number | undefined {
  const ends = (document?.entries ?? []).flatMap(({ notAfter }) =>
    notAfter === undefined ? [] : Date.parse(notAfter),
  );
  const next = ends.reduce(
    (least, endMs) => (endMs > nowMs && endMs < least ? endMs : least),
    Number.POSITIVE_INFINITY,
  );
  return Number.isFinite(next) ? next : undefined;
}

/** The decision with the documents of now. */
export class Trust {
  readonly #document: () => TrustDocument | undefined;
  readonly #ownNodeId: () => string;
  readonly #nowMs: () => number;

  constructor(document: () => TrustDocument | undefined, ownNodeId: () => string, nowMs: () => number) {
    this.#document = document;
    this.#ownNodeId = ownNodeId;
    this.#nowMs = nowMs;
  }

  get isPrivate(): boolean {
    return this.#document()?.mode !== "Public";
  }

  /** A node is never its own peer. */
  admits(nodeId: string, spkis?: readonly string[]): Admission {
    if (nodeId === this.#ownNodeId()) return { kind: "refused", reason: "own" };
    return admission(this.#document(), nodeId, this.#nowMs(), spkis);
  }

  /** Whether it may call and be called now. */
  letsIn(nodeId: string): boolean {
    const { kind } = this.admits(nodeId);
    return kind === "trusted" || kind === "open";
  }
}
