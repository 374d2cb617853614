/**
 * Which digests a record declares, which must be computed, and what came out. A payload digest counts as wrong only after
 * payload, still chunked payload and block were tried: writers disagree.
 */
import { type ParsedDigest, parseDigest } from "./digest.ts";
import { fieldOf } from "./headers.ts";
import type { ArchiveRecord, DigestForm, DigestOutcome } from "./record.ts";

export interface DigestPlan {
  readonly block: ParsedDigest | undefined;
  readonly payload: ParsedDigest | undefined;
  /** Declared digests that cannot be computed. */
  readonly unsupported: number;
  /** The record declares no payload digest but has a payload: SHA-1 is wanted for the index. */
  readonly ownSha1: boolean;
}

const HAS_PAYLOAD: ReadonlySet<string> = new Set(["response", "resource", "metadata"]);

export function digestPlan({ headers, type }: ArchiveRecord): DigestPlan {
  const blockField = fieldOf(headers, "warc-block-digest");
  const payloadField = fieldOf(headers, "warc-payload-digest");
  // NOTE: a revisit's payload digest is that of the record it refers to.
  const ownField = type === "revisit" ? undefined : payloadField;
  const block = blockField === undefined ? undefined : parseDigest(blockField);
  const payload = ownField === undefined ? undefined : parseDigest(ownField);
  const unsupported =
    Number(blockField !== undefined && block === undefined) + Number(ownField !== undefined && payload === undefined);
  return { block, payload, unsupported, ownSha1: payloadField === undefined && HAS_PAYLOAD.has(type) };
}

/** @param digestOf - of a form of the record's bytes; `undefined` for a form that the record does not have */
export function digestOutcome(
  plan: DigestPlan,
  digestOf: (form: DigestForm, algorithm: string) => Buffer | undefined,
): DigestOutcome {
  const fits = (form: DigestForm, { algorithm, bytes }: ParsedDigest): boolean =>
    digestOf(form, algorithm)?.equals(bytes) ?? false;
  const { block, payload, unsupported } = plan;
  const matched = payload === undefined ? undefined : PAYLOAD_FORMS.find((form) => fits(form, payload));
  const blockFits = block === undefined ? undefined : fits("block", block);
  const payloadFits = payload === undefined ? undefined : matched !== undefined;
  return {
    verified: Number(blockFits === true) + Number(payloadFits === true),
    mismatched: Number(blockFits === false) + Number(payloadFits === false),
    unsupported,
    matched,
  };
}

/** As often as writers use them. */
const PAYLOAD_FORMS: readonly DigestForm[] = ["payload", "chunked-payload", "block"];
