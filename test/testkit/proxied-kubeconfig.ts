/** A kubeconfig whose server is a proxy, which is the administrator towards the API server. */
import { readFile, writeFile } from "node:fs/promises";
import type { ApiServer } from "../cluster/api-server.ts";

/** @returns its path */
export async function proxiedKubeconfig(server: ApiServer, proxyUrl: string): Promise<string> {
  const path = await server.userKubeconfig(`proxied-${crypto.randomUUID().slice(0, 8)}`, []);
  const config = JSON.parse(await readFile(path, "utf8")) as { clusters: object[] };
  // The client library takes plain HTTP only where certificates are not checked.
  const cluster = { server: proxyUrl, "insecure-skip-tls-verify": true };
  await writeFile(path, JSON.stringify({ ...config, clusters: [{ name: "test", cluster }] }));
  return path;
}
