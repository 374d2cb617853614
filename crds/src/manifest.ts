/** From a kind to the CustomResourceDefinition that the API server takes. Pure; equal input gives equal output. */
import type { KindDefinition } from "./kind.ts";
import { API_VERSION, CATEGORY, GROUP, VERSION } from "./labels.ts";
import type { JsonSchema } from "./schema/json-schema.ts";
import type { CelRule } from "./schema/structure.ts";

export interface CustomResourceDefinitionVersion {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly subresources: { readonly status: object; readonly scale?: object };
  readonly additionalPrinterColumns: readonly object[];
  readonly schema: { readonly openAPIV3Schema: JsonSchema };
}

export interface CustomResourceDefinition {
  readonly apiVersion: "apiextensions.k8s.io/v1";
  readonly kind: "CustomResourceDefinition";
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly group: string;
    readonly scope: "Namespaced" | "Cluster";
    readonly names: {
      readonly kind: string;
      readonly listKind: string;
      readonly plural: string;
      readonly singular: string;
      readonly shortNames: readonly string[];
      readonly categories: readonly string[];
    };
    readonly conversion: { readonly strategy: "None" };
    readonly versions: readonly CustomResourceDefinitionVersion[];
  };
}

export function customResourceDefinition(definition: KindDefinition): CustomResourceDefinition {
  const { kind, plural, singular, shortNames } = definition;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: "Namespaced",
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames, categories: [CATEGORY] },
      conversion: { strategy: "None" },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: {
            status: {},
            ...(definition.scale === undefined ? {} : { scale: definition.scale }),
          },
          additionalPrinterColumns: definition.columns,
          schema: { openAPIV3Schema: rootSchema(definition) },
        },
      ],
    },
  };
}

function rootSchema(definition: KindDefinition): JsonSchema {
  return {
    type: "object",
    description: definition.description,
    required: ["spec"],
    properties: {
      apiVersion: { type: "string", maxLength: 64, description: `\`${API_VERSION}\`.` },
      kind: { type: "string", maxLength: 64, description: `\`${definition.kind}\`.` },
      metadata: { type: "object" },
      spec: emitted(definition.spec as JsonSchema),
      status: emitted(definition.status as JsonSchema),
    },
    ...validations(definition.rootRules),
  };
}

/** Without our own keywords, recursively. */
function emitted(schema: JsonSchema): JsonSchema {
  const { "x-absent": absent, "x-cel": rules, description, properties, items, additionalProperties, ...rest } = schema;
  return {
    ...rest,
    description: absent === undefined ? description : `${description} Absent: ${absent}`,
    ...(properties === undefined ? {} : { properties: emittedProperties(properties) }),
    ...(items === undefined ? {} : { items: emitted(items) }),
    ...(typeof additionalProperties === "object" ? { additionalProperties: emitted(additionalProperties) } : {}),
    ...validations(rules),
  } as JsonSchema;
}

function emittedProperties(properties: Readonly<Record<string, JsonSchema>>): Record<string, JsonSchema> {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, emitted(schema)]));
}

function validations(rules: readonly CelRule[] | undefined): object {
  if (rules === undefined) return {};
  return { "x-kubernetes-validations": rules.map(emittedRule) };
}

/** Without its id, which the API server does not know. */
function emittedRule(rule: CelRule): object {
  return Object.fromEntries(Object.entries(rule).filter(([keyword]) => keyword !== "id"));
}
