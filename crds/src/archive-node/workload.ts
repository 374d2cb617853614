/** Spec of an ArchiveNode, part 4: the pods. */
import { ANNOTATIONS, LABELS } from "../labels.ts";
import { annotationMap, dataKey, labels, objectName, quantity } from "../schema/formats.ts";
import { notOursRule, wholeBytesOfRule } from "../schema/meaning.ts";
import { atomicList, cel, enumOf, integer, map, mapList, object, string } from "../schema/structure.ts";

export const image = object(
  {
    description: "Image of the node program.",
    absent: "The image this operator was released with.",
    cel: [
      cel({
        id: "image-digest-or-tag",
        rule: "!(has(self.digest) && has(self.tag))",
        message: "image takes one of both: remove image.tag (or image.digest)",
        reason: "FieldValueInvalid",
      }),
    ],
  },
  {
    optional: {
      repository: string(
        { description: "Registry and path, without tag.", absent: "The operator's default." },
        { minLength: 1, maxLength: 255, pattern: "^[a-zA-Z0-9][-a-zA-Z0-9._:/]*[a-zA-Z0-9]$" },
      ),
      digest: string(
        { description: "Preferred over a tag: what runs can never change." },
        { maxLength: 71, pattern: "^sha256:[0-9a-f]{64}$" },
      ),
      tag: string(
        { description: "Tag.", absent: "`version`." },
        { maxLength: 128, pattern: "^[a-zA-Z0-9_][-a-zA-Z0-9_.]{0,127}$" },
      ),
      pullPolicy: enumOf({ description: "When the kubelet pulls.", absent: "`IfNotPresent`." }, [
        "Always",
        "IfNotPresent",
        "Never",
      ]),
      pullSecrets: mapList(
        { description: "Credentials for the registry." },
        "name",
        object(
          { description: "One Secret." },
          { required: { name: objectName({ description: "Secret, in this namespace." }) } },
        ),
        { maxItems: 8 },
      ),
    },
  },
);

const amounts = (field: string, description: string) =>
  map(
    { description, cel: [wholeBytesOfRule(`resources-${field}-whole`, `resources.${field}`)] },
    quantity({ description: "Amount." }),
    { maxProperties: 16 },
  );

export const resources = object(
  {
    description: "Resources of the node's container. While it indexes it takes some 500 MB of memory.",
    absent: "100m CPU and 512Mi of memory requested, no limit.",
  },
  {
    optional: {
      requests: amounts("requests", "What the scheduler reserves."),
      limits: amounts("limits", "What may not be exceeded."),
    },
  },
);

const constraint = object(
  { description: "As in a pod's topologySpreadConstraints; the selector is the node's pods." },
  {
    required: {
      topologyKey: string(
        { description: "Label of cluster nodes, e.g. `topology.kubernetes.io/zone`." },
        { minLength: 1, maxLength: 317 },
      ),
      maxSkew: integer({ description: "Largest difference in pods." }, { minimum: 1, maximum: 32 }),
      whenUnsatisfiable: enumOf({ description: "What then." }, ["DoNotSchedule", "ScheduleAnyway"]),
    },
  },
);

export const scheduling = object(
  { description: "Where pods go." },
  {
    optional: {
      topologySpread: object(
        {
          description: "How pods spread over zones and cluster nodes.",
          absent: "`Auto`.",
          cel: [
            cel({
              id: "topology-spread-custom",
              rule: "(has(self.mode) && self.mode == 'Custom') == has(self.constraints)",
              message:
                "scheduling.topologySpread.constraints go with mode Custom: set both, or remove the constraints and use Auto or Disabled",
              fieldPath: ".constraints",
              reason: "FieldValueInvalid",
            }),
          ],
        },
        {
          optional: {
            mode: enumOf(
              {
                description: "`Auto`: by zone, then by host, soft. `Custom`: the constraints below.",
                absent: "`Auto`.",
              },
              ["Auto", "Disabled", "Custom"],
            ),
            constraints: mapList({ description: "Own constraints." }, "topologyKey", constraint, {
              minItems: 1,
              maxItems: 4,
            }),
          },
        },
      ),
    },
  },
);

