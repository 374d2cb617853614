/** How the reference page writes types: formats by name, everything else with its bounds. Pure. */
import { cron, dataKey, duration, labelName, nodeID, objectName, quantity, time, url } from "./schema/formats.ts";
import type { JsonSchema } from "./schema/json-schema.ts";
import { cronRule } from "./schema/meaning.ts";

interface Format {
  readonly name: string;
  readonly written: string;
  readonly pattern: unknown;
}

const MAX_INT32 = 2 ** 31 - 1;
/** The name stands for pattern and lengths together, which is why the schema itself is asked for them. */
const format = (name: string, written: string, schema: unknown): Format => ({
  name,
  written,
  pattern: (schema as JsonSchema)["pattern"],
});
const docs = { description: "" };

const FORMATS: readonly Format[] = [
  format("duration", "`90s`, `5m`, `1h30m`, `500ms`; a day is `24h`", duration(docs)),
  format("time", "`2026-01-31T12:00:00Z`: UTC, whole seconds", time(docs)),
  format("quantity", "`20Gi`, `500M`, `100m`, or a plain number", quantity(docs)),
  format(
    "schedule",
    "five cron fields such as `0 3 * * *`, or `@hourly`, `@daily`, `@weekly`, `@monthly`",
    cron(cronRule("", ""), docs),
  ),
  format("URL", "`https://archive.example:8443`; http where the text allows it", url(docs)),
  format("node id", "64 lower-case hexadecimal digits, as in `status.nodeID` of an ArchiveNode", nodeID(docs)),
  format("object name", "lower-case letters, digits, `-` and `.`, at most 253 characters", objectName(docs)),
  format("name", "lower-case letters, digits and `-`, at most 63 characters", labelName(docs)),
  format("data key", "letters, digits, `-`, `_` and `.`, as Secrets have", dataKey(docs)),
];

/** Name, example and regular expression of each format, for the page's own table. */
export function formatRows(): readonly (readonly string[])[] {
  return FORMATS.map(({ name, written, pattern }) => [name, written, `\`${String(pattern)}\``]);
}

/** A selector is known to everyone who uses Kubernetes; its fields would hide ours. */
export function isSelector(schema: JsonSchema): boolean {
  return Object.keys(schema.properties ?? {}).join() === "matchLabels,matchExpressions";
}

export function typeOf(schema: JsonSchema): string {
  const known = FORMATS.find(({ pattern }) => pattern !== undefined && pattern === schema["pattern"]);
  if (known !== undefined) return known.name;
  if (isSelector(schema)) return "label selector";
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
  const kind = schema["x-kubernetes-list-type"] === "set" ? "set" : "list";
  return `${kind}${of}${keyed}, ${countOf(schema["minItems"], schema["maxItems"])}`;
}

function countOf(from: unknown, to: unknown): string {
  if (typeof from === "number" && from > 0) return `${from} to ${String(to)} items`;
  return `at most ${String(to)} items`;
}

/** Bounds; those that only say how wide the integer is are left out. */
function range(schema: JsonSchema, low: string, high: string): string {
  const [from, to] = [schema[low], schema[high]];
  if (typeof to !== "number" || to >= MAX_INT32) return "";
  return typeof from === "number" ? ` ${from}…${to}` : ` ≤ ${to}`;
}

function patternOf(schema: JsonSchema): string {
  const pattern = schema["pattern"];
  return typeof pattern === "string" ? `, \`${pattern}\`` : "";
}
