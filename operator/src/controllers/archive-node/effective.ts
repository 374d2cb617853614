/**
 * What an ArchiveNode means: its spec with every absent field replaced by the value it stands for.
 *
 * Pure. The API stores no defaults, so this file is the only place that knows them.
 */
import type { ArchiveNode } from "@archivestream/crds";
import { quantityBytes } from "../quantity.ts";

type Spec = ArchiveNode["spec"];
type Given<T> = NonNullable<T>;

/** Settings of this operator that reach into every node it runs. */
export interface OperatorSettings {
  /** Image of the node, without tag; `spec.image.repository` overrides. */
  readonly nodeRepository: string;
  /** Tag when neither `spec.image` nor `spec.version` names one. */
  readonly nodeVersion: string;
  readonly nodePullPolicy: string;
  /** Where the operator's own pods are, for the admin port's NetworkPolicy. */
  readonly operatorNamespace: string;
  readonly operatorPodLabels: Readonly<Record<string, string>>;
}

export interface EffectiveNode {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly image: string;
  readonly version: string;
  readonly pullPolicy: string;
  readonly pullSecrets: readonly string[];
  /** What the user asked for. */
  readonly replicas: number;
  /** Any of S3, OpenSearch, Redis declared. This operator does not run such nodes yet. */
  readonly sharedEngines: boolean;
  readonly collections: Given<Spec["collections"]>;
  readonly capabilities: readonly ("crawl" | "store" | "search" | "index")[];
  readonly storage: {
    readonly size: string;
    readonly className: string | undefined;
    readonly accessMode: string;
    readonly retention: "Retain" | "Delete";
  };
  readonly resources: Given<Spec["resources"]>;
  readonly updateStrategy: "RollingUpdate" | "OnDelete";
  readonly minReadySeconds: number;
  readonly trustMode: "Public" | "Private";
  readonly trustRequire: "Key" | "CA" | "KeyOrCA" | "KeyAndCA";
  readonly spec: Spec;
}

/** Small enough for a first look on any cluster, large enough for some ten thousand pages. */
const DEFAULT_STORAGE_SIZE = "10Gi";
/** A node keeps 256 MiB of its volume free (its `limits.reserveBytes`); below twice that there is no room to speak of. */
const LEAST_STORAGE_SIZE = "512Mi";
/** Memory of an archive that indexes (test/bench/README.md). No limit: slow is better than killed. */
const DEFAULT_RESOURCES = { requests: { cpu: "100m", memory: "512Mi" } } as const;
const ALL_CAPABILITIES = ["crawl", "store", "search", "index"] as const;

export function effectiveNode(node: ArchiveNode, settings: OperatorSettings): EffectiveNode {
  const { spec } = node;
  return {
    name: node.metadata.name,
    namespace: node.metadata.namespace,
    uid: node.metadata.uid,
    ...effectiveImage(spec, settings),
    replicas: spec.replicas ?? 1,
    sharedEngines:
      spec.storage?.objectStore !== undefined ||
      spec.index?.openSearch !== undefined ||
      spec.coordination?.redis !== undefined,
    collections: spec.collections?.length ? spec.collections : [{ name: "default", access: "Public" }],
    capabilities: spec.capabilities?.length
      ? ALL_CAPABILITIES.filter((one) => spec.capabilities?.includes(one))
      : ALL_CAPABILITIES,
    storage: {
      size: String(spec.storage?.size ?? DEFAULT_STORAGE_SIZE),
      className: spec.storage?.className,
      accessMode: spec.storage?.accessMode ?? "ReadWriteOnce",
      retention: spec.storage?.retention ?? "Retain",
    },
    resources: spec.resources ?? DEFAULT_RESOURCES,
    updateStrategy: spec.updateStrategy?.type ?? "RollingUpdate",
    minReadySeconds: spec.updateStrategy?.minReadySeconds ?? 0,
    trustMode: spec.trust?.mode ?? "Private",
    trustRequire: spec.trust?.require ?? "KeyOrCA",
    spec,
  };
}

/** Why no archive could live on volumes of the size asked for; undefined when one can. */
export function storageProblem({ storage, sharedEngines }: EffectiveNode): string | undefined {
  if (sharedEngines || quantityBytes(storage.size) >= quantityBytes(LEAST_STORAGE_SIZE)) return undefined;
  return `spec.storage.size is ${storage.size}, and an archive refuses files when less than 256 MiB are free; set spec.storage.size to ${LEAST_STORAGE_SIZE} or more`;
}

function effectiveImage(spec: Spec, settings: OperatorSettings) {
  const repository = spec.image?.repository ?? settings.nodeRepository;
  const version = spec.version ?? settings.nodeVersion;
  const tag = spec.image?.tag ?? version;
  return {
    image: spec.image?.digest === undefined ? `${repository}:${tag}` : `${repository}@${spec.image.digest}`,
    version: tag,
    pullPolicy: spec.image?.pullPolicy ?? settings.nodePullPolicy,
    pullSecrets: (spec.image?.pullSecrets ?? []).map((one) => one.name),
  };
}
