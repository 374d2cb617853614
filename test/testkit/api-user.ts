/** One user of an API server, in plain HTTP terms: tests of the API itself judge statuses and bodies, not a client's view. */
import { Agent, request } from "undici";
import { readKubeconfig } from "../cluster/kubeconfig.ts";

/** Far above what an idle API server takes; a hung one ends the test with a name to it. */
const ANSWER_DEADLINE_MS = 30_000;

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path and query. */
  readonly path: string;
  readonly body?: unknown;
  /** Default: `application/json`; a `PATCH` without it is a merge patch. */
  readonly contentType?: string;
  readonly accept?: string;
}

/** Any object or `metav1.Status`. */
export interface ApiBody {
  readonly kind?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly metadata?: { readonly resourceVersion?: string; readonly generation?: number };
  readonly details?: { readonly causes?: readonly { readonly field?: string; readonly message?: string }[] };
  readonly [field: string]: unknown;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: ApiBody;
  /** Texts of the `Warning` headers (RFC 7234, 5.5), such as unknown fields. */
  readonly warnings: readonly string[];
}

export interface ApiUser extends AsyncDisposable {
  /** Any status is an answer. @throws {Error} no answer within 30 s, or none at all */
  ask(asked: ApiRequest): Promise<ApiAnswer>;
}

/** Whoever the kubeconfig at `path` speaks for. */
export async function apiUser(path: string): Promise<ApiUser> {
  const { url, caPem, user } = await readKubeconfig(path);
  const agent = new Agent({ connect: { ca: caPem, cert: user.cert, key: user.key } });
  const ask = async (asked: ApiRequest): Promise<ApiAnswer> => {
    const { statusCode, headers, body } = await request(`${url}${asked.path}`, {
      dispatcher: agent,
      method: asked.method,
      headers: {
        accept: asked.accept ?? "application/json",
        "content-type": asked.contentType ?? defaultContentType(asked.method),
      },
      ...(asked.body === undefined ? {} : { body: textOf(asked.body) }),
      signal: AbortSignal.timeout(ANSWER_DEADLINE_MS),
    });
    return { status: statusCode, body: (await body.json()) as ApiBody, warnings: warningsOf(headers["warning"]) };
  };
  return { ask, [Symbol.asyncDispose]: () => agent.close() };
}

function defaultContentType(method: ApiRequest["method"]): string {
  return method === "PATCH" ? "application/merge-patch+json" : "application/json";
}

/** Text goes as it is: a manifest in YAML. */
function textOf(body: unknown): string {
  return typeof body === "string" ? body : JSON.stringify(body);
}

function warningsOf(header: string | string[] | undefined): readonly string[] {
  return [header ?? []].flat().flatMap((one) => /^299 \S+ "(.*)"$/.exec(one)?.[1] ?? []);
}
