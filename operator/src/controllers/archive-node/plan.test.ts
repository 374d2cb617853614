import { expect, test } from "vitest";
import { type ArchiveNodeParts, archiveNode } from "../../../../test/testkit/archive-node-builder.ts";
import { NOTHING, SETTINGS } from "../../../../test/testkit/archive-node-status.ts";
import { DocumentIssuer } from "./documents.ts";
import { effectiveNode } from "./effective.ts";
import type { ObservedState } from "./observed.ts";
import { plan } from "./plan.ts";
import type { Child } from "./resources/metadata.ts";

function setUp({ observed = {}, ...parts }: ArchiveNodeParts & { observed?: Partial<ObservedState> } = {}) {
  const object = archiveNode(parts);
  const node = effectiveNode(object, SETTINGS);
  const documents = new DocumentIssuer().issue({
    node,
    stored: { trust: undefined, federation: undefined, trustFloor: 0, federationFloor: 0 },
    createdAt: object.metadata.creationTimestamp ?? "",
    now: new Date("2026-11-24T00:00:00Z"),
  });
  const planned = plan({ node, observed: { ...NOTHING, ...observed }, documents, settings: SETTINGS });
  // In the order in which they are applied.
  return { ...planned, apply: [...planned.apply, ...(planned.pods === undefined ? [] : [planned.pods])] };
}

const names = (children: readonly Child[]) => children.map((child) => `${child.kind}/${child.metadata.name}`);
const statefulSetOf = (children: readonly Child[]) => {
  const found = children.find((child) => child.kind === "StatefulSet");
  return found as
    | (Child & {
        spec: {
          replicas: number;
          template: {
            metadata: { labels: Record<string, string>; annotations: Record<string, string> };
            spec: Record<string, unknown>;
          };
        };
      })
    | undefined;
};

test("an empty spec gives every child but the optional ones, pods last", () => {
  const { apply, remove, growth } = setUp();
  expect(names(apply)).toEqual([
    "ServiceAccount/alpha",
    "NetworkPolicy/alpha",
    "ConfigMap/alpha-config",
    "ConfigMap/alpha-federation",
    "Secret/alpha-trust",
    "Service/alpha-headless",
    "Service/alpha",
    "StatefulSet/alpha",
  ]);
  expect(names(remove)).toEqual(["PodDisruptionBudget/alpha"]);
  expect(growth).toEqual({ step: "none" });
});

test("children of an empty spec are as recorded", () => {
  expect(setUp().apply).toMatchSnapshot();
});

test("nothing of the ArchiveNode's own annotations reaches a child", () => {
  const text = JSON.stringify(setUp({ annotations: { "argocd.example/tracking-id": "mine" } }).apply);
  expect(text).not.toContain("argocd");
});

test("pod labels and annotations come from spec.podTemplate alone and never replace the selector", () => {
  const { apply } = setUp({
    spec: {
      podTemplate: { metadata: { labels: { team: "web", "app.kubernetes.io/name": "x" }, annotations: { note: "1" } } },
    },
  });
  const { labels, annotations } = statefulSetOf(apply)?.spec.template.metadata ?? { labels: {}, annotations: {} };
  expect(labels).toMatchObject({ team: "web", "app.kubernetes.io/name": "archive-node" });
  expect(annotations).toMatchObject({ note: "1" });
});

test("a ServiceMonitor is wanted only where that kind exists, and goes when monitoring is disabled", () => {
  const observed = { serviceMonitorExists: true };
  expect(names(setUp({ observed }).apply)).toContain("ServiceMonitor/alpha");
  expect(names(setUp({ observed, spec: { monitoring: { mode: "Disabled" } } }).remove)).toContain(
    "ServiceMonitor/alpha",
  );
});

test("a declared but unsupported engine means no pods", () => {
  const spec = { replicas: 3, coordination: { redis: { urlRef: { name: "redis" } } } };
  expect(statefulSetOf(setUp({ spec }).apply)?.spec.replicas).toBe(0);
});

test("volumes without room for anything are not made; pods that have such ones keep running", () => {
  const spec = { storage: { size: "100Mi" } };
  expect(statefulSetOf(setUp({ spec }).apply)).toBeUndefined();
  const statefulSet = {
    uid: "u",
    resourceVersion: "7",
    terminating: false,
    claim: { size: "100Mi", className: undefined, accessMode: "ReadWriteOnce" },
    upToDate: true,
    replicas: 1,
    readyReplicas: 1,
    updatedReplicas: 1,
  };
  expect(statefulSetOf(setUp({ spec, observed: { statefulSet } }).apply)?.spec.replicas).toBe(1);
});

test("a change of collections changes the pod, a change of trust does not", () => {
  const before = statefulSetOf(setUp().apply)?.spec.template;
  expect(statefulSetOf(setUp({ spec: { trust: { mode: "Public" } } }).apply)?.spec.template).toEqual(before);
  const collections = [{ name: "news", access: "Public" }] as const;
  expect(statefulSetOf(setUp({ spec: { collections } }).apply)?.spec.template).not.toEqual(before);
});

test("what a pod needs at least is reserved, unless the spec says how much", () => {
  const resourcesOf = (spec: ArchiveNodeParts["spec"] = {}) => {
    const pod = statefulSetOf(setUp({ spec }).apply)?.spec.template.spec;
    const [container] = (pod?.["containers"] ?? []) as readonly { readonly resources?: object }[];
    return container?.resources;
  };
  expect(resourcesOf()).toEqual({ requests: { cpu: "100m", memory: "512Mi" } });
  const limits = { limits: { memory: "2Gi" } };
  expect(resourcesOf({ resources: limits })).toEqual(limits);
});

test("a tag wins over the version, in the pod and in what is said of it", () => {
  const spec = { version: "9.9.9", image: { tag: "9.9.9-fix" } };
  expect(JSON.stringify(statefulSetOf(setUp({ spec }).apply))).toContain("example.test/archive-node:9.9.9-fix");
  expect(effectiveNode(archiveNode({ spec }), SETTINGS).version).toBe("9.9.9-fix");
});

test("a digest wins over every tag", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const { apply } = setUp({ spec: { version: "9.9.9", image: { digest } } });
  expect(JSON.stringify(statefulSetOf(apply))).toContain(`example.test/archive-node@${digest}`);
});
