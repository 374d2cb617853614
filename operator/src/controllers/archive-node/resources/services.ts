/** The two Services of a node: one names its pods, the other is where clients and peers come in. */
import { LABELS } from "@archivestream/crds";
import { PORTS, type PortName } from "@archivestream/node/contract";
import { childNames } from "../../names.ts";
import type { EffectiveNode } from "../effective.ts";
import { type Child, childMetadata, podSelector } from "./metadata.ts";

const CLIENT_PORTS: readonly PortName[] = ["federation", "web", "replay"];
const POD_PORTS: readonly PortName[] = ["federation", "web", "replay", "admin", "metrics"];

/** Marks the Service that the ServiceMonitor selects, so that each pod is scraped once. */
export const METRICS_LABELS = { [LABELS.appComponent]: "pods" } as const;

function servicePorts(names: readonly PortName[]) {
  return names.map((name) => ({ name, port: PORTS[name], targetPort: name, protocol: "TCP" }));
}

/** Publishes pods before they are ready: the operator asks a starting pod how far it is. */
export function headlessService(node: EffectiveNode): Child {
  const metadata = childMetadata(node, childNames(node.name).headlessService);
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...metadata, labels: { ...metadata.labels, ...METRICS_LABELS } },
    spec: {
      clusterIP: "None",
      publishNotReadyAddresses: true,
      selector: podSelector(node.name),
      ports: servicePorts(POD_PORTS),
    },
  };
}

export function clientService(node: EffectiveNode): Child {
  const wanted = node.spec.endpoint?.service;
  const metadata = childMetadata(node, childNames(node.name).service);
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: wanted?.annotations === undefined ? metadata : { ...metadata, annotations: wanted.annotations },
    spec: {
      type: wanted?.type ?? "ClusterIP",
      selector: podSelector(node.name),
      ports: servicePorts(CLIENT_PORTS),
    },
  };
}
