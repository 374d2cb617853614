/** Verbs of the Kubernetes API on raw JSON objects: no model classes, no dropped fields, no caching. */
import { KubeError } from "./api-errors.ts";
import { apiVersionOf, type KubeObject, keyOf, type ObjectKey, type ResourceType } from "./objects.ts";
import type { KubeRequest, Transport } from "./transport.ts";
import { readWatch, type WatchEvent } from "./watch-stream.ts";

export interface ListOptions {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Ask for `PartialObjectMetadata`: names, labels and annotations without the contents. */
  readonly metadataOnly?: boolean | undefined;
  readonly query?: Readonly<Record<string, string | undefined>>;
}

export interface ObjectList<T extends KubeObject> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  /** Token of the next page. */
  readonly next: string | undefined;
}

export interface PatchOptions {
  readonly subresource?: "status";
  readonly contentType: "application/apply-patch+yaml" | "application/merge-patch+json" | "application/json-patch+json";
  readonly fieldManager: string;
  /** Take fields that other managers own. */
  readonly force?: boolean;
}

export interface DeleteOptions {
  /** Required: a delete without it could hit a successor of the same name. */
  readonly uid: string;
  readonly resourceVersion?: string | undefined;
  readonly propagation?: "Background" | "Orphan";
}

type Named = KubeObject | ObjectKey;

/** A write that the API server took. */
export interface Written {
  readonly verb: "create" | "apply" | "patch" | "status" | "delete";
  readonly kind: string;
  readonly key: ObjectKey;
  /** As it is now; absent after a delete. */
  readonly object?: KubeObject;
}

/** Every method throws {@link KubeError}. */
export interface KubeClient {
  /** `undefined` when there is no such object. */
  get<T extends KubeObject>(resource: ResourceType, key: ObjectKey, signal: AbortSignal): Promise<T | undefined>;
  /** One page. */
  list<T extends KubeObject>(resource: ResourceType, o: ListOptions, signal: AbortSignal): Promise<ObjectList<T>>;
  watch<T extends KubeObject>(
    resource: ResourceType,
    options: ListOptions,
    signal: AbortSignal,
  ): Promise<AsyncIterable<WatchEvent<T>>>;
  create<T extends KubeObject>(resource: ResourceType, object: T, signal: AbortSignal): Promise<T>;
  patch<T extends KubeObject>(
    target: { readonly resource: ResourceType; readonly key: ObjectKey },
    body: unknown,
    options: PatchOptions,
    signal: AbortSignal,
  ): Promise<T>;
  /** `CONFLICT` when a precondition does not hold. */
  delete(
    target: { readonly resource: ResourceType; readonly key: ObjectKey },
    options: DeleteOptions,
    signal: AbortSignal,
  ): Promise<"deleted" | "absent">;
  /** Anything else, such as reviews and `/version`. */
  request(request: KubeRequest, signal: AbortSignal): Promise<unknown>;
}

const METADATA_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json";
const METADATA = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json";

/** @param wrote - told of every write but those that go by `request` */
export function createKubeClient(transport: Transport, wrote: (written: Written) => void = () => {}): KubeClient {
  const write = async <T extends KubeObject>(
    { kind }: ResourceType,
    verb: Written["verb"],
    request: KubeRequest,
    signal: AbortSignal,
  ): Promise<T> => {
    const object = await ask<T>(request, signal);
    wrote({ verb, kind, key: keyOf(object), object });
    return object;
  };
  const ask = async <T>(request: KubeRequest, signal: AbortSignal): Promise<T> =>
    (await transport.request(request, signal)) as T; // JSON of the kind that was asked for
  return {
    get: async (resource, key, signal) => {
      try {
        return await ask({ method: "GET", path: pathTo(resource, key) }, signal);
      } catch (error) {
        if (error instanceof KubeError && error.code === "NOT_FOUND") return undefined;
        throw error;
      }
    },
    list: async <T extends KubeObject>(resource: ResourceType, options: ListOptions, signal: AbortSignal) => {
      const answer = await ask<RawList<T>>(listRequest(resource, options, METADATA_LIST), signal);
      return {
        items: (answer.items ?? []).map((item) => withKind(resource, item)),
        resourceVersion: answer.metadata.resourceVersion ?? "",
        next: answer.metadata.continue === "" ? undefined : answer.metadata.continue,
      };
    },
    watch: async <T extends KubeObject>(resource: ResourceType, options: ListOptions, signal: AbortSignal) => {
      const request = listRequest(resource, { ...options, query: { ...options.query, watch: "true" } }, METADATA);
      const body = await transport.stream(request, signal);
      return readWatch<T>(body, request, (object) => withKind(resource, object));
    },
    create: (resource, object, signal) =>
      write(
        resource,
        "create",
        { method: "POST", path: collectionPath(resource, namespaceOf(object)), body: object },
        signal,
      ),
    patch: ({ resource, key }, body, options, signal) => {
      const suffix = options.subresource === undefined ? "" : `/${options.subresource}`;
      const query = { fieldManager: options.fieldManager, force: options.force === true ? "true" : undefined };
      const path = `${pathTo(resource, key)}${suffix}`;
      const request = { method: "PATCH", path, query, body, contentType: options.contentType } as const;
      return write(resource, verbOf(options), request, signal);
    },
    delete: async ({ resource, key }, options, signal) => {
      const { uid, resourceVersion } = options;
      const body = {
        kind: "DeleteOptions",
        apiVersion: "v1",
        preconditions: { uid, resourceVersion },
        propagationPolicy: options.propagation ?? "Background",
      };
      try {
        await ask({ method: "DELETE", path: pathTo(resource, key), body }, signal);
        wrote({ verb: "delete", kind: resource.kind, key });
        return "deleted";
      } catch (error) {
        if (error instanceof KubeError && error.code === "NOT_FOUND") return "absent";
        throw error;
      }
    },
    request: (request, signal) => transport.request(request, signal),
  };
}

function verbOf({ subresource, contentType }: PatchOptions): Written["verb"] {
  return subresource ?? (contentType === "application/apply-patch+yaml" ? "apply" : "patch");
}

interface RawList<T> {
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly T[] | null;
}

/** Path of a collection, in one namespace or in all. */
export function collectionPath(resource: ResourceType, namespace: string | undefined): string {
  const root = resource.group === "" ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const scope = resource.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${root}${scope}/${resource.plural}`;
}

export function pathTo(resource: ResourceType, key: ObjectKey): string {
  if (resource.namespaced && key.namespace === undefined) throw new TypeError(`${resource.kind} without a namespace`);
  return `${collectionPath(resource, key.namespace)}/${encodeURIComponent(key.name)}`;
}

function namespaceOf(object: Named): string | undefined {
  return "metadata" in object ? object.metadata.namespace : object.namespace;
}

function listRequest(resource: ResourceType, options: ListOptions, metadataAccept: string): KubeRequest {
  const { labelSelector, fieldSelector } = options;
  return {
    method: "GET",
    path: collectionPath(resource, options.namespace),
    query: { labelSelector, fieldSelector, ...options.query },
    ...(options.metadataOnly === true ? { accept: metadataAccept } : {}),
  };
}

/** Items of a list carry no kind, and metadata-only ones carry `PartialObjectMetadata`. */
function withKind<T extends KubeObject>(resource: ResourceType, object: T): T {
  const apiVersion = apiVersionOf(resource);
  return object.kind === resource.kind && object.apiVersion === apiVersion
    ? object
    : { ...object, apiVersion, kind: resource.kind };
}
