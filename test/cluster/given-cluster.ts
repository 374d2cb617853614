/** Someone else's cluster in the place of an API server of ours: the one that `ARCHIVE_TEST_KUBECONFIG` names. */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type TempDir, tempDir } from "../testkit/temp-dir.ts";
import { waitUntil } from "../testkit/wait-until.ts";
import type { ApiServer } from "./api-server-handle.ts";
import { BIN } from "./cache-folder.mjs";
import { type Credentials, createSigningRequest } from "./certificates.ts";
import { readKubeconfig, writeKubeconfig } from "./kubeconfig.ts";

/** Users come from its own certificate signer, and nothing is stopped. */
export async function useCluster(kubeconfigPath: string): Promise<ApiServer> {
  const { url, caPem, user } = await readKubeconfig(kubeconfigPath);
  const dir = await tempDir("kubeconfigs");
  const notOurs = () => {
    throw new Error("ARCHIVE_TEST_KUBECONFIG is set: that API server is not ours to break");
  };
  return {
    url,
    kubeconfigPath,
    caPem,
    admin: user,
    auditLogPath: undefined,
    userKubeconfig: async (name, groups) => {
      const path = join(dir.path, `user-${encodeURIComponent(name)}.kubeconfig`);
      await writeKubeconfig(path, { url, caPem, user: await signedByCluster(kubeconfigPath, dir, name, groups) });
      return path;
    },
    pause: notOurs,
    resume: notOurs,
    kill: notOurs,
    startAgain: notOurs,
    stop: () => dir.remove(),
  };
}

/** Has `kubernetes.io/kube-apiserver-client` sign a client certificate, and removes the request again. */
async function signedByCluster(
  kubeconfigPath: string,
  dir: TempDir,
  name: string,
  groups: readonly string[],
): Promise<Credentials> {
  const kubectl = async (...args: readonly string[]) =>
    (await promisify(execFile)(join(BIN, "kube"), ["kubectl", "--kubeconfig", kubeconfigPath, ...args])).stdout;
  const { request: pem, key } = await createSigningRequest(name, groups);
  const path = join(dir.path, "signing-request.json");
  const body = {
    apiVersion: "certificates.k8s.io/v1",
    kind: "CertificateSigningRequest",
    metadata: { generateName: "archive-test-" },
    spec: {
      request: Buffer.from(pem).toString("base64"),
      signerName: "kubernetes.io/kube-apiserver-client",
      expirationSeconds: 3_600,
      usages: ["client auth"],
    },
  };
  await writeFile(path, JSON.stringify(body));
  const csr = (await kubectl("create", "-f", path, "-o", "name")).trim();
  try {
    await kubectl("certificate", "approve", csr.replace(/^.*\//, ""));
    const cert = await waitUntil(
      `a signed certificate for ${name}`,
      async () => (await kubectl("get", csr, "-o", "jsonpath={.status.certificate}")) || undefined,
      { deadlineMs: 30_000, everyMs: 200 },
    );
    return { cert: Buffer.from(cert, "base64").toString("utf8"), key };
  } finally {
    await kubectl("delete", csr, "--wait=false");
  }
}
