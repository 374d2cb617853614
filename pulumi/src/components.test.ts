/** What the components register with the Pulumi engine, seen through Pulumi's own mocks of that engine. */
import * as pulumi from "@pulumi/pulumi";
import { beforeAll, expect, test } from "vitest";

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
