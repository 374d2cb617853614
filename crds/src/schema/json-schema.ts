/** A schema as plain data, and a walk over it; what manifest, lint, compatibility gate and reference page share. */
import type { CelRule } from "./structure.ts";

export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly enum?: readonly string[];
  readonly "x-cel"?: readonly CelRule[];
  readonly "x-absent"?: string;
  readonly [keyword: string]: unknown;
}

/** A schema and where it is: `.spec.collections[].name`; `[*]` stands for the values of a map. */
export interface SchemaAt {
  readonly path: string;
  readonly schema: JsonSchema;
}

/** The schema itself and everything below it, parents first. */
export function walk(schema: JsonSchema, path = ""): readonly SchemaAt[] {
  const values = schema.additionalProperties;
  return [
    { path, schema },
    ...Object.entries(schema.properties ?? {}).flatMap(([name, child]) => walk(child, `${path}.${name}`)),
    ...(schema.items === undefined ? [] : walk(schema.items, `${path}[]`)),
    ...(typeof values === "object" ? walk(values, `${path}[*]`) : []),
  ];
}
