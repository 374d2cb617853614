/** What the thread that remembers wanted files is asked and answers. Plain data: it crosses between threads. */
import type { MissingReason } from "../contract/federation-reports.ts";

export interface PairName {
  readonly peer: string;
  readonly collection: string;
}

/** How many files are missing, by reason; those that are absent are zero. */
export type ReasonCounts = Readonly<Partial<Record<MissingReason, number>>>;

/** What is remembered of one collection of one peer. */
export interface StoredPair extends PairName {
  readonly id: number;
  /** Where reading its list goes on; absent: at the beginning. */
  readonly cursor: string | undefined;
  /** Files of the list that are here. */
  readonly held: number;
  readonly missing: ReasonCounts;
}

/** A file that a peer has and that is not here. */
export interface WantedItem {
  readonly hash: string;
  /** Bytes, as the peer says; absent when it did not. */
  readonly size: number | undefined;
  readonly filename: string | undefined;
}

export interface DueItem extends WantedItem {
  readonly reason: MissingReason;
  /** Failures in a row. */
  readonly failures: number;
}

/** Of items that nothing but a change of the policy or of the list brings back. */
export const NEVER_MS = Number.MAX_SAFE_INTEGER;

export interface NewItem extends WantedItem {
  readonly reason: "queued" | "too-large";
}

// A type, not an interface: it must fit the index signature of the calls.
export type WantedCalls = {
  /** What is remembered of these; everything of others is forgotten. */
  readonly load: (pairs: readonly PairName[]) => readonly StoredPair[];
  /** Forgets the list of a pair: it is read from its beginning. */
  readonly reset: (pair: number) => void;
  /** Takes a page of the list and the place behind it in one step. @returns how many were new, by reason */
  readonly page: (input: {
    readonly pair: number;
    /** Absent: files were offered, the list was not read. */
    readonly cursor: string | undefined;
    /** Files of the page that are here. */
    readonly held: number;
    readonly items: readonly NewItem[];
  }) => ReasonCounts;
  /** Those whose time has come, longest due first. */
  readonly due: (input: {
    readonly pair: number;
    readonly nowMs: number;
    readonly limit: number;
  }) => readonly DueItem[];
  /** When the next one is due, epoch milliseconds; `undefined`: none is. */
  readonly nextDue: (pair: number) => number | undefined;
  /** One more failure, or a wait without fault of the file. */
  readonly failed: (input: {
    readonly pair: number;
    readonly hash: string;
    readonly reason: MissingReason;
    readonly failures: number;
    readonly dueMs: number;
  }) => void;
  /** It is here. */
  readonly done: (input: { readonly pair: number; readonly hash: string }) => void;
  /** They are not wanted any more. @returns how many rows went, by reason */
  readonly drop: (input: { readonly pair: number; readonly hashes: readonly string[] }) => ReasonCounts;
  /** Another limit for sizes. @returns all counts of now */
  readonly limit: (input: { readonly pair: number; readonly maxBytes: number }) => ReasonCounts;
  /** Those that are not only waiting their turn first. */
  readonly missing: (input: {
    readonly pair: number;
    readonly limit: number;
  }) => readonly { readonly hash: string; readonly reason: MissingReason }[];
  /** Those of the hashes that some pair wants. */
  readonly wanted: (hashes: readonly string[]) => readonly string[];
};
