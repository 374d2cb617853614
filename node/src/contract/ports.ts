/** Ports of a node. Fixed: Services, NetworkPolicies and probes are rendered from this table. */
export const PORTS = {
  /** TLS 1.3 with the node's own certificate: `/api/v1/federation/*` and everything `web` serves. */
  federation: 8443,
  /** Plain HTTP for an Ingress that ends TLS: API, CDX, console. Never federation. */
  web: 8080,
  /** Plain HTTP: archived content only, an origin of its own. */
  replay: 8081,
  /** Mutual TLS: the operator only. */
  admin: 8444,
  /** Plain HTTP: `/metrics`, `/healthz`, `/readyz`. */
  metrics: 9090,
} as const;

export type PortName = keyof typeof PORTS;
