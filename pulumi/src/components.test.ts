/** What the components register with the Pulumi engine, seen through Pulumi's own mocks of that engine. */
import { readFile } from "node:fs/promises";
import type { ArchiveNodeSpec, KindName } from "@archivestream/crds";
import * as pulumi from "@pulumi/pulumi";
import { beforeAll, expect, test } from "vitest";
import { parse } from "yaml";

interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
}
const registered: Registered[] = [];

beforeAll(async () => {
  await pulumi.runtime.setMocks({
    newResource: (args) => {
      registered.push({ type: args.type, name: args.name, inputs: args.inputs as Record<string, unknown> });
      return { id: `${args.name}-id`, state: args.inputs as Record<string, unknown> };
    },
    call: (args) => args.inputs as Record<string, unknown>,
  });
});

const find = (type: string, name: string) => registered.find((entry) => entry.type === type && entry.name === name);
const settled = <T>(output: pulumi.Output<T>) => new Promise<T>((resolve) => output.apply((value) => resolve(value)));

test("the operator is a release of the chart in a namespace of its own", async () => {
  const { Operator } = await import("./index.ts");
  const operator = new Operator("archive-operator", { chart: "../charts/archive-operator", values: { replicas: 2 } });
  expect(await settled(operator.namespace)).toBe("archivestream-system");
  await settled(operator.release.status);
  expect(find("kubernetes:helm.sh/v3:Release", "archive-operator")?.inputs).toMatchObject({
    chart: "../charts/archive-operator",
    namespace: "archivestream-system",
    values: { replicas: 2 },
  });
});

test("an archive node becomes an ArchiveNode object that is waited for", async () => {
  const { ArchiveNodeObject } = await import("./index.ts");
  const node = new ArchiveNodeObject("library", { namespace: "archives", spec: { storage: { size: "10Gi" } } });
  await settled(node.object.metadata);
  expect(find("archivestream:k8s:Node", "library")).toBeDefined();
  expect(find("kubernetes:archivestream.io/v1alpha1:ArchiveNode", "library")?.inputs).toMatchObject({
    apiVersion: "archivestream.io/v1alpha1",
    kind: "ArchiveNode",
    metadata: {
      name: "library",
      namespace: "archives",
      annotations: { "pulumi.com/waitFor": "condition=Ready" },
    },
    spec: { storage: { size: "10Gi" } },
  });
});

test("peers and policies carry their own kinds and labels", async () => {
  const { FederationPeerObject, SyncPolicyObject } = await import("./index.ts");
  const peer = new FederationPeerObject("partner", {
    namespace: "archives",
    labels: { tier: "partner" },
    spec: { nodeID: "a".repeat(64) },
  });
  const policy = new SyncPolicyObject("all", {
    namespace: "archives",
    spec: { nodeSelector: {}, peerSelector: { matchLabels: { tier: "partner" } }, direction: "Pull", interval: "1h" },
  });
  await Promise.all([settled(peer.object.metadata), settled(policy.object.metadata)]);
  expect(find("kubernetes:archivestream.io/v1alpha1:FederationPeer", "partner")?.inputs).toMatchObject({
    kind: "FederationPeer",
    metadata: { labels: { tier: "partner" } },
  });
  expect(find("kubernetes:archivestream.io/v1alpha1:SyncPolicy", "all")?.inputs).toMatchObject({ kind: "SyncPolicy" });
});

test("the program of the README is the one in example/, and it registers what it says", async () => {
  const read = (path: string) => readFile(new URL(path, import.meta.url), "utf8");
  const [, shown] = /```ts\n(.*?)```/s.exec(await read("../README.md")) ?? [];
  const [, ...lines] = (await read("../example/program.ts")).split("\n");
  expect(shown).toBe(lines.join("\n"));
  const { library } = await import("../example/program.ts");
  await settled(library.object.metadata);
  const seen = registered.filter(({ type }) => type === "kubernetes:archivestream.io/v1alpha1:ArchiveNode");
  expect(seen.at(-1)?.inputs).toMatchObject({
    metadata: { namespace: "archives" },
    spec: { storage: { size: "10Gi" }, collections: [{ name: "manuals", access: "Public" }] },
  });
});

test("a field anywhere in a spec takes a value that is not known yet", async () => {
  const { ArchiveNodeObject } = await import("./index.ts");
  const spec = {
    storage: { size: pulumi.output(Promise.resolve("5Gi")) },
    collections: [{ name: pulumi.output("late"), access: "Public" as const }],
  };
  const node = new ArchiveNodeObject("late", { namespace: "archives", spec });
  await settled(node.object.metadata);
  expect(find("kubernetes:archivestream.io/v1alpha1:ArchiveNode", "late")?.inputs).toMatchObject({
    spec: { storage: { size: "5Gi" }, collections: [{ name: "late", access: "Public" }] },
  });
});

test.each<[KindName, string]>([
  ["ArchiveNode", "archivenode-production"],
  ["FederationPeer", "federationpeer"],
  ["SyncPolicy", "syncpolicy"],
])("the sample of %s arrives field by field", async (kind, file) => {
  const components = await import("./index.ts");
  const component = components[`${kind}Object`] as typeof components.ArchiveNodeObject;
  const text = await readFile(new URL(`../../crds/samples/${file}.yaml`, import.meta.url), "utf8");
  const { spec } = parse(text) as { spec: ArchiveNodeSpec };
  const made = new component(`sample-${kind.toLowerCase()}`, { namespace: "archives", spec });
  await settled(made.object.metadata);
  const { inputs } = find(`kubernetes:archivestream.io/v1alpha1:${kind}`, `sample-${kind.toLowerCase()}`) ?? {};
  expect(inputs?.["spec"]).toEqual(spec);
});

// Compiled, not run: what the cluster would refuse is an error where it is written.
export const refusedByTheCompiler = async () => {
  const { ArchiveNodeObject, FederationPeerObject } = await import("./index.ts");
  // @ts-expect-error no such field
  new ArchiveNodeObject("a", { namespace: "n", spec: { storage: { sice: "1Gi" } } });
  // @ts-expect-error no such access
  new ArchiveNodeObject("b", { namespace: "n", spec: { collections: [{ name: "x", access: "Open" }] } });
  // @ts-expect-error ids are texts, also when they come later
  new FederationPeerObject("c", { namespace: "n", spec: { nodeID: pulumi.output(5) } });
};
