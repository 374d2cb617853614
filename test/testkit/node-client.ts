/** HTTPS calls to a node under test with its own CA: what came back, nothing thrown for a status. */
import { Agent, type Dispatcher, request } from "undici";

const CONNECT_MS = 60_000;
const KEEP_ALIVE_MS = 4_000;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** Parsed, when it is JSON; `undefined` otherwise. */
  readonly json: unknown;
}

export interface CallOptions {
  readonly method?: Dispatcher.HttpMethod | "TRACE";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Dispatcher.DispatchOptions["body"];
}

export interface NodeClient extends AsyncDisposable {
  call(path: string, options?: CallOptions): Promise<Answer>;
}

/**
 * @param tls - `ca`: PEM to trust; `cert` and `key`: to present; `servername`: when the address is not the name
 */
export function nodeClient(
  baseUrl: string,
  tls: { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly servername?: string } = {},
): NodeClient {
  const agent = new Agent({
    // A hundred handshakes at once take seconds on a busy machine.
    connect: { ...tls, maxCachedSessions: 0, timeout: CONNECT_MS },
    headersTimeout: 60_000,
    // Else a connection is kept as long as the server offers, and may be closed under a request after a pause.
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
  });
  const call = async (path: string, options: CallOptions = {}): Promise<Answer> => {
    const answer = await request(new URL(path, baseUrl), {
      dispatcher: agent,
      method: (options.method ?? "GET") as Dispatcher.HttpMethod,
      headers: { ...options.headers },
      ...(options.body === undefined ? {} : { body: options.body }),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, headers: answer.headers, text, json: parse(text) };
  };
  return { call, [Symbol.asyncDispose]: () => agent.destroy() };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
