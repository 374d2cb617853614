/**
 * The gate between a released CustomResourceDefinition and the next one: objects that were valid, and programs that read
 * and write them, must stay so. Additions are free; what is listed here is not.
 */
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from "./manifest.ts";
import { type JsonSchema, walk } from "./schema/json-schema.ts";

export interface Incompatibility {
  readonly path: string;
  readonly change: string;
}

/** A smaller value, or a first one, refuses what was accepted. */
const UPPER_BOUNDS = ["maxLength", "maxItems", "maxProperties", "maximum"];
/** A larger value, or a first one, refuses what was accepted. */
const LOWER_BOUNDS = ["minLength", "minItems", "minProperties", "minimum"];
/** Any change refuses something, or changes how writers merge or how stored objects read. */
const FIXED = [
  "type",
  "format",
  "pattern",
  "default",
  "x-kubernetes-list-type",
  "x-kubernetes-map-type",
  "x-kubernetes-int-or-string",
  "x-kubernetes-preserve-unknown-fields",
];

/** Everything in `next` that breaks users of `released`; empty means that it may be published. */
export function incompatibilities(
  released: CustomResourceDefinition,
  next: CustomResourceDefinition,
): readonly Incompatibility[] {
  return [
    ...changed("names", withoutAdditions(released), withoutAdditions(next)),
    ...released.spec.versions.flatMap((before) => {
      const after = next.spec.versions.find((version) => version.name === before.name);
      if (after?.served !== true) return [{ path: before.name, change: "version no longer served" }];
      return [...subresourceChanges(before, after), ...schemaChanges(before, after)];
    }),
  ];
}

/** Short names may be added; the rest of the names is in users' scripts and RBAC rules. */
function withoutAdditions({ spec }: CustomResourceDefinition): object {
  const { kind, plural, singular } = spec.names;
  return { group: spec.group, scope: spec.scope, kind, plural, singular };
}

function subresourceChanges(
  before: CustomResourceDefinitionVersion,
  after: CustomResourceDefinitionVersion,
): readonly Incompatibility[] {
  return [
    ...changed("subresources.status", before.subresources.status, after.subresources.status),
    ...(before.subresources.scale === undefined
      ? []
      : changed("subresources.scale", before.subresources.scale, after.subresources.scale)),
  ];
}

function changed(path: string, before: unknown, after: unknown): readonly Incompatibility[] {
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ path, change: "changed" }];
}

function schemaChanges(
  before: CustomResourceDefinitionVersion,
  after: CustomResourceDefinitionVersion,
): readonly Incompatibility[] {
  const now = new Map(walk(after.schema.openAPIV3Schema).map(({ path, schema }) => [path, schema]));
  return walk(before.schema.openAPIV3Schema).flatMap(({ path, schema }) => {
    const next = now.get(path);
    const at = path === "" ? "." : path;
    if (next === undefined) return [{ path: at, change: "field removed" }];
    return fieldChanges(schema, next).map((change) => ({ path: at, change }));
  });
}

function fieldChanges(before: JsonSchema, after: JsonSchema): readonly string[] {
  return [
    ...FIXED.filter((keyword) => before[keyword] !== after[keyword]).map((keyword) => `${keyword} changed`),
    ...UPPER_BOUNDS.filter((keyword) => bound(after, keyword, Infinity) < bound(before, keyword, Infinity)).map(
      tightened,
    ),
    ...LOWER_BOUNDS.filter((keyword) => bound(after, keyword, -Infinity) > bound(before, keyword, -Infinity)).map(
      tightened,
    ),
    ...mapKeyChange(before, after),
    ...enumChanges(before, after),
    ...added(after.required, before.required).map((name) => `${name} became required`),
    ...added(rulesOf(after), rulesOf(before)).map((rule) => `rule added or changed: ${rule}`),
  ];
}

const tightened = (keyword: string) => `${keyword} tightened`;

function bound(schema: JsonSchema, keyword: string, absent: number): number {
  const value = schema[keyword];
  return typeof value === "number" ? value : absent;
}

function mapKeyChange(before: JsonSchema, after: JsonSchema): readonly string[] {
  const keys = "x-kubernetes-list-map-keys";
  return JSON.stringify(before[keys]) === JSON.stringify(after[keys]) ? [] : [`${keys} changed`];
}

function enumChanges(before: JsonSchema, after: JsonSchema): readonly string[] {
  if (after.enum === undefined) return [];
  if (before.enum === undefined) return ["enum added"];
  return added(before.enum, after.enum).map((value) => `enum value ${value} removed`);
}

function rulesOf(schema: JsonSchema): readonly string[] {
  return ((schema["x-kubernetes-validations"] ?? []) as readonly { rule: string }[]).map(({ rule }) => rule);
}

/** What `list` has and `reference` has not. */
function added(list: readonly string[] = [], reference: readonly string[] = []): readonly string[] {
  return list.filter((value) => !reference.includes(value));
}
