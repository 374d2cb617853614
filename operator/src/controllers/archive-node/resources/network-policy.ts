/**
 * Which connections a node's pods may have. Defence in depth: which addresses a node may call is decided by the node.
 */
import { PORTS } from "@archivestream/node/contract";
import { childNames } from "../../names.ts";
import type { EffectiveNode, OperatorSettings } from "../effective.ts";
import { type Child, childMetadata, podSelector } from "./metadata.ts";

const OPEN_PORTS = [PORTS.federation, PORTS.web, PORTS.replay, PORTS.metrics];
const HTTPS = 443;
const HTTP = 80;
const DNS = 53;

/** @param peerPorts - on which peers, seeds and addresses answer */
export function networkPolicy(
  node: EffectiveNode,
  settings: OperatorSettings,
  peerPorts: readonly number[] = [],
): Child {
  const policy = node.spec.networkPolicy;
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: childMetadata(node, childNames(node.name).statefulSet),
    spec: {
      podSelector: { matchLabels: podSelector(node.name) },
      policyTypes: ["Ingress", "Egress"],
      ingress: [
        { ports: OPEN_PORTS.map(tcp) },
        { ports: [tcp(PORTS.admin)], from: [operatorPods(settings)] },
        ...(policy?.extraIngress ?? []),
      ],
      egress: [
        { ports: [{ protocol: "UDP", port: DNS }, tcp(DNS)] },
        { ports: outgoingPorts(node, peerPorts).map(tcp) },
        ...(policy?.extraEgress ?? []),
      ],
    },
  };
}

/** Peers answer on 443 behind a gateway and on 8443 without one; plain HTTP is for crawling only. */
function outgoingPorts(node: EffectiveNode, peerPorts: readonly number[]): number[] {
  const usual = [HTTPS, PORTS.federation, ...(node.spec.crawl?.length ? [HTTP] : [])];
  return [...usual, ...peerPorts.filter((port) => !usual.includes(port))];
}

function operatorPods(settings: OperatorSettings) {
  return {
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": settings.operatorNamespace } },
    podSelector: { matchLabels: settings.operatorPodLabels },
  };
}

function tcp(port: number) {
  return { protocol: "TCP", port };
}
