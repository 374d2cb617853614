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
  readonly unsupportedFields: readonly string[];
  /** The record declares no payload digest but has a payload: SHA-1 is wanted for the index. */
  readonly ownSha1: boolean;
}

/** Characters of a field that cannot be read. */
const MAX_SHOWN = 100;
const HAS_PAYLOAD: ReadonlySet<string> = new Set(["response", "resource", "metadata"]);

export function digestPlan({ headers, type }: ArchiveRecord): DigestPlan {
  const blockField = fieldOf(headers, "warc-block-digest");
  const payloadField = fieldOf(headers, "warc-payload-digest");
  // NOTE: a revisit's payload digest is that of the record it refers to.
  const ownField = type === "revisit" ? undefined : payloadField;
  const block = blockField === undefined ? undefined : parseDigest(blockField);
  const payload = ownField === undefined ? undefined : parseDigest(ownField);
  const unsupportedFields = [
    ...(blockField !== undefined && block === undefined ? [`block digest ${blockField.slice(0, MAX_SHOWN)}`] : []),
    ...(ownField !== undefined && payload === undefined ? [`payload digest ${ownField.slice(0, MAX_SHOWN)}`] : []),
  ];
  const unsupported = unsupportedFields.length;
  return {
    block,
    payload,
    unsupported,
    unsupportedFields,
    ownSha1: payloadField === undefined && HAS_PAYLOAD.has(type),
  };
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
  const notes = [
    ...(blockFits === false ? ["block digest does not match"] : []),
    ...(payloadFits === false ? ["payload digest does not match"] : []),
    ...plan.unsupportedFields.map((field) => `${field} is of an algorithm or a form that cannot be checked`),
  ];
  return {
    verified: Number(blockFits === true) + Number(payloadFits === true),
    mismatched: Number(blockFits === false) + Number(payloadFits === false),
    unsupported,
    matched,
    ...(notes.length === 0 ? {} : { notes }),
  };
}

/** As often as writers use them. */
const PAYLOAD_FORMS: readonly DigestForm[] = ["payload", "chunked-payload", "block"];
