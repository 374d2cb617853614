/** What gzip members and zstd frames have in common: a way to open one, and the limits of what is held in memory. */
import type { SourceWindow } from "./byte-source.ts";

/** A member up to these sizes is decoded in one call; beyond either, streamed. Bytes. */
export interface MemoryLimits {
  readonly stored: number;
  readonly decoded: number;
}

/** For whoever reads a whole file, in a thread of its own: calls are what costs. */
export const WHOLE_FILE: MemoryLimits = { stored: 1 << 20, decoded: 8 << 20 };
/**
 * For whoever reads one record, in a thread that others wait for: decoded in about a millisecond. What is larger is streamed,
 * and decoded by the engine's threads.
 */
export const ONE_RECORD: MemoryLimits = { stored: 1 << 18, decoded: 1 << 18 };
/** Stored bytes looked at for a run of small members. Twice and half as much were not faster. */
export const RUN_BYTES = 1 << 17;
/** Stored bytes that a probe decodes: enough for the first header line, at most 1 MiB when it is a bomb. */
export const PROBE_BYTES = 1 << 10;

/** `length` and `read` (stored bytes looked at so far) of a streamed member; `length` is 0 until its end was checked. */
export interface StreamedMember {
  length: number;
  read: number;
}

/** A member decoded in memory; `length` is that of the stored bytes. */
export interface WholeMember {
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** Members in a row; `length` is what was looked at in search of them, also when there are none. Stored bytes. */
export interface MemberRun {
  readonly members: readonly WholeMember[];
  readonly length: number;
}

export type MemberOutcome =
  | ({ readonly kind: "whole" } & WholeMember)
  | { readonly kind: "streamed"; readonly chunks: AsyncIterable<Uint8Array>; readonly member: StreamedMember }
  | { readonly kind: "skipped"; readonly length: number }
  | { readonly kind: "damaged"; readonly reason: string };

export interface MemberCodec {
  readonly name: "gzip" | "zstd";
  /** First byte of the magic, for a fast search. */
  readonly firstByte: number;
  startsAt(bytes: Uint8Array): boolean;
  /** Cheap look at the first `PROBE_BYTES` of what may be a member: could a record start here? Never throws. */
  probe(bytes: Uint8Array): boolean;
  open(window: SourceWindow, offset: number, limits: MemoryLimits): Promise<MemberOutcome>;
  /** Several whole members from the first of `stored` on at once, when the codec can. Never throws. */
  readonly openRun?: (stored: Uint8Array) => MemberRun;
}

/** Stored bytes of a member are broken. Never leaves the reader: it becomes a `DamagedRange`. */
export class MemberDamage extends Error {
  override readonly name = "MemberDamage";
}

/** The stored bytes ended before the member did; what came until then is as it was. */
export class MemberCut extends MemberDamage {}
