/** Evaluates a kind's CEL rules on an object as the API server does, but for its own libraries and cost limits. */
import { parse } from "@marcbachmann/cel-js";
import type { KindDefinition } from "../src/kind.ts";
import { KINDS, type KindName } from "../src/kinds.ts";
import type { JsonSchema } from "../src/schema/json-schema.ts";
import { walk } from "../src/schema/json-schema.ts";
import type { CelRule } from "../src/schema/structure.ts";

interface RuleAt {
  readonly path: string;
  readonly rule: CelRule;
}

/** Every rule of a kind with the path of the schema that carries it. */
export function rulesOf(kind: KindName): readonly RuleAt[] {
  const definition: KindDefinition = KINDS[kind];
  const root = (definition.rootRules ?? []).map((rule) => ({ path: "", rule }));
  const nested = walk(definition.spec as JsonSchema, ".spec").flatMap(({ path, schema }) =>
    (schema["x-cel"] ?? []).map((rule) => ({ path, rule })),
  );
  return [...root, ...nested];
}

/** Ids of the rules that refuse `object`, once each. Without `old`, transition rules are left out. */
export function violatedRules(kind: KindName, object: object, old?: object): readonly string[] {
  return rulesOf(kind)
    .filter(({ rule }) => old !== undefined || !rule.rule.includes("oldSelf"))
    .filter(({ path, rule }) => {
      const selves = valuesAt(object, path);
      const oldSelf = rule.rule.includes("oldSelf") ? valuesAt(old, path)[0] : undefined;
      return selves.some((self) => !holds(rule.rule, { self, ...(oldSelf === undefined ? {} : { oldSelf }) }));
    })
    .map(({ rule }) => rule.id);
}

/** A rule that cannot be evaluated refuses, as on the API server. */
function holds(rule: string, values: Record<string, unknown>): boolean {
  const evaluate = parse(rule);
  try {
    return evaluate(values) === true;
  } catch {
    return false;
  }
}

function valuesAt(object: unknown, path: string): readonly unknown[] {
  const start: readonly unknown[] = [asCel(object)];
  const steps = path.match(/[^.[\]]+|\[\]/g) ?? [];
  return steps.reduce((values, step) => values.flatMap((value) => stepInto(value, step)), start);
}

function stepInto(value: unknown, step: string): readonly unknown[] {
  if (step === "[]") return Array.isArray(value) ? value : [];
  const child = (value as Readonly<Record<string, unknown>> | undefined)?.[step];
  return child === undefined ? [] : [child];
}

/** Whole numbers are `int` in CEL, which this evaluator takes as bigint. */
function asCel(value: unknown): unknown {
  if (typeof value === "number" && Number.isInteger(value)) return BigInt(value);
  if (Array.isArray(value)) return value.map(asCel);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, asCel(child)]));
}
