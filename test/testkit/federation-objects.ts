/** Peers, policies and allow lists in a test's namespace, and the documents that the operator makes of them. */
import { API_VERSION, type FederationPeer, SECRET_TYPES, type SyncPolicy } from "@archivestream/crds";
import { DOCUMENT_FILES, type FederationDocument, type TrustDocument } from "@archivestream/node/contract";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import type { ArchiveWorld } from "./archive-world.ts";
import { put } from "./operator-under-test.ts";

type Labels = Readonly<Record<string, string>>;
type DataObject = KubeObject & { readonly data?: Readonly<Record<string, string>> };

export interface FederationObjects {
  peer(name: string, spec: FederationPeer["spec"], labels?: Labels): Promise<void>;
  policy(name: string, spec: SyncPolicy["spec"]): Promise<void>;
  /** @param type - default that of an allow list */
  allowList(name: string, text: string, type?: string): Promise<void>;
  trust(node: string): Promise<TrustDocument>;
  federation(node: string): Promise<FederationDocument>;
}

export function federationObjects(world: ArchiveWorld): FederationObjects {
  const { admin, namespace, signal } = world;
  const make = (kind: string, name: string, spec: object, labels: Labels = {}) =>
    put(admin, { apiVersion: API_VERSION, kind, metadata: { namespace, name, labels }, spec } as KubeObject, signal);
  const data = async (kind: "Secret" | "ConfigMap", name: string, file: string) =>
    (await world.get<DataObject>(kind, name))?.data?.[file] ?? "";
  return {
    peer: (name, spec, labels) => make("FederationPeer", name, spec, labels),
    policy: (name, spec) => make("SyncPolicy", name, spec),
    allowList: (name, text, type = SECRET_TYPES.allowList) => {
      const content = { "node-ids": Buffer.from(text).toString("base64") };
      const metadata = { namespace, name };
      return put(admin, { apiVersion: "v1", kind: "Secret", metadata, type, data: content } as KubeObject, signal);
    },
    trust: async (node) =>
      JSON.parse(
        Buffer.from(await data("Secret", `${node}-trust`, DOCUMENT_FILES.trust), "base64").toString(),
      ) as TrustDocument,
    federation: async (node) =>
      JSON.parse(await data("ConfigMap", `${node}-federation`, DOCUMENT_FILES.federation)) as FederationDocument,
  };
}