export const updateStrategy = object(
  { description: "How pods are replaced. A roll-out stops by itself when a new pod does not become ready." },
  {
    optional: {
      type: enumOf({ description: "`OnDelete` waits for a person.", absent: "`RollingUpdate`." }, [
        "RollingUpdate",
        "OnDelete",
      ]),
      maxUnavailable: integer({ description: "Pods replaced at once.", absent: "1." }, { minimum: 1, maximum: 32 }),
      minReadySeconds: integer(
        { description: "How long a new pod must stay ready to count.", absent: "0." },
        { minimum: 0, maximum: 3600 },
      ),
    },
  },
);

const keyReference = (what: string) =>
  object(
    { description: `A key of a ${what}.`, atomic: true },
    {
      required: {
        name: objectName({ description: `${what}, in this namespace.` }),
        key: dataKey({ description: "Key inside it." }),
      },
    },
  );

const environmentVariable = object(
  {
    description: "One variable.",
    cel: [
      cel({
        id: "env-value-or-source",
        rule: "!(has(self.value) && has(self.valueFrom))",
        message: "podTemplate.env[] takes one of both: remove value or valueFrom",
        reason: "FieldValueInvalid",
      }),
    ],
  },
  {
    required: {
      name: string(
        { description: "Its name." },
        { minLength: 1, maxLength: 255, pattern: "^[-._a-zA-Z][-._a-zA-Z0-9]*$" },
      ),
    },
    optional: {
      value: string({ description: "Its value.", absent: "Empty, unless `valueFrom` is set." }, { maxLength: 8192 }),
      valueFrom: object(
        {
          description: "Where the value is.",
          cel: [
            cel({
              id: "env-one-source",
              rule: "has(self.secretKeyRef) != has(self.configMapKeyRef)",
              message: "podTemplate.env[].valueFrom takes one source: set secretKeyRef or configMapKeyRef",
              reason: "FieldValueInvalid",
            }),
          ],
        },
        { optional: { secretKeyRef: keyReference("Secret"), configMapKeyRef: keyReference("ConfigMap") } },
      ),
    },
  },
);

const toleration = object(
  { description: "One toleration, as in a pod." },
  {
    optional: {
      key: string({ description: "Taint key.", absent: "Every key." }, { maxLength: 317 }),
      operator: enumOf({ description: "How the value compares.", absent: "`Equal`." }, ["Exists", "Equal"]),
      value: string({ description: "Taint value." }, { maxLength: 63 }),
      effect: enumOf({ description: "Taint effect.", absent: "Every effect." }, [
        "NoSchedule",
        "PreferNoSchedule",
        "NoExecute",
      ]),
      tolerationSeconds: integer(
        { description: "How long NoExecute is tolerated.", absent: "For ever." },
        { minimum: 0, maximum: 2_147_483_647 },
      ),
    },
  },
);

/** On every child, so on pods too. */
const OUR_POD_LABELS = [
  LABELS.node,
  LABELS.appName,
  LABELS.appInstance,
  LABELS.appManagedBy,
  LABELS.appPartOf,
] as const;
const OUR_POD_ANNOTATIONS = [ANNOTATIONS.configHash] as const;

export const podTemplate = object(
  { description: "What may be set on the pods; deliberately not a whole pod template." },
  {
    optional: {
      metadata: object(
        { description: "The only labels and annotations that reach the pods; none are copied from the ArchiveNode." },
        {
          optional: {
            labels: labels({
              description: "Labels.",
              cel: [notOursRule("pod-labels-not-ours", "podTemplate.metadata.labels", OUR_POD_LABELS)],
            }),
            annotations: annotationMap({
              description: "Annotations.",
              cel: [notOursRule("pod-annotations-not-ours", "podTemplate.metadata.annotations", OUR_POD_ANNOTATIONS)],
            }),
          },
        },
      ),
      priorityClassName: objectName({ description: "PriorityClass." }),
      tolerations: atomicList({ description: "Tolerations." }, toleration, { maxItems: 16 }),
      nodeSelector: labels({ description: "Labels that a cluster node must have to run the pods." }),
      serviceAccountName: objectName({
        description: "ServiceAccount of the pods; no token is mounted.",
        absent: "The operator makes one, named like the ArchiveNode.",
      }),
      env: mapList({ description: "Further environment variables." }, "name", environmentVariable, { maxItems: 32 }),
    },
  },
);
