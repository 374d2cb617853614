/** Whether a quota is in force: its status is the controller's, and the API server refuses by a cache that lags behind it. */
import { RESOURCES } from "../../operator/src/controllers/resource-types.ts";
import { KubeError } from "../../operator/src/kube/api-errors.ts";
import type { KubeClient } from "../../operator/src/kube/client.ts";
import { waitUntil } from "./wait-until.ts";

const DEADLINE_MS = 60_000;

/** Waits until the API server admits another Service or Secret to the namespace, or refuses it; nothing is stored. */
export async function untilAdmitted(
  client: KubeClient,
  { kind, namespace, admitted }: { readonly kind: "Service" | "Secret"; readonly namespace: string; admitted: boolean },
  signal: AbortSignal,
): Promise<void> {
  const spec = kind === "Service" ? { spec: { ports: [{ port: 1 }] } } : {};
  const body = { apiVersion: "v1", kind, metadata: { namespace, name: "one-more" }, ...spec };
  const path = `/api/v1/namespaces/${namespace}/${RESOURCES[kind].plural}`;
  const isAdmitted = async () => {
    try {
      await client.request({ method: "POST", path, query: { dryRun: "All" }, body }, signal);
      return true;
    } catch (error) {
      if (error instanceof KubeError && error.code === "FORBIDDEN") return false;
      throw error;
    }
  };
  const what = `another ${kind} in ${namespace} to be ${admitted ? "admitted" : "refused"}`;
  await waitUntil(what, async () => (await isAdmitted()) === admitted, { deadlineMs: DEADLINE_MS, signal });
}
