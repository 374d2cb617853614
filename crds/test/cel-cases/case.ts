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

/** Cases of a rule about one text: `specOf` puts it in its place. */
export function texts(
  kind: KindName,
  specOf: (text: string) => Spec,
  { good, bad }: { readonly good: readonly string[]; readonly bad: readonly string[] },
): RuleCases {
  const caseOf = (text: string): CelCase => ({ why: text, spec: specOf(text) });
  return { kind, accepts: good.map(caseOf), refuses: bad.map(caseOf) };
}

/** Of every schedule: more cases are in those of SyncPolicy, whose schedules are acted on. */
export const SCHEDULES = { good: ["0 3 * * *", "@daily"], bad: ["61 25 * * *", "@never"] } as const;

/** Of every amount of bytes. */
export const BYTES = { good: ["1Gi", "500M", "1000000000", "1e9"], bad: ["1000000000m", "5000000000000000u"] } as const;

/** Of every address of a peer, beside those that do not begin with https. */
export const ADDRESSES = {
  good: [
    "https://archive.example",
    "https://archive.example:8443/",
    "https://[2001:db8::1]:65535/path",
    "https://пример.example",
  ],
  bad: [
    "https://",
    "https:///path",
    "https://archive example",
    "https://me@archive.example",
    "https://archive.example:65536",
    "https://archive.example:https",
    "https://archive.example?a=1",
    "https://archive.example/#a",
    "https://https://archive.example",
  ],
} as const;

/** Cases of a rule about the expressions of a selector. */
export function selectors(kind: KindName, specOf: (selector: Spec) => Spec): RuleCases {
  const caseOf = (why: string, key: string, operator: string, values?: readonly string[]): CelCase => ({
    why,
    spec: specOf({ matchExpressions: [{ key, operator, ...(values === undefined ? {} : { values }) }] }),
  });
  return {
    kind,
    accepts: [
      { why: "no expression", spec: specOf({ matchLabels: { a: "b" } }) },
      caseOf("In with values", "example.org/a", "In", ["a", "b"]),
      caseOf("NotIn with a value", "a", "NotIn", ["a"]),
      caseOf("Exists", "archivestream.io/origin", "Exists"),
      caseOf("DoesNotExist with an empty list", "A_b.c", "DoesNotExist", []),
    ],
    refuses: [
      caseOf("In without values", "a", "In"),
      caseOf("NotIn with an empty list", "a", "NotIn", []),
      caseOf("Exists with a value", "a", "Exists", ["a"]),
      caseOf("DoesNotExist with a value", "a", "DoesNotExist", ["a"]),
      caseOf("a key with a space", "a b", "DoesNotExist"),
    ],
  };
}
