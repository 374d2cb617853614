/**
 * Tests delete things: they use a cluster of their own or, where that does no harm, the one of ARCHIVE_TEST_KUBECONFIG,
 * never that of KUBECONFIG.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { writeKubeconfig } from "../cluster/kubeconfig.ts";
import { e2eCluster, helm, kubectl } from "../testkit/e2e-cluster.ts";
import { proxiedNamespace } from "../testkit/proxied-namespace.ts";
import { type TempDir, tempDir } from "../testkit/temp-dir.ts";

let folder: TempDir;
let server: ApiServer | undefined;

beforeEach(async ({ signal }) => {
  folder = await tempDir("given-kubeconfig");
  // The person's own: whoever reads it gets an address where nobody is.
  const own = join(folder.path, "own");
  vi.stubEnv("KUBECONFIG", own);
  server = await startApiServer({ signal });
  const { caPem, admin } = server;
  await writeKubeconfig(own, { url: "https://127.0.0.1:9", caPem, user: admin });
  vi.stubEnv("HELM_KUBEAPISERVER", "https://127.0.0.1:9");
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await server?.stop();
  await folder.remove();
});

test("KUBECONFIG is not read, ARCHIVE_TEST_KUBECONFIG is", async () => {
  vi.stubEnv("ARCHIVE_TEST_KUBECONFIG", server?.kubeconfigPath);
  vi.stubEnv("ARCHIVE_TEST_IMAGES", "registry:5000/node:1,registry:5000/operator:2");
  const cluster = await e2eCluster();
  expect(cluster.images?.operator).toEqual({ repository: "registry:5000/operator", tag: "2" });
  expect(await kubectl(cluster, ["get", "--raw", "/readyz"])).toBe("ok");
  expect(await helm(cluster, ["list", "--short", "--all-namespaces"])).toBe("");
  // It does lead elsewhere when it is read.
  const own = { ...cluster, env: { ...cluster.env, KUBECONFIG: String(process.env["KUBECONFIG"]) } };
  await expect(kubectl(own, ["get", "--raw", "/readyz"])).rejects.toThrow("127.0.0.1:9");
});

test("only tests that keep to namespaces of their own use the given cluster's API server", async ({ signal }) => {
  vi.stubEnv("ARCHIVE_TEST_KUBECONFIG", server?.kubeconfigPath);
  const given = await startApiServer({ mayBeGiven: true, signal });
  expect(given.url).toBe(server?.url);
  expect(() => given.pause()).toThrow("not ours to break");
  await given.stop();
  const own = await startApiServer({ auditLog: true, signal });
  try {
    expect(own.url).not.toBe(server?.url);
    expect(await readFile(own.auditLogPath ?? "", "utf8")).toContain("/readyz");
  } finally {
    await own.stop();
  }
});

test("a namespace that a test made in a given cluster goes with the test", async () => {
  vi.stubEnv("ARCHIVE_TEST_KUBECONFIG", server?.kubeconfigPath);
  const { namespace } = await (async () => {
    await using world = await proxiedNamespace(server as ApiServer);
    return world;
  })();
  // Nobody in this API server carries the removal out.
  const path = "jsonpath={.status.phase}";
  expect(await kubectl(await e2eCluster(), ["get", "namespace", namespace, "-o", path])).toBe("Terminating");
});
