/** Calls to peers over plain HTTP on this machine: what is under test is what is asked and what is made of the answers. */
import { Agent, request } from "undici";
import type { PeerCall, PeerCalls } from "../../node/src/peers/peer-calls.ts";

/** As the real calls throw it when a peer cannot be reached. */
class PeerError extends Error {
  override readonly name = "PeerError";
  readonly code = "DIAL_FAILED";
}

export interface LoopbackCalls extends PeerCalls, AsyncDisposable {
  /** Every call so far, as `GET /blob/... bytes=5-`. */
  readonly made: readonly string[];
}

/**
 * @param addressOf - base URL of a node id, without the path of the federation; `undefined`: it cannot be reached
 * @param authorization - who we are
 */
export function loopbackCalls(addressOf: (nodeId: string) => string | undefined, authorization: string): LoopbackCalls {
  const agent = new Agent({ keepAliveTimeout: 1_000 });
  const made: string[] = [];
  const ask = async (nodeId: string, call: PeerCall, signal: AbortSignal) => {
    made.push([call.method, call.path, call.headers?.["range"]].filter((part) => part !== undefined).join(" "));
    const address = addressOf(nodeId);
    if (address === undefined) throw new PeerError(`nobody at ${nodeId}`);
    try {
      const { statusCode, headers, body } = await request(`${address}/api/v1/federation${call.path}`, {
        ...{ dispatcher: agent, method: call.method, signal },
        headers: {
          authorization,
          ...(call.body === undefined ? {} : { "content-type": "application/json" }),
          ...call.headers,
        },
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      });
      const named = Object.entries(headers).map(([name, value]) => [name, String(value)]);
      return { status: statusCode, headers: Object.fromEntries(named) as Record<string, string>, body };
    } catch (error) {
      if (signal.aborted) throw error;
      throw new PeerError((error as Error).message, { cause: error });
    }
  };
  return {
    made,
    json: async (nodeId, call, { signal }) => {
      const answer = await ask(nodeId, call, signal);
      const text = await answer.body.text();
      return { ...answer, body: text === "" ? undefined : (JSON.parse(text) as unknown) };
    },
    stream: ask,
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}
