/** The lint passes our kinds and finds every violation planted into them. */
import { describe, expect, it } from "vitest";
import { KINDS, type KindName } from "./kinds.ts";
import { customResourceDefinition } from "./manifest.ts";
import type { JsonSchema } from "./schema/json-schema.ts";
import { lintSchema } from "./structural-lint.ts";

function schemaOf(kind: KindName): JsonSchema {
  const [version] = customResourceDefinition(KINDS[kind]).spec.versions;
  return version?.schema.openAPIV3Schema ?? {};
}

it.each(Object.keys(KINDS) as KindName[])("%s has no violation", (kind) => {
  expect(lintSchema(schemaOf(kind))).toEqual([]);
});

const good: JsonSchema = { type: "string", maxLength: 3, description: "A field." };
const object = (properties: Record<string, JsonSchema>): JsonSchema => ({
  type: "object",
  description: "O.",
  properties,
});
const list = (fields: object): JsonSchema => ({
  type: "array",
  maxItems: 2,
  description: "A list.",
  items: good,
  ...fields,
});
const plantedField = (field: JsonSchema): JsonSchema => object({ spec: object({ planted: field }) });

const forbidden = [
  "$ref",
  "$schema",
  "$id",
  "definitions",
  "$defs",
  "const",
  "patternProperties",
  "propertyNames",
  "nullable",
];

const PLANTED: readonly (readonly [string, JsonSchema])[] = [
  ...forbidden.map((keyword) => [`${keyword} is not structural`, { ...good, [keyword]: "x" }] as const),
  ["type is a list", { ...good, type: ["string"] as unknown as string }],
  ["no type", { maxLength: 3, description: "A field." }],
  ["type beside x-kubernetes-int-or-string", { ...good, "x-kubernetes-int-or-string": true }],
  ["additionalProperties: false is not structural", { type: "object", description: "O.", additionalProperties: false }],
  ["properties beside additionalProperties", { ...object({}), additionalProperties: good, maxProperties: 1 }],
  ["uniqueItems: true is not structural", list({ uniqueItems: true, "x-kubernetes-list-type": "atomic" })],
  ["x-absent is no keyword of the API server", { ...good, "x-absent": "y" }],
  ["type inside anyOf", { ...good, anyOf: [{ type: "string" }] }],
  ["default inside allOf", { ...good, allOf: [{ default: "a" }] }],
  ["description inside oneOf", { ...good, oneOf: [{ description: "a" }] }],
  ["additionalProperties inside not", { ...good, not: { additionalProperties: true } }],
  ["nullable inside anyOf", { ...good, anyOf: [{ nullable: true }] }],
  ["type inside anyOf", { ...good, anyOf: [{ properties: { deep: { type: "string" } } }] }],
  ["no maxLength", { type: "string", description: "A field." }],
  ["no maxItems", { type: "array", description: "A list.", items: good, "x-kubernetes-list-type": "atomic" }],
  ["no maxProperties", { type: "object", description: "A map.", additionalProperties: good }],
  ["no minimum", { type: "integer", maximum: 3, description: "A number." }],
  ["no maximum", { type: "integer", minimum: 3, description: "A number." }],
  ["floats are not used", { type: "number", description: "A number." }],
  ["no x-kubernetes-list-type", list({})],
  ["no items", { type: "array", maxItems: 2, description: "A list.", "x-kubernetes-list-type": "atomic" }],
  ["a set of things that are not scalar", list({ "x-kubernetes-list-type": "set", items: object({}) })],
  ["no x-kubernetes-list-map-keys", list({ "x-kubernetes-list-type": "map", items: object({ name: good }) })],
  [
    "map key name is not required",
    list({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], items: object({ name: good }) }),
  ],
  ["rule without message: self == 'a'", { ...good, "x-kubernetes-validations": [{ rule: "self == 'a'" }] }],
  ["no description", { type: "string", maxLength: 3 }],
  ["a default, which GitOps tools show as a difference", { ...good, default: "a" }],
];

describe("planted violations", () => {
  it.each(PLANTED)("%s", (problem, field) => {
    expect(lintSchema(plantedField(field))).toContainEqual({ path: ".spec.planted", problem });
  });

  it("finds nothing where nothing is planted", () => {
    expect(lintSchema(plantedField(good))).toEqual([]);
  });

  it("restricted metadata", () => {
    const root = object({ metadata: { type: "object", properties: { labels: good } } });
    expect(lintSchema(root)).toContainEqual({ path: ".metadata", problem: "metadata.labels cannot be restricted" });
  });

  it("another default for replicas", () => {
    const root = object({
      spec: object({ replicas: { type: "integer", minimum: 0, maximum: 2, default: 2, description: "R." } }),
    });
    expect(lintSchema(root)).toHaveLength(1);
  });
});
