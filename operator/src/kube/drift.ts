/**
 * Whether a live object still holds every leaf of the document we would apply. Pure.
 *
 * Fields we do not set are not ours and never count. What the server drops or rewrites without changing the meaning
 * (empty values, quantities, lists merged by key) counts as equal; a false "equal" would leave drift unrepaired, a
 * false "different" would write for ever, so the rules are narrow.
 */

type Json = unknown;
type JsonObject = Readonly<Record<string, Json>>;

/** Maps whose values are quantities, and single fields that are one. */
const QUANTITY_MAPS: ReadonlySet<string> = new Set(["limits", "requests", "capacity", "hard"]);
const QUANTITY_FIELDS: ReadonlySet<string> = new Set(["sizeLimit", "divisor"]);
/** Keys by which the API server merges lists of objects, the most telling first. Other lists are replaced whole. */
const MERGE_KEYS = ["uid", "name", "containerPort", "mountPath", "topologyKey", "type", "ip"] as const;
/** Rules of a NetworkPolicy: replaced whole, and one field more lets somebody else in or keeps somebody out. */
const WHOLE: ReadonlySet<string> = new Set(["spec.ingress", "spec.egress"]);
/** What stands in such rules for nothing said, written in or left out by the API server. */
const RULE_DEFAULTS: JsonObject = { protocol: "TCP", matchLabels: {} };
/** Left out they mean true, so the server keeps their `false`. */
const TRUE_WHEN_ABSENT: ReadonlySet<string> = new Set([
  "automountServiceAccountToken",
  "enableServiceLinks",
  "allowPrivilegeEscalation",
]);

/** Path of the first leaf that differs, such as `spec.ports[0].port`; `undefined` when nothing drifted. */
export function firstDrift(desired: Json, live: Json, path = ""): string | undefined {
  if (saysNothing(desired, live, path)) return undefined;
  if (isObject(desired)) return isObject(live) ? objectDrift(desired, live, path) : path;
  if (Array.isArray(desired)) return Array.isArray(live) ? listDrift(desired, live, path) : path;
  if (desired === live) return undefined;
  return isQuantityPath(path) && sameQuantity(desired, live) ? undefined : path;
}

/** Both are empty, and an absent one would mean the same. */
function saysNothing(desired: Json, live: Json, path: string): boolean {
  const isMeant = desired === false && live !== false && TRUE_WHEN_ABSENT.has(path.split(".").at(-1) ?? "");
  return !isMeant && isEmpty(desired) && isEmpty(live);
}

/** Equal both ways, but for empty lists and for what the server fills in. */
function isSameRule(desired: Json, live: Json): boolean {
  if (isObject(desired) && isObject(live))
    return Object.keys({ ...desired, ...live }).every((name) =>
      isSameRule(desired[name] ?? RULE_DEFAULTS[name], live[name] ?? RULE_DEFAULTS[name]),
    );
  const [left, right] = [desired ?? [], live ?? []];
  if (!Array.isArray(left) || !Array.isArray(right)) return left === right;
  return left.length === right.length && left.every((item, index) => isSameRule(item, right[index]));
}

function objectDrift(desired: JsonObject, live: JsonObject, path: string): string | undefined {
  for (const [name, value] of Object.entries(desired)) {
    const found = firstDrift(value, live[name], path === "" ? name : `${path}.${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function listDrift(desired: readonly Json[], live: readonly Json[], path: string): string | undefined {
  if (WHOLE.has(path)) return isSameRule(desired, live) ? undefined : path;
  const key = mergeKeyOf(desired);
  if (key !== undefined) return keyedDrift(desired as readonly JsonObject[], live, { key, path });
  if (path === "metadata.finalizers") return desired.every((item) => live.includes(item)) ? undefined : path;
  if (desired.length !== live.length) return path;
  for (const [index, item] of desired.entries()) {
    const found = firstDrift(item, live[index], `${path}[${index}]`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function keyedDrift(
  desired: readonly JsonObject[],
  live: readonly Json[],
  at: { readonly key: string; readonly path: string },
): string | undefined {
  for (const [index, item] of desired.entries()) {
    const twin = live.find((other) => isObject(other) && other[at.key] === item[at.key]);
    const found = twin === undefined ? `${at.path}[${index}]` : firstDrift(item, twin, `${at.path}[${index}]`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A key every item has, with a different value in each. */
function mergeKeyOf(list: readonly Json[]): string | undefined {
  if (list.length === 0 || !list.every(isObject)) return undefined;
  return MERGE_KEYS.find((key) => {
    const values = new Set(list.map((item) => item[key]));
    return values.size === list.length && !values.has(undefined);
  });
}

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Values that Go's `omitempty` drops, so their absence is the same. */
function isEmpty(value: Json): boolean {
  if (value === undefined || value === null || value === "" || value === false || value === 0) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && Object.values(value).every(isEmpty);
}

function isQuantityPath(path: string): boolean {
  const parts = path.split(".");
  return QUANTITY_MAPS.has(parts.at(-2) ?? "") || QUANTITY_FIELDS.has(parts.at(-1) ?? "");
}

const QUANTITY = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:e([+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/i;
const DECIMAL = new Map([
  ["n", -9],
  ["u", -6],
  ["m", -3],
  ["k", 3],
  ["M", 6],
  ["G", 9],
  ["T", 12],
  ["P", 15],
  ["E", 18],
]);
const BINARY = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

function sameQuantity(left: Json, right: Json): boolean {
  const [a, b] = [quantityValue(left), quantityValue(right)];
  return a !== undefined && b !== undefined && Math.abs(a - b) <= 1e-12 * Math.max(Math.abs(a), Math.abs(b));
}

/** @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
function quantityValue(value: Json): number | undefined {
  if (typeof value === "number") return value;
  const match = typeof value === "string" ? QUANTITY.exec(value) : null;
  if (match === null) return undefined;
  const [, digits = "", exponent, suffix] = match;
  if (suffix === undefined) return Number(`${digits}e${exponent ?? "0"}`);
  const binary = BINARY.indexOf(suffix);
  if (binary !== -1) return Number(digits) * 1024 ** (binary + 1);
  const power = DECIMAL.get(suffix);
  return power === undefined ? undefined : Number(`${digits}e${power}`);
}
