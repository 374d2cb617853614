/** A case of a CEL rule: an object to create or update, and what all files of cases need. */
import type { KindName } from "../../src/kinds.ts";

export type Spec = Readonly<Record<string, unknown>>;

export interface CelCase {
  readonly why: string;
  readonly name?: string;
  /** The stored spec that is updated; absent: the object is created. */
  readonly old?: Spec;
  readonly spec: Spec;
}

export interface RuleCases {
  readonly kind: KindName;
  readonly accepts: readonly CelCase[];
  readonly refuses: readonly CelCase[];
}

export const ref = (name: string) => ({ name });
export const ID = "0123456789abcdef".repeat(4);
