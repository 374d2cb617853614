/** A pod that the operator asks, and what it should have. */
import type { AdminTarget } from "./client.ts";

export interface PolledPod extends AdminTarget {
  /** `namespace/name` of the ArchiveNode. */
  readonly node: string;
  readonly podName: string;
  readonly uid: string;
  /** As the kubelet says. A pod that becomes ready is asked at once, however often it was silent before. */
  readonly ready: boolean;
  /** What the pod should have; a pod with a lower sequence gets the document. */
  readonly documents: WantedDocuments | undefined;
}

export interface WantedDocuments {
  readonly trust: { readonly sequence: number; readonly text: string };
  readonly federation: { readonly sequence: number; readonly text: string };
}
