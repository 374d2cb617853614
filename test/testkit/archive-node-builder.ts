/** ArchiveNodes for tests: as the API server would hand them out, with only what the test cares about spelled out. */
import { API_VERSION, type ArchiveNode, type ArchiveNodeSpec, type ArchiveNodeStatus } from "@archivestream/crds";

export interface ArchiveNodeParts {
  readonly name?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly generation?: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec?: ArchiveNodeSpec;
  readonly status?: ArchiveNodeStatus;
}

export function archiveNode(parts: ArchiveNodeParts = {}): ArchiveNode {
  return {
    apiVersion: API_VERSION,
    kind: "ArchiveNode",
    metadata: {
      name: parts.name ?? "alpha",
      namespace: parts.namespace ?? "archives",
      uid: parts.uid ?? "7d0c5a3e-0000-4000-8000-000000000001",
      generation: parts.generation ?? 1,
      resourceVersion: "1",
      creationTimestamp: "2026-11-23T00:00:00Z",
      ...(parts.annotations === undefined ? {} : { annotations: parts.annotations }),
    },
    spec: { replicas: 1, ...parts.spec },
    ...(parts.status === undefined ? {} : { status: parts.status }),
  };
}
