/** Retry-After, sockets and credentials of the transport, against a real API server. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { createKubeClient } from "../../operator/src/kube/client.ts";
import type { Clock } from "../../operator/src/kube/clock.ts";
import { systemClock } from "../../operator/src/kube/clock.ts";
import {
  type CredentialSource,
  inClusterCredentials,
  kubeconfigCredentials,
} from "../../operator/src/kube/credentials.ts";
import { createKubeMetrics, NO_KUBE_METRICS } from "../../operator/src/kube/metrics.ts";
import { createTransport } from "../../operator/src/kube/transport.ts";
import { OPEN_FENCE } from "../../operator/src/kube/write-fence.ts";
import { createRegistry } from "../../operator/src/observability/registry.ts";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { createFakeClock } from "../testkit/fake-clock.ts";
import { CONFIG_MAPS } from "../testkit/kube-connection.ts";
import { proxiedNamespace } from "../testkit/proxied-namespace.ts";
import { tempDir } from "../testkit/temp-dir.ts";

let server: ApiServer;

beforeAll(async () => {
  server = await startApiServer({ signal: AbortSignal.timeout(150_000) });
});
afterAll(async () => {
  await server.stop();
});

/** A client with credentials of its own; it can ask the server who it is. */
function connect(credentials: CredentialSource, clock: Clock = systemClock) {
  const transport = createTransport({
    credentials,
    userAgent: "test",
    fence: OPEN_FENCE,
    metrics: NO_KUBE_METRICS,
    clock,
  });
  const client = createKubeClient(transport);
  return {
    client,
    whoAmI: async () => {
      const body = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
      const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
      const answer = await client.request({ method: "POST", path, body }, AbortSignal.timeout(30_000));
      return (answer as { status: { userInfo: { username: string } } }).status.userInfo.username;
    },
    [Symbol.asyncDispose]: () => transport.close(),
  };
}

/** A token as the kubelet would mount it. */
async function tokenFor(account: string): Promise<string> {
  await using admin = connect(kubeconfigCredentials(server.kubeconfigPath));
  const signal = AbortSignal.timeout(30_000);
  const resource = { group: "", version: "v1", kind: "ServiceAccount", plural: "serviceaccounts", namespaced: true };
  const key = { namespace: "default", name: account };
  const made = { apiVersion: "v1", kind: "ServiceAccount", metadata: key };
  if ((await admin.client.get(resource, key, signal)) === undefined) await admin.client.create(resource, made, signal);
  const path = `/api/v1/namespaces/default/serviceaccounts/${account}/token`;
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 3_600 } };
  const answer = await admin.client.request({ method: "POST", path, body }, signal);
  return (answer as { status: { token: string } }).status.token;
}

const accountName = (account: string) => `system:serviceaccount:default:${account}`;

test("429 with Retry-After is waited out and sent again, once, by the transport", async () => {
  await using world = await proxiedNamespace(server);
  const registry = createRegistry();
  const transport = createTransport({
    credentials: { load: async () => ({ server: world.proxy.url, tls: {} }) },
    userAgent: "test",
    fence: OPEN_FENCE,
    metrics: createKubeMetrics(registry),
    clock: systemClock,
  });
  world.proxy.addFault({ matches: () => true, fault: { kind: "answer", status: 429, retryAfterSeconds: 1 } });
  const startedMs = performance.now();
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", namespace: world.namespace } };
  await createKubeClient(transport).create(CONFIG_MAPS, object, world.signal);
  // Timers may fire up to a millisecond early.
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(999);
  expect(world.proxy.writes).toHaveLength(2);
  const host = new URL(world.proxy.url).host;
  const lines = (await registry.metrics()).split("\n");
  expect(lines).toContain(`rest_client_request_retries_total{code="429",verb="POST",host="${host}"} 1`);
  expect(lines).toContain(`rest_client_requests_total{code="429",method="POST",host="${host}"} 1`);
  expect(lines).toContain(`rest_client_requests_total{code="201",method="POST",host="${host}"} 1`);
  await transport.close();
});

test("429 without Retry-After, and any other failure, is the caller's: nothing is sent twice", async () => {
  await using world = await proxiedNamespace(server);
  const read = async () => world.client.get(CONFIG_MAPS, { namespace: world.namespace, name: "a" }, world.signal);
  for (const [status, code] of [
    [429, "TOO_MANY_REQUESTS"],
    [500, "SERVER_ERROR"],
    [504, "TIMEOUT"],
    [403, "FORBIDDEN"],
  ] as const) {
    world.proxy.addFault({ matches: () => true, fault: { kind: "answer", status } });
    await expect(read()).rejects.toMatchObject({ code, details: { status } });
  }
  world.proxy.addFault({ matches: () => true, fault: { kind: "reset" } });
  await expect(read()).rejects.toMatchObject({ code: "CONNECTION" });
  expect(world.proxy.requests).toHaveLength(5);
});

