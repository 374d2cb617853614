/** Fields whose form is fixed by Kubernetes or a standard: quantities, durations, times, URLs, references, selectors. */
import {
  atomicList,
  type CelRule,
  type Docs,
  enumOf,
  integer,
  intOrString,
  map,
  mapList,
  object,
  set,
  string,
} from "./structure.ts";

/** Most conditions any kind carries. */
const MAX_CONDITIONS = 16;

/** Amount such as `20Gi`; the pattern is that of `resource.Quantity` without a sign. */
export function quantity(docs: Docs) {
  return intOrString(docs, {
    maxLength: 32,
    pattern: "^([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(([KMGTPE]i)|[numkMGTPE]|([eE][+-]?[0-9]+))?$",
  });
}

/**
 * Duration in the Go form, limited as Gateway API limits it so that it survives every parser: whole numbers, units `h m s
 * ms`, at most four parts.
 *
 * @see https://gateway-api.sigs.k8s.io/geps/gep-2257/
 */
export function duration(docs: Docs) {
  return string(docs, { minLength: 2, maxLength: 32, pattern: "^([0-9]{1,5}(h|m|s|ms)){1,4}$" });
}

/** RFC 3339 in UTC, whole seconds. */
export function time(docs: Docs) {
  return string(docs, {
    maxLength: 20,
    pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
    format: "date-time",
  });
}

/** Five fields of cron, or a name such as `@daily`; read in `timeZone` where there is one, else in UTC. */
export function cron(rule: CelRule, docs: Docs) {
  return string(
    { ...docs, cel: [rule] },
    { minLength: 6, maxLength: 128, pattern: "^(@[a-z]+|[-0-9A-Za-z*/,?#]+( +[-0-9A-Za-z*/,?#]+){4})$" },
  );
}

/** Any absolute http(s) URL. Where TLS is a must, a CEL rule says so with a message of its own. */
export function url(docs: Docs) {
  return string(docs, { maxLength: 2048, minLength: 10, pattern: "^https?://[^\\s]+$" });
}

/** Address of a peer or of this node: a URL whose form is enforced by the rules of meaning.ts. */
export function address(docs: Docs) {
  return string(docs, { maxLength: 2048, minLength: 1 });
}

export function nodeID(docs: Docs) {
  return string(docs, { minLength: 64, maxLength: 128, pattern: "^[0-9a-f]{64}$" });
}

/** Name of an object of the same namespace. */
export function objectName(docs: Docs) {
  return string(docs, { minLength: 1, maxLength: 253, pattern: "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$" });
}

/** A short name inside a list, as a DNS label. */
export function labelName(docs: Docs) {
  return string(docs, { minLength: 1, maxLength: 63, pattern: "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$" });
}

/** Key inside a Secret or ConfigMap. */
export function dataKey(docs: Docs) {
  return string(docs, { minLength: 1, maxLength: 253, pattern: "^[-._a-zA-Z0-9]+$" });
}

/** Reference by name; never leaves the namespace. */
export function reference(docs: Docs) {
  return object(
    { ...docs, atomic: true },
    { required: { name: objectName({ description: "Name of the object, in this namespace." }) } },
  );
}

/** Label keys and values as Kubernetes bounds them: prefix 253, slash, name 63; value 63. */
const LABEL_KEY = { minLength: 1, maxLength: 317 } as const;
const LABEL_VALUE = { maxLength: 63, pattern: "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$" } as const;

export function labels(docs: Docs) {
  return map(docs, string({ description: "Label value." }, LABEL_VALUE), { maxProperties: 64 });
}

export function annotationMap(docs: Docs) {
  return map(docs, string({ description: "Annotation value." }, { maxLength: 8192 }), { maxProperties: 64 });
}

/** Selector of the API conventions: an empty one matches everything, an absent one is said in `docs.absent`. */
export function labelSelector(docs: Docs) {
  return object(
    { ...docs, atomic: true },
    {
      optional: {
        matchLabels: labels({ description: "Labels that must all be there with these values." }),
        matchExpressions: atomicList(
          { description: "Requirements that must all hold." },
          object(
            { description: "One requirement." },
            {
              required: {
                key: string({ description: "Label key." }, LABEL_KEY),
                operator: enumOf({ description: "How key and values relate." }, [
                  "In",
                  "NotIn",
                  "Exists",
                  "DoesNotExist",
                ]),
              },
              optional: {
                values: set(
                  { description: "Values for In and NotIn; none for the others." },
                  string({ description: "Label value." }, LABEL_VALUE),
                  { maxItems: 64 },
                ),
              },
            },
          ),
          { maxItems: 32 },
        ),
      },
    },
  );
}

/** `status.conditions`, keyed by type. */
export function conditions<const T extends string>(types: readonly T[]) {
  return mapList(
    { description: "State of the object; see the table of conditions for what to do about each." },
    "type",
    object(
      { description: "One condition." },
      {
        required: {
          type: enumTyped<T>({ description: `One of ${types.join(", ")}.` }),
          status: enumOf({ description: "Whether it holds." }, ["True", "False", "Unknown"]),
          reason: string(
            { description: "Why, as one word." },
            { minLength: 1, maxLength: 1024, pattern: "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$" },
          ),
          message: string(
            { description: "Why, for people; of a negative condition also what to do." },
            { maxLength: 32_768 },
          ),
          lastTransitionTime: time({ description: "When `status` changed last." }),
        },
        optional: { observedGeneration: generation({ description: "The generation this condition is about." }) },
      },
    ),
    { maxItems: MAX_CONDITIONS },
  );
}

/** Not an enum in the schema: an older API server manifest must take the conditions of a newer operator. */
function enumTyped<T extends string>(docs: Docs) {
  return string(docs, { minLength: 1, maxLength: 316 }) as unknown as ReturnType<typeof enumOf<T>>;
}

/** Largest integer that JSON readers in JavaScript keep exact. */
const MAX_SAFE = Number.MAX_SAFE_INTEGER;

export function generation(docs: Docs) {
  return integer(docs, { minimum: 0, maximum: MAX_SAFE });
}

/** A number that only grows, e.g. of documents. */
export function sequence(docs: Docs) {
  return integer(docs, { minimum: 0, maximum: MAX_SAFE });
}

export function count(docs: Docs) {
  return integer(docs, { minimum: 0, maximum: 2_147_483_647 });
}
