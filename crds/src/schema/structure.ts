/**
 * Constructors of structural schemas, the only form the API server takes. A kind written with them cannot contain a
 * union, a `$ref`, an unbounded list, string or map, or a default nobody asked for; what they produce is TypeBox, so
 * types and validators come from the same value.
 *
 * Two keywords exist only between here and manifest.ts: `x-absent` (what holds when the field is not set; joined to
 * the description) and `x-cel` (rules, emitted as `x-kubernetes-validations`).
 */
import Type, { type TObject, type TOptional, type TProperties, type TSchema, type TUnsafe } from "typebox";

/** Why a rule refused, as the API server reports it to clients. */
export type CelReason = "FieldValueInvalid" | "FieldValueForbidden" | "FieldValueRequired" | "FieldValueDuplicate";

/** One rule in the Common Expression Language. Mentioning `oldSelf` makes it a transition rule (updates only). */
export interface CelRule {
  /** Stable name, unique over all kinds: tests and the reference page refer to it. */
  readonly id: string;
  readonly rule: string;
  /** Tells which field to change. */
  readonly message: string;
  /** Path below the schema that carries the rule, e.g. `.storage.className`. */
  readonly fieldPath?: string;
  readonly reason?: CelReason;
}

/** What every constructor takes beside the bounds. */
export interface Docs {
  readonly description: string;
  /** The effective value when the field is not set; a full sentence without "Absent:". */
  readonly absent?: string;
  readonly cel?: readonly CelRule[];
}

/** Keywords common to all schemas. */
export function annotations(docs: Docs): Record<string, unknown> {
  return {
    description: docs.description,
    ...(docs.absent === undefined ? {} : { "x-absent": docs.absent }),
    ...(docs.cel === undefined ? {} : { "x-cel": docs.cel }),
  };
}

/** Declares a rule. The message must name a field, so that whoever is refused knows what to change. */
export function cel(rule: CelRule): CelRule {
  return rule;
}

type NoFields = Record<never, never>;
type Optionals<P extends TProperties> = { [K in keyof P]: TOptional<P[K]> };

/** An object with named fields; unknown ones are pruned by the API server. */
export function object<R extends TProperties = NoFields, O extends TProperties = NoFields>(
  docs: Docs & { readonly atomic?: true },
  fields: { readonly required?: R; readonly optional?: O },
): TObject<R & Optionals<O>> {
  const optional = Object.fromEntries(
    Object.entries(fields.optional ?? {}).map(([name, schema]) => [name, Type.Optional(schema)]),
  );
  const properties = { ...fields.required, ...optional } as unknown as R & Optionals<O>;
  return Type.Object(properties, {
    ...annotations(docs),
    ...(docs.atomic === true ? { "x-kubernetes-map-type": "atomic" } : {}),
  });
}

export interface StringBounds {
  readonly maxLength: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly format?: "date-time";
}

export function string(docs: Docs, bounds: StringBounds): TUnsafe<string> {
  return Type.Unsafe<string>({ type: "string", ...bounds, ...annotations(docs) });
}

/** A closed set of words. Values are never removed: the compatibility gate compares with released manifests. */
export function enumOf<const V extends string>(docs: Docs, values: readonly V[]): TUnsafe<V> {
  const maxLength = Math.max(...values.map((value) => value.length));
  return Type.Unsafe<V>({ type: "string", enum: [...values], maxLength, ...annotations(docs) });
}

export interface IntegerBounds {
  readonly minimum: number;
  readonly maximum: number;
  /** The one default the API needs: see `ArchiveNode.spec.replicas`. */
  readonly default?: number;
}

/** An integer; `int64` when a bound needs it. Bounds stay inside what a JavaScript number holds exactly. */
export function integer(docs: Docs, bounds: IntegerBounds): TUnsafe<number> {
  const format = bounds.maximum > 2 ** 31 - 1 ? "int64" : "int32";
  return Type.Unsafe<number>({ type: "integer", format, ...bounds, ...annotations(docs) });
}

export function boolean(docs: Docs): TUnsafe<boolean> {
  return Type.Unsafe<boolean>({ type: "boolean", ...annotations(docs) });
}

export interface ListBounds {
  readonly maxItems: number;
  readonly minItems?: number;
}

type ListOf<S extends TSchema> = ReturnType<typeof Type.Array<S>>;

/** A list with one writer, replaced whole. */
export function atomicList<S extends TSchema>(docs: Docs, items: S, bounds: ListBounds): ListOf<S> {
  return Type.Array(items, { ...bounds, "x-kubernetes-list-type": "atomic", ...annotations(docs) });
}

/** Scalars without order or repetition; several writers may each own some. */
export function set<S extends TUnsafe<string>>(docs: Docs, items: S, bounds: ListBounds): ListOf<S> {
  return Type.Array(items, { ...bounds, "x-kubernetes-list-type": "set", ...annotations(docs) });
}

/** Objects told apart by one required field; several writers may each own some. */
export function mapList<K extends string, P extends Record<K, TSchema>>(
  docs: Docs,
  key: K,
  items: TObject<P>,
  bounds: ListBounds,
): ListOf<TObject<P>> {
  return Type.Array(items, {
    ...bounds,
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": [key],
    ...annotations(docs),
  });
}

/** Free keys, as labels have them. */
export function map<V>(
  docs: Docs,
  values: TUnsafe<V>,
  bounds: { readonly maxProperties: number },
): TUnsafe<Record<string, V>> {
  return Type.Unsafe<Record<string, V>>({
    type: "object",
    additionalProperties: values,
    ...bounds,
    ...annotations(docs),
  });
}

/** A quantity-like value: a number or a string. */
export function intOrString(docs: Docs, bounds: StringBounds): TUnsafe<number | string> {
  return Type.Unsafe<number | string>({
    "x-kubernetes-int-or-string": true,
    anyOf: [{ type: "integer" }, { type: "string" }],
    ...bounds,
    ...annotations(docs),
  });
}
