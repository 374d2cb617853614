/** Every CEL rule both ways, in JavaScript; test/integration/cel.test.ts does the same on a real API server. */
import { describe, expect, it } from "vitest";
import { CEL_CASES } from "../test/cel-cases.ts";
import { rulesOf, violatedRules } from "../test/cel-evaluator.ts";
import { KINDS, type KindName } from "./kinds.ts";

const kinds = Object.keys(KINDS) as KindName[];
const rules = kinds.flatMap((kind) => rulesOf(kind).map(({ rule }) => ({ kind, rule })));
const objectOf = (spec: object, name = "a") => ({ metadata: { name }, spec });

describe("the table of cases", () => {
  it("has both ways for every rule, and no rule that does not exist", () => {
    expect(Object.keys(CEL_CASES).toSorted()).toEqual(rules.map(({ rule }) => rule.id).toSorted());
    for (const [id, { accepts, refuses }] of Object.entries(CEL_CASES)) {
      expect(accepts.length, id).toBeGreaterThan(0);
      expect(refuses.length, id).toBeGreaterThan(0);
    }
  });

  it("updates something wherever a rule compares with the stored object", () => {
    for (const { rule } of rules.filter(({ rule }) => rule.rule.includes("oldSelf"))) {
      expect(
        CEL_CASES[rule.id]?.refuses.every(({ old }) => old !== undefined),
        rule.id,
      ).toBe(true);
    }
  });
});

describe.each(Object.entries(CEL_CASES))("%s", (id, { kind, accepts, refuses }) => {
  it.each(accepts)("accepts: $why", ({ spec, old, name }) => {
    expect(violatedRules(kind, objectOf(spec, name), old && objectOf(old, name))).toEqual([]);
  });
  it.each(refuses)("refuses: $why", ({ spec, old, name }) => {
    expect(violatedRules(kind, objectOf(spec, name), old && objectOf(old, name))).toEqual([id]);
  });
});

it.each(rules)("the message of $rule.id names a field that its kind has", ({ kind, rule }) => {
  const words = rule.message.match(/[a-zA-Z]+/g) ?? [];
  const fields = new Set(["metadata", ...Object.keys((KINDS[kind].spec as { properties: object }).properties)]);
  expect(words.some((word) => fields.has(word))).toBe(true);
});
