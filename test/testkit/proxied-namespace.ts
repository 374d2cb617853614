/** One test's place on a shared API server: a fresh namespace, a proxy that can break things, a way past it. */
import type { KubeClient } from "../../operator/src/kube/client.ts";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import type { WriteFence } from "../../operator/src/kube/write-fence.ts";
import type { ApiServer } from "../cluster/api-server.ts";
import { type ApiServerProxy, startApiServerProxy } from "./api-server-proxy.ts";
import { CONFIG_MAPS, connectTo, NAMESPACES } from "./kube-connection.ts";

const REMOVAL_MS = 10_000;

export interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

export interface ProxiedNamespace extends AsyncDisposable {
  readonly namespace: string;
  /** What the tested code talks through. */
  readonly proxy: ApiServerProxy;
  readonly client: KubeClient;
  /** Past that proxy, so that a test's own requests are neither broken nor counted. */
  readonly past: KubeClient;
  /** Ends every request of the test after two minutes. */
  readonly signal: AbortSignal;
  /** Another proxy and client, as of another process. */
  another(fence?: WriteFence): Promise<{ readonly proxy: ApiServerProxy; readonly client: KubeClient }>;
  configMap(name: string): Promise<ConfigMap | undefined>;
  /** Merges into a ConfigMap as somebody else, past the proxy. */
  edit(name: string, patch: object): Promise<ConfigMap>;
}

export async function proxiedNamespace(server: ApiServer, fence?: WriteFence): Promise<ProxiedNamespace> {
  const stack = new AsyncDisposableStack();
  const another = async (ownFence?: WriteFence) => {
    const proxy = stack.use(await startApiServerProxy(server));
    return { proxy, client: stack.use(connectTo(proxy.url, ownFence)).client };
  };
  const { proxy, client } = await another(fence);
  const { client: past } = await another();
  const signal = AbortSignal.timeout(120_000);
  const namespace = `test-${crypto.randomUUID().slice(0, 8)}`;
  const body = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } };
  const { metadata } = await past.create(NAMESPACES, body, signal);
  stack.defer(() => removeNamespace(past, metadata));
  const target = (name: string) => ({ resource: CONFIG_MAPS, key: { namespace, name } });
  return {
    namespace,
    proxy,
    client,
    past,
    signal,
    another,
    configMap: (name) => past.get<ConfigMap>(CONFIG_MAPS, { namespace, name }, signal),
    edit: (name, patch) =>
      past.patch<ConfigMap>(
        target(name),
        patch,
        { contentType: "application/merge-patch+json", fieldManager: "somebody" },
        signal,
      ),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** In someone else's cluster nothing must stay. A failure is no test's: it would hide why that one failed. */
async function removeNamespace(client: KubeClient, { name, uid = "" }: KubeObject["metadata"]): Promise<void> {
  const signal = AbortSignal.timeout(REMOVAL_MS);
  await client.delete({ resource: NAMESPACES, key: { name } }, { uid }, signal).catch(() => undefined);
}
