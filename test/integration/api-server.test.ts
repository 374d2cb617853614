/** The API server that the other integration tests stand on does what they rely on. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { BIN } from "../cluster/cache-folder.mjs";
import { operatorRequests } from "../testkit/operator-under-test.ts";
import { tempDir } from "../testkit/temp-dir.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const DEADLINE = { deadlineMs: 60_000 };
let server: ApiServer;

beforeAll(async () => {
  server = await startApiServer({ controllerManager: true, auditLog: true, signal: AbortSignal.timeout(150_000) });
});
afterAll(async () => {
  await server?.stop();
});

async function kubectl(kubeconfig: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(join(BIN, "kube"), ["kubectl", "--kubeconfig", kubeconfig, ...args]);
  return stdout.trim();
}

test("a user has the rights that RBAC gives, and no others", async () => {
  const user = await server.userKubeconfig("reader", ["readers"]);
  await expect(kubectl(user, "get", "configmaps")).rejects.toThrow(/cannot list resource "configmaps"/);
  await kubectl(server.kubeconfigPath, "create", "clusterrole", "read", "--verb=list", "--resource=configmaps");
  await kubectl(server.kubeconfigPath, "create", "clusterrolebinding", "read", "--clusterrole=read", "--group=readers");
  await waitUntil(
    "RBAC to allow it",
    async () => (await kubectl(user, "get", "configmaps", "-o", "name")) !== "never",
    DEADLINE,
  );
  await kubectl(server.kubeconfigPath, "delete", "clusterrole,clusterrolebinding", "read");
});

test("blocking an owner's deletion needs the right to update its finalizers", async () => {
  const user = await server.userKubeconfig("writer", []);
  const admin = (...args: readonly string[]) => kubectl(server.kubeconfigPath, ...args);
  await admin("create", "configmap", "owner");
  const uid = await admin("get", "configmap", "owner", "-o", "jsonpath={.metadata.uid}");
  await admin("create", "role", "write", "--verb=get,patch,delete", "--resource=secrets");
  await admin("create", "rolebinding", "write", "--role=write", "--user=writer");
  await admin("create", "secret", "generic", "owned");
  await waitUntil("RBAC to allow it", async () => (await kubectl(user, "get", "secret", "owned")) !== "", DEADLINE);
  const owner = { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid, blockOwnerDeletion: true };
  const patch = JSON.stringify({ metadata: { ownerReferences: [owner] } });
  await expect(kubectl(user, "patch", "secret", "owned", "-p", patch)).rejects.toThrow(/cannot set blockOwnerDeletion/);
  await admin("patch", "secret", "owned", "-p", patch);
  await admin("delete", "configmap", "owner");
  const isCollected = async () => !(await admin("get", "secrets", "-o", "name")).includes("owned");
  await waitUntil("garbage collection", isCollected, DEADLINE);
  await admin("delete", "role,rolebinding", "write");
});

test("every request is in the audit log when it was answered", async () => {
  await kubectl(server.kubeconfigPath, "create", "configmap", "audited");
  const requests = await operatorRequests(server, "admin");
  expect(requests.filter(({ verb, objectRef }) => verb === "create" && objectRef?.name === "audited")).toHaveLength(1);
});

test("stop leaves neither process nor file", async () => {
  await using before = await tempDir("stop");
  const other = await startApiServer({ signal: AbortSignal.timeout(150_000) });
  const folder = join(other.kubeconfigPath, "..");
  await other.stop();
  await expect(readFile(other.kubeconfigPath)).rejects.toThrow("ENOENT");
  const processes = await promisify(execFile)("ps", ["-eo", "args"]);
  expect(processes.stdout).not.toContain(folder);
  expect(before.path).not.toBe(folder);
});

test("a program that does not start is reported at once, with what it said", async () => {
  const start = startApiServer({ apiServerFlags: ["--no-such-flag"], signal: AbortSignal.timeout(150_000) });
  await expect(start).rejects.toThrow(/^kube-apiserver ended \(1\):[\s\S]*unknown flag: --no-such-flag/);
});
