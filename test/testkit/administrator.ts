/**
 * The administrator of a test's API server. A write is given 4 s there, as every write of the operator is; a busy server
 * needs more at times. The operator comes again by itself, and so does the administrator: what fails here is no test's.
 */
import { KubeError, type KubeErrorCode } from "../../operator/src/kube/api-errors.ts";
import type { KubeClient } from "../../operator/src/kube/client.ts";
import { type KubeObject, keyOf, type ResourceType } from "../../operator/src/kube/objects.ts";
import { type ProxyTarget, startApiServerProxy } from "./api-server-proxy.ts";
import { connectTo, type KubeConnection } from "./kube-connection.ts";

/** May have been carried out all the same. */
const UNANSWERED: ReadonlySet<KubeErrorCode> = new Set(["TIMEOUT", "CONNECTION"]);
const TRIES = 3;

export async function administratorOf(server: ProxyTarget): Promise<KubeConnection> {
  const stack = new AsyncDisposableStack();
  const { client } = stack.use(connectTo(stack.use(await startApiServerProxy(server)).url));
  return { client: patient(client), [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function patient(client: KubeClient): KubeClient {
  return {
    ...client,
    get: (resource, key, signal) => patiently(() => client.get(resource, key, signal)),
    list: (resource, options, signal) => patiently(() => client.list(resource, options, signal)),
    patch: (target, body, options, signal) => patiently(() => client.patch(target, body, options, signal)),
    request: (request, signal) => patiently(() => client.request(request, signal)),
    create: <T extends KubeObject>(resource: ResourceType, object: T, signal: AbortSignal) =>
      patiently(async (isAgain) => {
        try {
          return await client.create(resource, object, signal);
        } catch (error) {
          const made = isAgain && hasCode(error, "ALREADY_EXISTS");
          const found = made ? await client.get<T>(resource, keyOf(object), signal) : undefined;
          if (found === undefined) throw error;
          return found;
        }
      }),
    delete: (target, options, signal) =>
      patiently(async (isAgain) => {
        try {
          return await client.delete(target, options, signal);
        } catch (error) {
          if (isAgain && hasCode(error, "CONFLICT")) return "deleted"; // its successor has another UID
          throw error;
        }
      }),
  };
}

async function patiently<T>(ask: (isAgain: boolean) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask(tries > 1);
    } catch (error) {
      if (tries === TRIES || !(error instanceof KubeError) || !UNANSWERED.has(error.code)) throw error;
    }
  }
}

function hasCode(error: unknown, code: KubeErrorCode): boolean {
  return error instanceof KubeError && error.code === code;
}
