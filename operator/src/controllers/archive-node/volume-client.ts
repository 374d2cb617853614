/** The API requests of volume growth. */
import { ANNOTATIONS, type ArchiveNode, FIELD_MANAGERS } from "@archivestream/crds";
import { KubeError } from "../../kube/api-errors.ts";
import type { KubeClient } from "../../kube/client.ts";
import { childNames } from "../names.ts";
import { RESOURCES } from "../resource-types.ts";
import type { EffectiveNode } from "./effective.ts";
import type { Cached } from "./observe.ts";
import type { VolumeDeps } from "./volume-effects.ts";

const MERGE_PATCH = { contentType: "application/merge-patch+json", fieldManager: FIELD_MANAGERS.node } as const;

export function volumeDeps(client: KubeClient, archiveNodes: Cached<ArchiveNode>): VolumeDeps {
  return {
    growClaim: async (namespace, name, size, signal) => {
      const body = { spec: { resources: { requests: { storage: size } } } };
      const target = { resource: RESOURCES.PersistentVolumeClaim, key: { namespace, name } };
      try {
        await client.patch(target, body, MERGE_PATCH, signal);
        return undefined;
      } catch (error) {
        // How the API server says that the claim's class does not allow expansion. Missing rights look the same and
        // are told apart by the reason: admission adds the claim's name after "is forbidden".
        if (error instanceof KubeError && error.code === "FORBIDDEN" && refusedByClass(error))
          return "its StorageClass does not allow expansion";
        throw error;
      }
    },
    announceReplacement: async (node, intent, signal) => {
      const key = keyOf(node);
      const stored = archiveNodes.get(key)?.metadata.annotations?.[ANNOTATIONS.statefulSetReplacement];
      if (stored === intent) return;
      const body = { metadata: { annotations: { [ANNOTATIONS.statefulSetReplacement]: intent ?? null } } };
      await client.patch({ resource: RESOURCES.ArchiveNode, key }, body, MERGE_PATCH, signal);
    },
    orphanStatefulSet: async (node, uid, resourceVersion, signal) => {
      const key = { namespace: node.namespace, name: childNames(node.name).statefulSet };
      await client.delete(
        { resource: RESOURCES.StatefulSet, key },
        { uid, resourceVersion, propagation: "Orphan" },
        signal,
      );
    },
  };
}

function keyOf(node: EffectiveNode) {
  return { namespace: node.namespace, name: node.name };
}

/** Text of the plug-in PersistentVolumeClaimResize. */
function refusedByClass(error: KubeError): boolean {
  return /must support resize|dynamically provisioned pvc/.test(error.details.message ?? "");
}
