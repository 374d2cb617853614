/** The objects of the operator's bench: per index one ArchiveNode, one peer of it, and one policy between the two. */
import { randomBytes } from "node:crypto";
import { API_VERSION, type ArchiveNode } from "@archivestream/crds";
import type { KubeObject } from "../../../operator/src/kube/objects.ts";
import { newNode } from "../../testkit/operator-under-test.ts";
import { NAMESPACE } from "./cluster.ts";

/** Selectors match by it: each peer and each policy concerns one node. */
const INDEX_LABEL = "bench.test/index";

const labelsOf = (index: number) => ({ [INDEX_LABEL]: String(index) });

export const nodeName = (index: number): string => `node-${index}`;

export function archiveNode(index: number): ArchiveNode & KubeObject {
  const node = newNode(NAMESPACE, nodeName(index));
  return { ...node, metadata: { ...node.metadata, labels: labelsOf(index) } } as ArchiveNode & KubeObject;
}

export function federationPeer(index: number): KubeObject & { readonly spec: object } {
  const labels = labelsOf(index);
  return {
    apiVersion: API_VERSION,
    kind: "FederationPeer",
    metadata: { namespace: NAMESPACE, name: `peer-${index}`, labels },
    spec: {
      nodeID: randomBytes(32).toString("hex"),
      endpoints: [{ name: "main", url: `https://198.18.${(index >> 8) & 0xff}.${index & 0xff}:8443` }],
      nodeSelector: { matchLabels: labels },
    },
  };
}

export function syncPolicy(index: number): KubeObject & { readonly spec: object } {
  const selector = { matchLabels: labelsOf(index) };
  return {
    apiVersion: API_VERSION,
    kind: "SyncPolicy",
    metadata: { namespace: NAMESPACE, name: `policy-${index}` },
    spec: { nodeSelector: selector, peerSelector: selector, direction: "Pull", interval: "1h" },
  };
}
