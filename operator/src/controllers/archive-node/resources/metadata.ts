/** Labels and owner reference of every child. Nothing of the ArchiveNode's own metadata is copied. */
import { API_VERSION, LABEL_VALUES, LABELS } from "@archivestream/crds";
import type { EffectiveNode } from "../effective.ts";

/** An object to apply: exactly the fields this operator owns. */
export interface Child {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ChildMetadata;
  readonly [field: string]: unknown;
}

export interface ChildMetadata {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller: boolean;
  readonly blockOwnerDeletion: boolean;
}

/** The labels by which Services, StatefulSet and policies find the pods. Immutable once a StatefulSet exists. */
export function podSelector(node: string): Readonly<Record<string, string>> {
  return { [LABELS.appName]: LABEL_VALUES.appName, [LABELS.node]: node };
}

export function childLabels(node: string): Readonly<Record<string, string>> {
  return {
    ...podSelector(node),
    [LABELS.appInstance]: node,
    [LABELS.appManagedBy]: LABEL_VALUES.appManagedBy,
    [LABELS.appPartOf]: LABEL_VALUES.appPartOf,
  };
}

export function ownerReference(node: Pick<EffectiveNode, "name" | "uid">): OwnerReference {
  return {
    apiVersion: API_VERSION,
    kind: "ArchiveNode",
    name: node.name,
    uid: node.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

export function childMetadata(node: Pick<EffectiveNode, "name" | "namespace" | "uid">, name: string): ChildMetadata {
  return { name, namespace: node.namespace, labels: childLabels(node.name), ownerReferences: [ownerReference(node)] };
}
