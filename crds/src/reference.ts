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
import { formatRows, isSelector, typeOf } from "./reference-types.ts";
import { type JsonSchema, walk } from "./schema/json-schema.ts";
import type { CelRule } from "./schema/structure.ts";

const CONDITIONS: Readonly<Record<KindName, Readonly<Record<string, ConditionDefinition>>>> = {
  ArchiveNode: ARCHIVE_NODE_CONDITIONS,
  FederationPeer: FEDERATION_PEER_CONDITIONS,
  SyncPolicy: SYNC_POLICY_CONDITIONS,
};

/** Files of `crds/samples/` to begin with, by kind. */
const SAMPLES: Readonly<Record<KindName, readonly string[]>> = {
  ArchiveNode: ["archivenode.yaml", "archivenode-production.yaml"],
  FederationPeer: ["federationpeer.yaml"],
  SyncPolicy: ["syncpolicy.yaml"],
};

const INTRODUCTION = `# API reference

Made by \`npm run generate\` from \`crds/src\`. Do not edit.

Group and version: \`${API_VERSION}\`. All kinds are namespaced, and references stay inside the namespace.
\`kubectl get ${CATEGORY}\` lists all of them; \`kubectl explain archivenode.spec\` shows this page in a terminal, and
\`kubectl wait --for=condition=Ready archivenode/NAME\` waits until an archive serves.

| kind | what it is | to begin with |
| --- | --- | --- |
${Object.values(KINDS).map(kindRow).join("\n")}

## How to read this page

- No field of \`spec\` is required unless the page says so, and one that is not set stays unset: the operator never writes
  into \`spec\`. The column *when absent* tells what holds then.
- *Later* marks fields that are accepted and without effect in this release, with everything below them, or values
  of a field whose others work. An object that sets one says so in its \`Accepted\` condition, with reason \`NotImplementedFields\`.
- The API server refuses what breaks a type, a bound or one of the rules listed for each kind; the message names the field.
- The Helm chart adds admission policies (\`admissionPolicies.enabled\`): \`storage.size\` of an ArchiveNode may only grow,
  discovered peers are the operator's but for \`admission\`, and the operator never changes a spec that somebody wrote.

Types with a name of their own:

${table(["type", "written as", "pattern"], formatRows())}`;

export function referencePage(): string {
  const kinds = Object.values(KINDS).map((definition: KindDefinition) => kindSection(definition.kind as KindName));
  return `${[INTRODUCTION, ...kinds].join("\n")}`;
}

function kindRow({ kind, description }: (typeof KINDS)[KindName]): string {
  const samples = SAMPLES[kind].map((file) => `[${file}](samples/${file})`).join(", ");
  return `| [${kind}](#${kind.toLowerCase()}) | ${description} | ${samples} |`;
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
    fieldTable(part, overview),
    ...nested.map(([name, field]) => nestedTable(kind, `${part}.${name}`, field)),
  ].join("\n");
}

const FIELD_HEAD = ["field", "type and bounds", "when absent", "meaning"];

/** What an absent field means is decided in the spec only: status holds what was seen. */
function fieldTable(path: string, rows: readonly (readonly string[])[]): string {
  if (path.startsWith("spec")) return table(FIELD_HEAD, rows);
  const withoutAbsent = (row: readonly string[]) => row.filter((_, column) => FIELD_HEAD[column] !== "when absent");
  return table(withoutAbsent(FIELD_HEAD), rows.map(withoutAbsent));
}

function nestedTable(kind: KindName, path: string, schema: JsonSchema): string {
  const later = NOT_IMPLEMENTED[kind].includes(path) ? "*Later*, all of it.\n\n" : "";
  const each = schema.items === undefined ? "" : "Fields of each item.\n\n";
  return `#### ${path}\n\n${later}${each}${fieldTable(path, nestedRows(kind, path, "", schema))}`;
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
  const later = NOT_IMPLEMENTED[kind].includes(path) ? "*Later.* " : laterValues(kind, path);
  const absent = required ? "**required**" : (schema["x-absent"] ?? absentFields(schema));
  return [`\`${shown}\``, typeOf(schema), absent, `${later}${schema.description ?? ""}`];
}

function laterValues(kind: KindName, path: string): string {
  const values = NOT_IMPLEMENTED[kind].flatMap((one) =>
    one.startsWith(`${path}=`) ? [one.slice(path.length + 1)] : [],
  );
  return values.length === 0 ? "" : `*Later:* \`${values.join("`, `")}\`. `;
}

/** For an object that holds nothing but settings with effective values of their own. */
function absentFields({ properties = {}, required = [] }: JsonSchema): string {
  const fields = Object.values(properties);
  return required.length === 0 && fields.some((field) => field["x-absent"] !== undefined) ? "As its fields say." : "";
}

function hasOwnFields(schema: JsonSchema): boolean {
  const owner = schema.items ?? schema;
  return owner.properties !== undefined && !isSelector(owner);
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
