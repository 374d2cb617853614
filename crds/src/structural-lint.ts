/**
 * What the API server demands of a structural schema, and what this project demands on top: bounds everywhere, a
 * list type on every list, a message on every rule, one default only. Works on the manifest, i.e. on what users apply.
 *
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
import { type JsonSchema, type SchemaAt, walk } from "./schema/json-schema.ts";

export interface Violation {
  readonly path: string;
  readonly problem: string;
}

/** Refused by the API server wherever they stand. */
const FORBIDDEN = [
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
const LOGICAL = ["allOf", "anyOf", "oneOf", "not"] as const;
const FORBIDDEN_IN_LOGICAL = ["type", "default", "description", "additionalProperties", "nullable"];
/** The one default: the scale subresource cannot be read without it. */
const DEFAULTS: Readonly<Record<string, unknown>> = { ".spec.replicas": 1 };
/** Their bounds are the API server's own. */
const META = new Set(["", ".apiVersion", ".kind", ".metadata", ".metadata.name", ".metadata.generateName"]);

type Check = (at: SchemaAt) => readonly string[];

/** All violations of one kind's `openAPIV3Schema`; none means that it may be applied. */
export function lintSchema(root: JsonSchema): readonly Violation[] {
  return walk(root).flatMap((at) =>
    CHECKS.flatMap((check) => check(at).map((problem) => ({ path: at.path === "" ? "." : at.path, problem }))),
  );
}

const isIntOrString = (schema: JsonSchema) => schema["x-kubernetes-int-or-string"] === true;

const hasOneType: Check = ({ schema }) => {
  if (Array.isArray(schema.type)) return ["type is a list"];
  if (isIntOrString(schema)) return schema.type === undefined ? [] : ["type beside x-kubernetes-int-or-string"];
  if (schema["x-kubernetes-preserve-unknown-fields"] === true) return [];
  return typeof schema.type === "string" ? [] : ["no type"];
};

const usesNoForbiddenKeyword: Check = ({ schema }) => [
  ...FORBIDDEN.filter((keyword) => keyword in schema).map((keyword) => `${keyword} is not structural`),
  ...(schema.additionalProperties === false ? ["additionalProperties: false is not structural"] : []),
  ...(schema.properties !== undefined && schema.additionalProperties !== undefined
    ? ["properties beside additionalProperties"]
    : []),
  ...(schema["uniqueItems"] === true ? ["uniqueItems: true is not structural"] : []),
  ...Object.keys(schema)
    .filter((keyword) => keyword.startsWith("x-") && !keyword.startsWith("x-kubernetes-"))
    .map((keyword) => `${keyword} is no keyword of the API server`),
];

const keepsLogicalPartsBare: Check = ({ schema }) =>
  LOGICAL.flatMap((keyword) => {
    const parts = [schema[keyword] ?? []].flat() as JsonSchema[];
    if (keyword === "anyOf" && isIntOrString(schema) && JSON.stringify(parts) === INT_OR_STRING) return [];
    return parts
      .flatMap((part) => walk(part))
      .flatMap((part) => FORBIDDEN_IN_LOGICAL.filter((word) => word in part.schema))
      .map((word) => `${word} inside ${keyword}`);
  });
const INT_OR_STRING = JSON.stringify([{ type: "integer" }, { type: "string" }]);

const isBounded: Check = ({ path, schema }) => {
  if (META.has(path)) return [];
  const missing = (keyword: string) => (typeof schema[keyword] === "number" ? [] : [`no ${keyword}`]);
  if (schema.type === "string" || isIntOrString(schema)) return missing("maxLength");
  if (schema.type === "array") return missing("maxItems");
  if (schema.type === "integer") return [...missing("minimum"), ...missing("maximum")];
  if (schema.type === "number") return ["floats are not used"];
  return typeof schema.additionalProperties === "object" ? missing("maxProperties") : [];
};

const declaresListType: Check = ({ schema }) => {
  if (schema.type !== "array") return [];
  const item = schema.items;
  if (item === undefined) return ["no items"];
  switch (schema["x-kubernetes-list-type"]) {
    case "atomic":
      return [];
    case "set":
      return item.type === "object" || item.type === "array" ? ["a set of things that are not scalar"] : [];
    case "map":
      return mapKeyProblems(schema, item);
    default:
      return ["no x-kubernetes-list-type"];
  }
};

function mapKeyProblems(schema: JsonSchema, item: JsonSchema): readonly string[] {
  const keys = (schema["x-kubernetes-list-map-keys"] ?? []) as readonly string[];
  if (keys.length === 0) return ["no x-kubernetes-list-map-keys"];
  return keys.filter((key) => item.required?.includes(key) !== true).map((key) => `map key ${key} is not required`);
}

const rulesExplainThemselves: Check = ({ schema }) => {
  const rules = (schema["x-kubernetes-validations"] ?? []) as readonly { rule: string; message?: string }[];
  return rules.filter(({ message }) => !message).map(({ rule }) => `rule without message: ${rule}`);
};

const isDescribed: Check = ({ path, schema }) => (META.has(path) || schema.description ? [] : ["no description"]);

const hasNoDefault: Check = ({ path, schema }) =>
  "default" in schema && schema["default"] !== DEFAULTS[path]
    ? ["a default, which GitOps tools show as a difference"]
    : [];

const leavesMetadataAlone: Check = ({ path, schema }) => {
  if (path !== ".metadata") return [];
  const restricted = Object.keys(schema.properties ?? {}).filter((name) => !["name", "generateName"].includes(name));
  return restricted.map((name) => `metadata.${name} cannot be restricted`);
};

const CHECKS: readonly Check[] = [
  hasOneType,
  usesNoForbiddenKeyword,
  keepsLogicalPartsBare,
  isBounded,
  declaresListType,
  rulesExplainThemselves,
  isDescribed,
  hasNoDefault,
  leavesMetadataAlone,
];
