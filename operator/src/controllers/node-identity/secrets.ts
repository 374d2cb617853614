/** The Secrets of a node's keys as they are created. */
import { API_VERSION, type ArchiveNode, LABEL_VALUES, LABELS } from "@archivestream/crds";
import type { SecretData } from "./identity-key.ts";

interface NewSecret {
  readonly apiVersion: "v1";
  readonly kind: "Secret";
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly uid: string }[];
  };
  readonly type: "Opaque";
  readonly data: SecretData;
}

export function childSecret(node: ArchiveNode, name: string, data: SecretData): NewSecret {
  return secret(node, name, data, true);
}

/** Identity and recovery key: owned by nobody, like the volumes; `retention: Delete` is carried out by departures.ts. */
export function keptSecret(node: ArchiveNode, name: string, data: SecretData): NewSecret {
  return secret(node, name, data, false);
}

function secret(node: ArchiveNode, name: string, data: SecretData, owned: boolean): NewSecret {
  const owner = {
    apiVersion: API_VERSION,
    kind: "ArchiveNode",
    name: node.metadata.name,
    uid: node.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name,
      namespace: node.metadata.namespace,
      labels: {
        [LABELS.appName]: LABEL_VALUES.appName,
        [LABELS.appInstance]: node.metadata.name,
        [LABELS.appManagedBy]: LABEL_VALUES.appManagedBy,
        [LABELS.appPartOf]: LABEL_VALUES.appPartOf,
        [LABELS.node]: node.metadata.name,
      },
      ...(owned ? { ownerReferences: [owner] } : {}),
    },
    type: "Opaque",
    data,
  };
}
