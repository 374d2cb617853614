/**
 * Where the API server is and how we prove who we are: the pod's service account, or a kubeconfig.
 *
 * The pod's files are read directly; the Kubernetes client is loaded for a kubeconfig only, because importing it costs
 * most of a second and 90 MB. It is used for parsing, exec plug-ins and OIDC, never for requests.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { KubeError } from "./api-errors.ts";

export interface TlsMaterial {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

export interface Credentials {
  /** Origin and, behind some gateways, a path prefix. */
  readonly server: string;
  readonly authorization?: string;
  readonly tls: TlsMaterial;
}

export interface CredentialSource {
  /**
   * @param fresh - drop what is cached, because the server refused it
   * @throws {KubeError} `CREDENTIALS`
   */
  load(fresh: boolean): Promise<Credentials>;
}

const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/** The service account of the pod we run in; the kubelet replaces its token well before it ends. */
export function inClusterCredentials(server: string, folder: string = SERVICE_ACCOUNT): CredentialSource {
  return {
    load: async () => {
      try {
        const [token, ca] = await Promise.all([
          readFile(join(folder, "token"), "utf8"),
          readFile(join(folder, "ca.crt"), "utf8"),
        ]);
        return { server, authorization: `Bearer ${token.trim()}`, tls: { ca } };
      } catch (cause) {
        throw credentialsError(folder, cause);
      }
    },
  };
}

/** Certificates, tokens, exec plug-ins and OIDC of a kubeconfig; the file is read again on every load. */
export function kubeconfigCredentials(path: string | undefined, context?: string): CredentialSource {
  let parsed: { text: string; config: KubeConfigLike } | undefined;
  return {
    load: async (fresh) => {
      try {
        const text = path === undefined ? "" : await readFile(path, "utf8");
        // An exec plug-in's token is cached in the parsed value and renewed there when it runs out.
        if (fresh || parsed?.text !== text) parsed = { text, config: await parseKubeconfig(path, context) };
        return await credentialsOf(parsed.config);
      } catch (cause) {
        throw credentialsError(path ?? "default kubeconfig", cause);
      }
    },
  };
}

type KubeConfigLike = Awaited<ReturnType<typeof parseKubeconfig>>;

async function parseKubeconfig(path: string | undefined, context: string | undefined) {
  const { KubeConfig } = await import("@kubernetes/client-node/dist/config.js");
  const config = new KubeConfig();
  if (path === undefined) config.loadFromDefault();
  else config.loadFromFile(path);
  if (context !== undefined) config.setCurrentContext(context);
  return config;
}

async function credentialsOf(config: KubeConfigLike): Promise<Credentials> {
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error("the current context names no cluster");
  const options: HttpsParts = {};
  await config.applyToHTTPSOptions(options);
  const authorization = options.headers?.Authorization ?? basicAuth(options.auth);
  return {
    server: cluster.server,
    ...(authorization === undefined ? {} : { authorization }),
    tls: {
      ...(options.ca === undefined ? {} : { ca: options.ca }),
      ...(options.cert === undefined ? {} : { cert: options.cert }),
      ...(options.key === undefined ? {} : { key: options.key }),
      ...(options.servername === undefined ? {} : { servername: options.servername }),
      ...(options.rejectUnauthorized === undefined ? {} : { rejectUnauthorized: options.rejectUnauthorized }),
    },
  };
}

/** What the client writes into its https options. */
interface HttpsParts {
  ca?: string | Buffer;
  cert?: string | Buffer;
  key?: string | Buffer;
  servername?: string;
  rejectUnauthorized?: boolean;
  auth?: string;
  headers?: { Authorization?: string };
}

function basicAuth(userAndPassword: string | undefined): string | undefined {
  return userAndPassword === undefined ? undefined : `Basic ${Buffer.from(userAndPassword).toString("base64")}`;
}

function credentialsError(source: string, cause: unknown): KubeError {
  const message = `cannot read credentials from ${source}: ${cause instanceof Error ? cause.message : "unknown"}`;
  return new KubeError("CREDENTIALS", { method: "LOAD", path: source, message }, { cause });
}
