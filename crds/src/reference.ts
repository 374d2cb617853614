/** The API reference page, from the same schemas and tables as everything else. Pure. */
import {
  ARCHIVE_NODE_CONDITIONS,
  type ConditionDefinition,
  FEDERATION_PEER_CONDITIONS,
  SYNC_POLICY_CONDITIONS,
} from "./conditions.ts";
import { NOT_IMPLEMENTED } from "./implemented.ts";
import type { KindDefinition } from "./kind.ts";
import { KINDS, type KindName } from "./kinds.ts";
import { API_VERSION, CATEGORY } from "./labels.ts";
import { type JsonSchema, walk } from "./schema/json-schema.ts";
import type { CelRule } from "./schema/structure.ts";

const CONDITIONS: Readonly<Record<KindName, Readonly<Record<string, ConditionDefinition>>>> = {
  ArchiveNode: ARCHIVE_NODE_CONDITIONS,
  FederationPeer: FEDERATION_PEER_CONDITIONS,
  SyncPolicy: SYNC_POLICY_CONDITIONS,
};

const INTRODUCTION = `# API reference

Made by \`npm run generate\` from \`crds/src\`. Do not edit.

Group and version: \`${API_VERSION}\`. All kinds are namespaced, and references stay inside the namespace.
\`kubectl get ${CATEGORY}\` lists all of them; \`kubectl explain archivenode.spec\` shows this page in a terminal.

- A field that is not set stays unset: the operator never writes into \`spec\`. The column *when absent* tells what holds then.
- *Later* marks fields that are accepted and without effect in this release. An object that sets one says so in its
  \`Accepted\` condition, with reason \`NotImplementedFields\`.
- Durations are written as \`90s\`, \`5m\`, \`1h30m\`; quantities as \`20Gi\` or \`500M\`; times as \`2026-01-31T12:00:00Z\`.
- \`kubectl wait --for=condition=Ready\` works on every kind.
`;

export function referencePage(): string {
  const kinds = Object.values(KINDS).map((definition: KindDefinition) => kindSection(definition.kind as KindName));
  return `${[INTRODUCTION, ...kinds].join("\n")}`;
}

function kindSection(name: KindName): string {
  const definition: KindDefinition = KINDS[name];
  return [
    `## ${name}`,
    "",
    definition.description,
    "",
    `Short name \`${definition.shortNames.join("`, `")}\`. Subresources: status${definition.scale === undefined ? "" : ", scale"}.`,
    "",
    columnsTable(definition),
    fieldTables(name, "spec", definition.spec as JsonSchema),
    rulesTable(definition),
    fieldTables(name, "status", definition.status as JsonSchema),
    conditionTables(CONDITIONS[name]),
  ].join("\n");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return `${[line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n")}\n`;
}

function columnsTable({ columns }: KindDefinition): string {
  const rows = columns.map(({ name, jsonPath, priority, description = "" }) => [
    name,
    `\`${jsonPath}\``,
    priority === undefined ? "always" : "`-o wide`",
    description,
  ]);
  return `### What \`kubectl get\` shows\n\n${table(["column", "from", "shown", "note"], rows)}`;
}

/** One table of the simple fields, then one for each field that has fields of its own. */
function fieldTables(kind: KindName, part: "spec" | "status", schema: JsonSchema): string {
  const fields = Object.entries(schema.properties ?? {});
  const nested = fields.filter(([, field]) => hasOwnFields(field));
  const required = schema.required ?? [];
  const overview = fields.map(([name, field]) =>
    fieldRow(kind, `${part}.${name}`, name, field, required.includes(name)),
  );
  return [
    `### ${part}\n`,
    `${schema.description}\n`,
    table(FIELD_HEAD, overview),
    ...nested.map(([name, field]) => nestedTable(kind, `${part}.${name}`, field)),
  ].join("\n");
}

const FIELD_HEAD = ["field", "type and bounds", "when absent", "meaning"];

function nestedTable(kind: KindName, path: string, schema: JsonSchema): string {
  return `#### ${path}\n\n${table(FIELD_HEAD, nestedRows(kind, path, "", schema))}`;
}

