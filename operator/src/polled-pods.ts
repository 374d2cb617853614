/** Which pods the operator asks, and what they should have. Pure. */
import type { ArchiveNode } from "@archivestream/crds";
import { LABELS } from "@archivestream/crds";
import type { PodObject } from "./controllers/archive-node/observe.ts";
import type { Documents } from "./controllers/issued-documents.ts";
import { adminServerName } from "./controllers/names.ts";
import type { ObjectKey } from "./controllers/objects.ts";
import type { PolledPod } from "./node-admin/polled-pod.ts";

export interface PolledPodsDeps {
  readonly pods: { list(): readonly PodObject[] };
  /** Those of our class: the pods of others are theirs to ask. */
  readonly nodes: { get(key: ObjectKey): ArchiveNode | undefined };
  /** Documents issued by this process, by UID of the ArchiveNode. */
  readonly issued: (uid: string) => Documents | undefined;
}

/** Remembers per pod what was made of it: the poller asks for all of them twice a second, and few have changed. */
export function createPolledPods(deps: PolledPodsDeps, port: number): () => readonly PolledPod[] {
  const known = new WeakMap<PodObject, PolledPod>();
  return () =>
    deps.pods.list().flatMap((pod) => {
      const asked = askable(pod);
      if (asked === undefined) return [];
      const owner = deps.nodes.get({ namespace: asked.namespace, name: asked.node });
      if (owner === undefined) return [];
      const documents = deps.issued(owner.metadata.uid);
      const before = known.get(pod);
      if (before !== undefined && before.documents === documents) return [before];
      const polled = polledPod(asked, documents, port);
      known.set(pod, polled);
      return [polled];
    });
}

interface Askable {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  /** Name of its ArchiveNode. */
  readonly node: string;
  readonly address: string;
  readonly ready: boolean;
}

/** Pods that have an address and are not going. */
function askable(pod: PodObject): Askable | undefined {
  const { name, namespace, uid, labels, deletionTimestamp } = pod.metadata;
  const node = labels?.[LABELS.node];
  const address = pod.status?.podIP;
  if (node === undefined || address === undefined || namespace === undefined || uid === undefined) return undefined;
  if (deletionTimestamp !== undefined) return undefined;
  return { name, namespace, uid, node, address, ready: isReady(pod) };
}

function isReady({ status }: PodObject): boolean {
  return status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

function polledPod(pod: Askable, documents: Documents | undefined, port: number): PolledPod {
  const { name, namespace, uid, node, address, ready } = pod;
  return {
    pod: `${namespace}/${name}`,
    podName: name,
    node: `${namespace}/${node}`,
    uid,
    ready,
    address,
    port,
    serverName: adminServerName(node, name, namespace),
    documents,
  };
}
