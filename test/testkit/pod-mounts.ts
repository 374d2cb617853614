/** What the stand-in for kubelet and node program reads: claims, pods, and the Secrets and ConfigMaps a pod mounts. */
import { createHash } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import {
  type AdminStatus,
  type Delegation,
  DOCUMENT_FILES,
  type FederationDocument,
  KEY_FILES,
} from "@archivestream/node/contract";
import { RESOURCES } from "../../operator/src/controllers/resource-types.ts";
import type { KubeClient } from "../../operator/src/kube/client.ts";
import type { KubeObject, ObjectKey, ResourceType } from "../../operator/src/kube/objects.ts";

type Sequenced = AdminStatus["trust"];
interface DataObject extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** What one pod has taken so far. */
export interface PodState {
  readonly status: AdminStatus;
  readonly context: SecureContext;
  /** The one that `status.federation` tells of. */
  readonly federation: FederationDocument;
}

/** Reads of the stand-in: a cache kept by watches makes thousands of pods affordable. */
export interface StandInReader {
  list<T extends KubeObject>(resource: ResourceType, namespace: string | undefined): Promise<readonly T[]>;
  get<T extends KubeObject>(resource: ResourceType, key: ObjectKey): Promise<T | undefined>;
}

/** From the API server, each time. */
export function readsOf(client: KubeClient, signal: AbortSignal): StandInReader {
  return {
    list: async <T extends KubeObject>(resource: ResourceType, namespace: string | undefined) =>
      (await client.list<T>(resource, { namespace }, signal)).items,
    get: (resource, key) => client.get(resource, key, signal),
  };
}

/** Undefined until all of it exists, as a pod would stay in ContainerCreating. */
export async function mountedBy(reader: StandInReader, namespace: string, node: string): Promise<PodState | undefined> {
  const get = async (kind: "Secret" | "ConfigMap", suffix: string) =>
    (await reader.get<DataObject>(RESOURCES[kind], { namespace, name: `${node}-${suffix}` }))?.data;
  const [keys, adminTls, access, trust, config, federation] = await Promise.all([
    get("Secret", "keys"),
    get("Secret", "admin-tls"),
    get("Secret", "access"),
    get("Secret", "trust"),
    get("ConfigMap", "config"),
    get("ConfigMap", "federation"),
  ]);
  if (!(keys && adminTls && access && trust && config && federation)) return undefined;
  const text = (data: Readonly<Record<string, string>>, file: string) =>
    Buffer.from(data[file] ?? "", "base64").toString();
  const { delegation } = JSON.parse(text(keys, KEY_FILES.delegation)) as Delegation;
  const trustDocument = JSON.parse(text(trust, DOCUMENT_FILES.trust)) as Sequenced;
  const federationDocument = JSON.parse(federation[DOCUMENT_FILES.federation] ?? "{}") as FederationDocument;
  return {
    context: createSecureContext({
      key: text(adminTls, KEY_FILES.tlsKey),
      cert: text(adminTls, KEY_FILES.tlsCert),
      ca: text(adminTls, KEY_FILES.adminCa),
    }),
    federation: federationDocument,
    status: {
      nodeID: delegation.node_id,
      version: "0.1.0",
      configDigest: `sha256:${createHash("sha256")
        .update(config["config.json"] ?? "")
        .digest("hex")}`,
      phase: "Serving",
      message: "",
      trust: { sequence: trustDocument.sequence, digest: trustDocument.digest },
      federation: { sequence: federationDocument.sequence, digest: federationDocument.digest },
      certificate: { notAfter: "2030-01-01T00:00:00Z", serial: "01" },
      delegationNotAfter: new Date(delegation.not_after).toISOString().replace(/\.\d+/, ""),
    },
  };
}

/** The pod with what it mounts now. A document that was pushed is not undone by a mount that lags. */
export function remounted(before: PodState | undefined, mounted: PodState): PodState {
  if (before === undefined) return mounted;
  const trust = before.status.trust.sequence > mounted.status.trust.sequence ? before : mounted;
  const federation = before.status.federation.sequence > mounted.status.federation.sequence ? before : mounted;
  return {
    ...mounted,
    federation: federation.federation,
    status: { ...mounted.status, trust: trust.status.trust, federation: federation.status.federation },
  };
}

/** The pod with a document that was pushed; undefined when it has one as new. */
export function taking(before: PodState, name: "trust" | "federation", text: string): PodState | undefined {
  const document = JSON.parse(text) as FederationDocument;
  const { sequence, digest } = document;
  if (sequence <= before.status[name].sequence) return undefined;
  const status = { ...before.status, [name]: { sequence, digest } };
  return { ...before, status, ...(name === "federation" ? { federation: document } : {}) };
}
