/** A Kubernetes client of the operator's own making, aimed at a test's API server or at the proxy before it. */

import { createKubeClient, type KubeClient } from "../../operator/src/kube/client.ts";
import { systemClock } from "../../operator/src/kube/clock.ts";
import { NO_KUBE_METRICS } from "../../operator/src/kube/metrics.ts";
import type { ResourceType } from "../../operator/src/kube/objects.ts";
import { createTransport } from "../../operator/src/kube/transport.ts";
import { OPEN_FENCE, type WriteFence } from "../../operator/src/kube/write-fence.ts";

export interface KubeConnection extends AsyncDisposable {
  readonly client: KubeClient;
}

export const CONFIG_MAPS: ResourceType = {
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  namespaced: true,
};

export const NAMESPACES: ResourceType = {
  group: "",
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
  namespaced: false,
};

export function connectTo(url: string, fence: WriteFence = OPEN_FENCE): KubeConnection {
  const transport = createTransport({
    credentials: { load: async () => ({ server: url, tls: {} }) },
    userAgent: "archive-operator-test",
    fence,
    metrics: NO_KUBE_METRICS,
    clock: systemClock,
  });
  return { client: createKubeClient(transport), [Symbol.asyncDispose]: () => transport.close() };
}
