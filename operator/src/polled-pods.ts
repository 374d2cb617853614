/** Which pods the operator asks, and what they should have. Pure. */
import type { ArchiveNode } from "@archivestream/crds";
import { LABELS } from "@archivestream/crds";
import type { PodObject } from "./controllers/archive-node/observe.ts";
import type { Documents } from "./controllers/archive-node/observed.ts";
import { adminServerName } from "./controllers/names.ts";
import type { ObjectKey } from "./controllers/objects.ts";
import type { PolledPod } from "./node-admin/poller.ts";

export interface PolledPodsDeps {
  readonly pods: { list(): readonly PodObject[] };
  readonly nodes: { get(key: ObjectKey): ArchiveNode | undefined };
  /** Documents issued by this process, by UID of the ArchiveNode. */
  readonly issued: (uid: string) => Documents | undefined;
}

/** Pods that have an address and are not going. */
export function polledPods(deps: PolledPodsDeps, port: number): PolledPod[] {
  return deps.pods.list().flatMap((pod): PolledPod[] => {
    const { name, namespace, uid, labels, deletionTimestamp } = pod.metadata;
    const node = labels?.[LABELS.node];
    const address = pod.status?.podIP;
    if (node === undefined || address === undefined || namespace === undefined || uid === undefined) return [];
    if (deletionTimestamp !== undefined) return [];
    const owner = deps.nodes.get({ namespace, name: node });
    return [
      {
        pod: `${namespace}/${name}`,
        podName: name,
        node: `${namespace}/${node}`,
        uid,
        address,
        port,
        serverName: adminServerName(node, name, namespace),
        documents: owner === undefined ? undefined : deps.issued(owner.metadata.uid),
      },
    ];
  });
}
