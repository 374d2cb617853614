/** Tells a Prometheus operator to scrape the pods; made only where that kind exists. */
import { childNames } from "../../names.ts";
import type { EffectiveNode } from "../effective.ts";
import { type Child, childMetadata, podSelector } from "./metadata.ts";
import { METRICS_LABELS } from "./services.ts";

export function serviceMonitor(node: EffectiveNode): Child {
  const interval = node.spec.monitoring?.interval;
  return {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "ServiceMonitor",
    metadata: childMetadata(node, childNames(node.name).statefulSet),
    spec: {
      selector: { matchLabels: { ...podSelector(node.name), ...METRICS_LABELS } },
      endpoints: [{ port: "metrics", path: "/metrics", ...(interval === undefined ? {} : { interval }) }],
    },
  };
}
