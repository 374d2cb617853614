/**
 * What the same objects cost without an operator: a client that has the children of every node ready writes them, in the
 * same cluster, until as many pods are ready. Nobody can be faster against this API server on this machine.
 */
import { LABELS } from "@archivestream/crds";
import { type KnownKind, RESOURCES } from "../../../operator/src/controllers/resource-types.ts";
import type { KubeObject } from "../../../operator/src/kube/objects.ts";
import { put } from "../../testkit/operator-under-test.ts";
import { waitUntil } from "../../testkit/wait-until.ts";
import { type Bench, inParallel, NAMESPACE, playPods, secondsSince } from "./cluster.ts";
import { nodeName } from "./objects.ts";

const FLOOR_NAMESPACE = "floor";
/** In the order in which an operator writes them: pods wait for what they mount. */
const KINDS = ["Secret", "ConfigMap", "ServiceAccount", "Service", "NetworkPolicy", "StatefulSet"] as const;
const DEADLINE_MS = 30 * 60_000;

type Child = KubeObject & { readonly spec?: Readonly<Record<string, unknown>>; readonly data?: object };
type ReadyCount = KubeObject & { readonly status?: { readonly readyReplicas?: number } };

/** @returns seconds until the pods of `count` nodes are ready */
export async function floorSeconds(bench: Bench, count: number): Promise<number> {
  const { admin } = bench;
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, bench.signal]);
  await put(admin, { apiVersion: "v1", kind: "Namespace", metadata: { name: FLOOR_NAMESPACE } }, signal);
  const children = await childrenOf(bench, nodeName(0));
  const pods = await playPods({ ...bench, signal }, FLOOR_NAMESPACE);
  const start = performance.now();
  await inParallel(count, async (index) => {
    for (const child of children) await write({ ...bench, signal }, child, nodeName(index));
  });
  const isReady = async () => {
    const { items } = await admin.list<ReadyCount>(RESOURCES.StatefulSet, { namespace: FLOOR_NAMESPACE }, signal);
    return items.filter(({ status }) => status?.readyReplicas === 1).length === count;
  };
  await waitUntil("all pods of the floor to be ready", isReady, { deadlineMs: DEADLINE_MS, signal, everyMs: 500 });
  const seconds = secondsSince(start);
  stop.abort();
  await pods.stop();
  return seconds;
}

/** The children of a node that the operator made, without what the API server and other controllers put there. */
async function childrenOf({ admin, signal }: Bench, node: string): Promise<readonly Child[]> {
  const labelSelector = `${LABELS.node}=${node}`;
  const lists = KINDS.map(async (kind) => {
    const { items } = await admin.list<Child>(RESOURCES[kind], { namespace: NAMESPACE, labelSelector }, signal);
    // Items of a list carry no kind of their own.
    return items.map((item) => bare({ ...item, kind, apiVersion: apiVersionOf(kind) }));
  });
  return (await Promise.all(lists)).flat();
}

function apiVersionOf(kind: KnownKind): string {
  const { group, version } = RESOURCES[kind];
  return group === "" ? version : `${group}/${version}`;
}

function bare({ apiVersion, kind, metadata, spec, ...content }: Child & { readonly status?: unknown }): Child {
  const { name, labels, annotations } = metadata;
  const { status: _status, ...data } = content;
  const kept = Object.entries(spec ?? {}).filter(
    ([field, value]) => !field.startsWith("clusterIP") || value === "None",
  );
  return {
    apiVersion,
    kind,
    metadata: { namespace: FLOOR_NAMESPACE, name, ...(labels && { labels }), ...(annotations && { annotations }) },
    ...(spec === undefined ? {} : { spec: Object.fromEntries(kept) }),
    ...data,
  };
}

/** With the operator's own verbs: Secrets are created, everything else is applied. */
async function write({ admin, signal }: Bench, child: Child, node: string): Promise<void> {
  const object = JSON.parse(JSON.stringify(child).replaceAll(nodeName(0), node)) as Child;
  const resource = RESOURCES[object.kind as KnownKind];
  if (object.kind === "Secret") await admin.create(resource, object, signal);
  else
    await admin.patch(
      { resource, key: object.metadata },
      object,
      { contentType: "application/apply-patch+yaml", fieldManager: "floor", force: true },
      signal,
    );
}
