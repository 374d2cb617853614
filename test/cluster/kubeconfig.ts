/** Writes and reads the one shape of kubeconfig that tests use: one cluster, one user with a client certificate. */
import { readFile, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parse } from "yaml";
import type { Credentials } from "./certificates.ts";

/** An API server and who we are there. */
export interface ApiAccess {
  readonly url: string;
  readonly caPem: string;
  readonly user: Credentials;
}

/** Writes a kubeconfig readable by its owner only. JSON is YAML. */
export async function writeKubeconfig(path: string, access: ApiAccess): Promise<void> {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
    clusters: [{ name: "test", cluster: { server: access.url, "certificate-authority-data": toBase64(access.caPem) } }],
    users: [
      {
        name: "test",
        user: {
          "client-certificate-data": toBase64(access.user.cert),
          "client-key-data": toBase64(access.user.key),
        },
      },
    ],
  };
  await writeFile(path, JSON.stringify(config, undefined, 1), { mode: 0o600 });
}

interface Kubeconfig {
  readonly "current-context"?: string;
  readonly contexts?: readonly { name: string; context: { cluster: string; user: string } }[];
  readonly clusters?: readonly { name: string; cluster: Record<string, string> }[];
  readonly users?: readonly { name: string; user: Record<string, string> }[];
}

/**
 * Reads the current context of a kubeconfig.
 *
 * @throws {Error} the context is missing, or its user has no client certificate
 */
export async function readKubeconfig(path: string): Promise<ApiAccess> {
  const config = parse(await readFile(path, "utf8")) as Kubeconfig;
  const context = config.contexts?.find((one) => one.name === config["current-context"])?.context;
  const cluster = config.clusters?.find((one) => one.name === context?.cluster)?.cluster;
  const user = config.users?.find((one) => one.name === context?.user)?.user;
  const url = cluster?.["server"];
  if (url === undefined) throw new Error(`${path}: the current context names no cluster with a server`);
  const folder = dirname(path);
  return {
    url,
    caPem: await readData(cluster, "certificate-authority", folder),
    user: {
      cert: await readData(user, "client-certificate", folder),
      key: await readData(user, "client-key", folder),
    },
  };
}

/** A value that stands in the file itself (`NAME-data`, base64) or in a file beside it (`NAME`). */
async function readData(fields: Record<string, string> | undefined, name: string, folder: string): Promise<string> {
  const inline = fields?.[`${name}-data`];
  if (inline !== undefined) return Buffer.from(inline, "base64").toString("utf8");
  const path = fields?.[name];
  if (path === undefined) throw new Error(`the kubeconfig has no ${name}: tests need client certificates`);
  return readFile(resolve(folder, path), "utf8");
}

function toBase64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}