test("waiting for Retry-After ends with the caller's signal", async () => {
  await using world = await proxiedNamespace(server);
  world.proxy.addFault({ matches: () => true, fault: { kind: "answer", status: 429, retryAfterSeconds: 600 } });
  const key = { namespace: world.namespace, name: "a" };
  await expect(world.client.get(CONFIG_MAPS, key, AbortSignal.timeout(500))).rejects.toMatchObject({
    code: "TOO_MANY_REQUESTS",
  });
});

test("no answer within the deadline is a timeout, and an abort is told apart from it", async () => {
  await using world = await proxiedNamespace(server);
  world.proxy.addFault({ matches: () => true, fault: { kind: "delay", ms: 20_000 }, times: 2 });
  const request = { method: "GET", path: "/version", timeoutMs: 300 } as const;
  await expect(world.client.request(request, world.signal)).rejects.toMatchObject({ code: "TIMEOUT" });
  await expect(world.client.request({ ...request, timeoutMs: 20_000 }, AbortSignal.timeout(300))).rejects.toMatchObject(
    { code: "ABORTED" },
  );
});

test("2,000 requests leave the number of sockets flat", async () => {
  await using world = await proxiedNamespace(server);
  const key = { namespace: world.namespace, name: "absent" };
  let left = 2_000;
  const worker = async () => {
    while (left-- > 0) await world.client.get(CONFIG_MAPS, key, world.signal);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  expect(world.proxy.requests).toHaveLength(2_000);
  // A socket is free for the next request a moment after its answer is read, so there are more than workers.
  expect(world.proxy.acceptedSockets).toBeLessThanOrEqual(3 * 8);
});

test("a storm is bounded by the sockets, and all of it is answered", async () => {
  await using world = await proxiedNamespace(server);
  const key = { namespace: world.namespace, name: "absent" };
  await Promise.all(Array.from({ length: 500 }, () => world.client.get(CONFIG_MAPS, key, world.signal)));
  expect(world.proxy.acceptedSockets).toBeLessThanOrEqual(128);
});

test("a service account's token is read again from its file once a minute", async () => {
  await using folder = await tempDir("service-account");
  const clock = createFakeClock();
  await writeFile(join(folder.path, "ca.crt"), server.caPem);
  await writeFile(join(folder.path, "token"), `${await tokenFor("first")}\n`);
  await using connection = connect(inClusterCredentials(server.url, folder.path), clock);
  expect(await connection.whoAmI()).toBe(accountName("first"));
  // As the kubelet does it: the new file appears whole.
  await writeFile(join(folder.path, "token.new"), await tokenFor("second"));
  await rename(join(folder.path, "token.new"), join(folder.path, "token"));
  clock.advance(59_999);
  expect(await connection.whoAmI()).toBe(accountName("first"));
  clock.advance(1);
  expect(await connection.whoAmI()).toBe(accountName("second"));
});

test("a refused token is read again at once, and only once", async () => {
  await using folder = await tempDir("service-account");
  await writeFile(join(folder.path, "ca.crt"), server.caPem);
  await writeFile(join(folder.path, "token"), await tokenFor("first"));
  let loads = 0;
  const files = inClusterCredentials(server.url, folder.path);
  const counting: CredentialSource = {
    load: async (fresh) => {
      loads += 1;
      const credentials = await files.load(fresh);
      return loads === 1 ? { ...credentials, authorization: "Bearer outdated" } : credentials;
    },
  };
  await using connection = connect(counting);
  expect(await connection.whoAmI()).toBe(accountName("first"));
  expect(loads).toBe(2);
  await writeFile(join(folder.path, "token"), "never-valid");
  await using hopeless = connect(files);
  await expect(hopeless.whoAmI()).rejects.toMatchObject({ code: "UNAUTHORIZED" });
});

test("many requests refused together share one load", async () => {
  const token = await tokenFor("first");
  let loads = 0;
  await using connection = connect({
    load: async (fresh) => {
      loads += 1;
      return { server: server.url, tls: { ca: server.caPem }, authorization: `Bearer ${fresh ? token : "outdated"}` };
    },
  });
  const names = await Promise.all(Array.from({ length: 20 }, connection.whoAmI));
  expect(new Set(names)).toEqual(new Set([accountName("first")]));
  expect(loads).toBe(2);
});

test("missing credentials are a typed error that names the place", async () => {
  await using folder = await tempDir("service-account");
  await using connection = connect(inClusterCredentials(server.url, folder.path));
  await expect(connection.whoAmI()).rejects.toMatchObject({
    code: "CREDENTIALS",
    message: expect.stringContaining(folder.path) as string,
  });
});

/** The parts of a kubeconfig that the tests change. */
interface Kubeconfig {
  readonly users: readonly { readonly name: string; readonly user: object }[];
}

async function kubeconfigWith(path: string, user: object): Promise<void> {
  const config = parse(await readFile(server.kubeconfigPath, "utf8")) as Kubeconfig;
  const users = config.users.map((entry) => ({ ...entry, user }));
  await writeFile(path, stringify({ ...config, users }));
}

test("an exec plug-in gives the token, and is asked again when the server refuses it", async () => {
  await using folder = await tempDir("exec-plugin");
  const [tokenFile, plugin, kubeconfig] = ["token", "plugin.sh", "kubeconfig"].map((name) =>
    join(folder.path, name),
  ) as [string, string, string];
  const script = `#!/bin/sh
printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}' "$(cat ${tokenFile})"
`;
  await writeFile(plugin, script);
  await chmod(plugin, 0o755);
  await writeFile(tokenFile, "outdated");
  const apiVersion = "client.authentication.k8s.io/v1";
  await kubeconfigWith(kubeconfig, { exec: { apiVersion, command: plugin, interactiveMode: "Never" } });
  const source = kubeconfigCredentials(kubeconfig);
  expect(await source.load(false)).toMatchObject({ authorization: "Bearer outdated" });
  await writeFile(tokenFile, await tokenFor("plugged"));
  await using connection = connect(source);
  expect(await connection.whoAmI()).toBe(accountName("plugged"));
});

test("an exec plug-in that hangs holds up a request until its deadline, and is not run twice meanwhile", async () => {
  await using folder = await tempDir("exec-plugin");
  const [token, goOn, runs, plugin, kubeconfig] = ["token", "go-on", "runs", "plugin.sh", "kubeconfig"].map((name) =>
    join(folder.path, name),
  ) as [string, string, string, string, string];
  const script = `#!/bin/sh
echo run >> ${runs}
tries=0; while [ ! -e ${goOn} ] && [ $tries -lt 600 ]; do sleep 0.1; tries=$((tries + 1)); done
printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}' "$(cat ${token})"
`;
  await writeFile(plugin, script);
  await chmod(plugin, 0o755);
  await writeFile(token, await tokenFor("patient"));
  const apiVersion = "client.authentication.k8s.io/v1";
  await kubeconfigWith(kubeconfig, { exec: { apiVersion, command: plugin, interactiveMode: "Never" } });
  await using connection = connect(kubeconfigCredentials(kubeconfig));
  const request = { method: "GET", path: "/version", timeoutMs: 300 } as const;
  const ask = (signal: AbortSignal) => connection.client.request(request, signal);
  try {
    await expect(ask(AbortSignal.timeout(30_000))).rejects.toMatchObject({ code: "TIMEOUT" });
    await expect(ask(AbortSignal.timeout(100))).rejects.toMatchObject({ code: "ABORTED" });
  } finally {
    await writeFile(goOn, ""); // the plug-in must not outlive the test
  }
  expect(await connection.whoAmI()).toBe(accountName("patient"));
  expect(await readFile(runs, "utf8")).toBe("run\n");
});

test("a new client certificate is used once its file changed, and open requests end in peace", async () => {
  await using folder = await tempDir("certificate");
  const clock = createFakeClock();
  const kubeconfig = join(folder.path, "kubeconfig");
  await writeFile(kubeconfig, await readFile(await server.userKubeconfig("before-rotation", []), "utf8"));
  await using connection = connect(kubeconfigCredentials(kubeconfig), clock);
  expect(await connection.whoAmI()).toBe("before-rotation");
  await writeFile(kubeconfig, await readFile(await server.userKubeconfig("after-rotation", []), "utf8"));
  const underWay = connection.whoAmI();
  clock.sleepThrough(60_000);
  expect(await connection.whoAmI()).toBe("after-rotation");
  expect(await underWay).toBe("before-rotation");
});

test("a server that another authority vouches for is not talked to", async () => {
  await using connection = connect({
    load: async () => ({ server: server.url, tls: { ca: server.admin.cert }, authorization: "Bearer secret" }),
  });
  await expect(connection.whoAmI()).rejects.toMatchObject({ code: "CONNECTION" });
});

test("a long-lived process keeps no memory of past requests' signals", async () => {
  const program = new URL("../testkit/request-memory.ts", import.meta.url).pathname;
  await using world = await proxiedNamespace(server);
  const child = spawn(process.execPath, ["--expose-gc", program, world.proxy.url]);
  const [output, errors]: [string[], string[]] = [[], []];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk.toString()));
  await once(child, "exit");
  expect(errors.join("")).toBe("");
  // Deadlines that outlive their requests cost 994 bytes each.
  expect(Number(output.join(""))).toBeLessThan(200);
});
