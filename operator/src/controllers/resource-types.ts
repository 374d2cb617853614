/** The kinds this operator reads and writes, as the API server addresses them. */
import { GROUP, VERSION } from "@archivestream/crds";
import type { ResourceType } from "../kube/objects.ts";

function resource(group: string, version: string, kind: string, plural: string): ResourceType {
  return { group, version, kind, plural, namespaced: true };
}

export const RESOURCES = {
  ArchiveNode: resource(GROUP, VERSION, "ArchiveNode", "archivenodes"),
  FederationPeer: resource(GROUP, VERSION, "FederationPeer", "federationpeers"),
  SyncPolicy: resource(GROUP, VERSION, "SyncPolicy", "syncpolicies"),
  Secret: resource("", "v1", "Secret", "secrets"),
  ConfigMap: resource("", "v1", "ConfigMap", "configmaps"),
  Service: resource("", "v1", "Service", "services"),
  ServiceAccount: resource("", "v1", "ServiceAccount", "serviceaccounts"),
  Pod: resource("", "v1", "Pod", "pods"),
  PersistentVolumeClaim: resource("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
  StatefulSet: resource("apps", "v1", "StatefulSet", "statefulsets"),
  PodDisruptionBudget: resource("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets"),
  NetworkPolicy: resource("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies"),
  ServiceMonitor: resource("monitoring.coreos.com", "v1", "ServiceMonitor", "servicemonitors"),
} as const;

export type KnownKind = keyof typeof RESOURCES;

/** @throws {TypeError} a kind this operator does not handle */
export function resourceOf(kind: string): ResourceType {
  if (!Object.hasOwn(RESOURCES, kind)) throw new TypeError(`unknown kind ${kind}`);
  return RESOURCES[kind as KnownKind];
}
