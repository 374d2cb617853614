/** What thousands of ArchiveNodes and their children cost in memory, through the very reflectors that fill the caches. */
import { randomUUID } from "node:crypto";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { archiveNode } from "../../../test/testkit/archive-node-builder.ts";
import { NOTHING, SETTINGS } from "../../../test/testkit/archive-node-status.ts";
import { waitUntil } from "../../../test/testkit/wait-until.ts";
import type { KubeClient } from "../kube/client.ts";
import { systemClock } from "../kube/clock.ts";
import type { KubeObject, ResourceType } from "../kube/objects.ts";
import type { WatchEvent } from "../kube/watch-stream.ts";
import { SILENT } from "../runtime/log.ts";
import { DocumentIssuer } from "./archive-node/documents.ts";
import { effectiveNode } from "./archive-node/effective.ts";
import { plan } from "./archive-node/plan.ts";
import type { Child } from "./archive-node/resources/metadata.ts";
import { archiveNodeStatus } from "./archive-node/status.ts";
import { type Caches, createCaches } from "./caches.ts";

const NODES = 1_000;
/** Measured: 20 KB; without what is dropped and shared at the door 29 KB. */
const BYTES_PER_NODE = 24_000;
const CREATED = "2026-11-24T00:00:00Z";
const NOW = new Date(CREATED);
const stop = new AbortController();
let caches: Caches;
let bytesPerNode: number;

type Loose = Readonly<Record<string, unknown>> & { readonly metadata: Readonly<Record<string, unknown>> };

/** As the server would send it: with what it adds, and field managers as ballast. */
function stored(object: object, changes: Readonly<Record<string, unknown>> = {}): string {
  const { metadata, ...rest } = object as Loose;
  const added = { uid: randomUUID(), resourceVersion: randomUUID(), generation: 1, creationTimestamp: CREATED };
  const managedFields = [{ manager: "archivestream-node", fieldsV1: { "f:spec": { "f:a": {}, "f:b": {} } } }];
  return JSON.stringify({ ...rest, ...changes, metadata: { ...metadata, ...added, managedFields } });
}

/** The pod that the StatefulSet controller and the kubelet make of it. */
function podOf({ metadata, spec }: Child): string {
  const { template } = spec as { readonly template: { readonly spec: object } };
  const conditions = ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map((type) => ({
    type,
    status: "True",
    lastTransitionTime: CREATED,
  }));
  const status = { phase: "Running", podIP: "198.18.0.1", conditions };
  const named = { ...metadata, name: `${metadata.name}-0` };
  return stored({ apiVersion: "v1", kind: "Pod", metadata: named, spec: template.spec, status });
}

/** One ArchiveNode with everything that comes of it, by kind. */
function family(index: number): ReadonlyMap<string, readonly string[]> {
  const object = archiveNode({ name: `node-${index}`, uid: randomUUID() });
  const node = effectiveNode(object, SETTINGS);
  const documents = new DocumentIssuer().issue({
    node,
    stored: { trust: undefined, federation: undefined, trustFloor: 0, federationFloor: 0 },
    createdAt: CREATED,
    now: NOW,
  });
  const { apply, pods, growth } = plan({ node, observed: NOTHING, documents, settings: SETTINGS });
  const input = { node, notImplemented: [], observed: NOTHING, documents, growth, blocked: undefined, now: NOW };
  const texts = new Map<string, string[]>();
  const add = (kind: string, text: string) => texts.set(kind, [...(texts.get(kind) ?? []), text]);
  add("ArchiveNode", stored(object, { status: archiveNodeStatus(object, input) }));
  for (const child of pods === undefined ? apply : [...apply, pods])
    for (const [kind, text] of served(child)) add(kind, text);
  return texts;
}

/** A child as its watch shows it, and what others make beside or of it. */
function served(child: Child): readonly (readonly [kind: string, text: string])[] {
  const { apiVersion, kind, metadata } = child;
  const isWhole = kind !== "Secret" && kind !== "ConfigMap";
  const own = [kind, stored(isWhole ? child : { apiVersion, kind, metadata })] as const;
  if (kind === "StatefulSet") return [own, ["Pod", podOf(child)]];
  if (kind !== "Secret") return [own];
  const keys = ["identity", "recovery", "keys", "admin-tls", "access"].map((name) =>
    stored({ apiVersion, kind, metadata: { ...metadata, name: `${metadata.name}-${name}` } }),
  );
  return [own, ...keys.map((text) => [kind, text] as const)];
}

/** A server that has these objects and then falls silent. */
function serverWith(families: readonly ReadonlyMap<string, readonly string[]>[]): Pick<KubeClient, "watch"> {
  return {
    watch: async <T extends KubeObject>({ kind }: ResourceType, _options: object, signal: AbortSignal) =>
      (async function* (): AsyncGenerator<WatchEvent<T>> {
        for (const one of families)
          for (const text of one.get(kind) ?? []) yield { type: "ADDED", object: JSON.parse(text) as T };
        yield { type: "BOOKMARK", resourceVersion: "1", initialEventsEnd: true };
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      })(),
  };
}

function heapUsed(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  collect();
  return getHeapStatistics().used_heap_size;
}

beforeAll(async () => {
  const families = Array.from({ length: NODES }, (_, index) => family(index));
  const client = serverWith(families) as KubeClient; // reflectors only watch
  caches = createCaches({ client, clock: systemClock, log: SILENT, namespaces: [] });
  const before = heapUsed();
  for (const reflector of caches.reflectors) void reflector.run(stop.signal); // never rejects
  const isFull = () => caches.reflectors.every((reflector) => reflector.cache.hasSynced);
  await waitUntil("all caches to be filled", isFull, { deadlineMs: 60_000 });
  bytesPerNode = (heapUsed() - before) / NODES;
});
afterAll(() => stop.abort());

test("every object is there", () => {
  expect(caches.archiveNodes.list()).toHaveLength(NODES);
  expect(caches.secrets.list()).toHaveLength(6 * NODES);
  expect(caches.pods.list()).toHaveLength(NODES);
});

test("pods keep their state and lose what they were made from", () => {
  const pod = caches.pods.get({ namespace: "archives", name: "node-7-0" });
  expect(pod?.status?.podIP).toBe("198.18.0.1");
  expect(pod).not.toHaveProperty("spec");
});

test("StatefulSets keep their spec, in which drift is looked for", () => {
  expect(caches.statefulSets.get({ namespace: "archives", name: "node-7" })?.spec.replicas).toBe(1);
});

test("an ArchiveNode with all its children fits its share of memory", () => {
  expect(bytesPerNode).toBeLessThan(BYTES_PER_NODE);
  expect(bytesPerNode).toBeGreaterThan(5_000); // less would mean that nothing was measured
});