function nestedRows(kind: KindName, path: string, prefix: string, schema: JsonSchema): string[][] {
  const owner = schema.items ?? schema;
  const inner = schema.items === undefined ? "" : "[]";
  return Object.entries(owner.properties ?? {}).flatMap(([name, field]) => {
    const shown = `${prefix}${name}`;
    const full = `${path}${inner}.${name}`;
    const row = fieldRow(kind, full, shown, field, owner.required?.includes(name) === true);
    const below = field.items === undefined ? `${shown}.` : `${shown}[].`;
    return hasOwnFields(field) ? [row, ...nestedRows(kind, full, below, field)] : [row];
  });
}

function fieldRow(kind: KindName, path: string, shown: string, schema: JsonSchema, required: boolean): string[] {
  const later = NOT_IMPLEMENTED[kind].includes(path) ? "*Later.* " : "";
  const absent = required ? "**required**" : (schema["x-absent"] ?? "");
  return [`\`${shown}\``, typeOf(schema), absent, `${later}${schema.description ?? ""}`];
}

/** A selector is known to everyone who uses Kubernetes; its fields would hide ours. */
function isSelector(schema: JsonSchema): boolean {
  return Object.keys(schema.properties ?? {}).join() === "matchLabels,matchExpressions";
}

function hasOwnFields(schema: JsonSchema): boolean {
  const owner = schema.items ?? schema;
  return owner.properties !== undefined && !isSelector(owner);
}

function typeOf(schema: JsonSchema): string {
  if (isSelector(schema)) return "label selector";
  if (schema["x-kubernetes-int-or-string"] === true) return "quantity";
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(", ");
  if (schema.type === "array") return listType(schema);
  if (schema.type === "string") return `string${range(schema, "minLength", "maxLength")}${patternOf(schema)}`;
  if (schema.type === "integer") return `integer${range(schema, "minimum", "maximum")}`;
  if (typeof schema.additionalProperties === "object") return `map to ${typeOf(schema.additionalProperties)}`;
  return String(schema.type);
}

function listType(schema: JsonSchema): string {
  const of = schema.items === undefined ? "" : ` of ${typeOf(schema.items)}`;
  const keys = schema["x-kubernetes-list-map-keys"] as readonly string[] | undefined;
  const keyed = keys === undefined ? "" : ` by \`${keys.join()}\``;
  return `${schema["x-kubernetes-list-type"] === "set" ? "set" : "list"}${of}${keyed}${range(schema, "minItems", "maxItems")}`;
}

function range(schema: JsonSchema, low: string, high: string): string {
  const [from, to] = [schema[low], schema[high]];
  if (typeof to !== "number" || to === Number.MAX_SAFE_INTEGER) return "";
  return typeof from === "number" ? ` ${from}…${to}` : ` ≤ ${to}`;
}

function patternOf(schema: JsonSchema): string {
  const pattern = schema["pattern"];
  return typeof pattern === "string" ? `, \`${pattern}\`` : "";
}

function rulesTable(definition: KindDefinition): string {
  const root = (definition.rootRules ?? []).map((rule) => ["metadata", rule] as const);
  const inSpec = walk(definition.spec as JsonSchema, "spec").flatMap(({ path, schema }) =>
    (schema["x-cel"] ?? []).map((rule) => [path, rule] as const),
  );
  const when = (rule: CelRule) => (rule.rule.includes("oldSelf") ? "on change" : "always");
  const rows = [...root, ...inSpec].map(([path, rule]) => [
    `\`${path}\``,
    when(rule),
    rule.message,
    `\`${rule.rule}\``,
  ]);
  return `### Rules\n\nThe API server refuses what breaks one of these, with the message below.\n\n${table(["at", "checked", "message", "rule (CEL)"], rows)}`;
}

function conditionTables(conditions: Readonly<Record<string, ConditionDefinition>>): string {
  const rows = Object.entries(conditions).flatMap(([type, { meaning, reasons }]) => [
    [`**${type}**`, "", meaning],
    ...Object.entries(reasons).map(([reason, whatToDo]) => ["", `\`${reason}\``, whatToDo]),
  ]);
  return `### Conditions\n\n${table(["condition", "reason", "meaning and what to do"], rows)}`;
}
