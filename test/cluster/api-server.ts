/**
 * An API server alone, for tests that need no kubelet: etcd and kube-apiserver (and kube-controller-manager on
 * request) as processes on loopback, in about four seconds.
 *
 * RBAC is enforced and `OwnerReferencesPermissionEnforcement` is on, as on OpenShift: setting `blockOwnerDeletion`
 * takes the right to update the owner's finalizers. Data goes to a temporary folder that `stop` removes.
 * Tests that say `mayBeGiven` use the cluster of `ARCHIVE_TEST_KUBECONFIG` when that is set; nothing is started then.
 */
import { access, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import { freePorts } from "../testkit/free-port.ts";
import { type TempDir, tempDir } from "../testkit/temp-dir.ts";
import type { ApiServer, CrashingProgram } from "./api-server-handle.ts";
import { BIN } from "./cache-folder.mjs";
import { type Authority, type Credentials, createAuthority, createTokenKeys } from "./certificates.ts";
import { useCluster } from "./given-cluster.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import { type ServerProcess, startServer, untilReady } from "./server-process.ts";

export type { ApiServer } from "./api-server-handle.ts";

/** From start to ready takes 4 s on two idle cores; this much on busy ones. */
const READY_DEADLINE_MS = 120_000;
/** etcd answers after half a second; kube-apiserver gives up after 20 s without it. */
const ETCD_DEADLINE_MS = 30_000;
/** A start fails when another process takes a port between our look and the bind. Twice in a row is another reason. */
const ATTEMPTS = 2;
/** The API server waits up to a minute for a lost etcd; nobody needs that. */
const STOP_GRACE_MS = 5_000;
/** Reserved for tests (RFC 2544): nothing sent there leaves the machine by accident. */
const SERVICE_SUBNET = "198.19.96.0/20";

export interface ApiServerOptions {
  /** Also run kube-controller-manager: garbage collection, StatefulSets, namespaces, quota. Default false. */
  readonly controllerManager?: boolean;
  /** Log every request (one `audit.k8s.io/v1` Event per line, without bodies) to `auditLogPath`. Default false. */
  readonly auditLog?: boolean;
  /** More flags for kube-apiserver, for instance `--max-requests-inflight=1`. */
  readonly apiServerFlags?: readonly string[];
  /** More flags for kube-controller-manager, for instance `--kube-api-qps=200`. */
  readonly controllerManagerFlags?: readonly string[];
  /**
   * The caller changes nothing but namespaces of its own and breaks nothing, so that someone else's cluster may serve.
   * Excludes the other options. Default false: the server is the caller's own, whatever the environment says.
   */
  readonly mayBeGiven?: boolean;
  /** Ends the start; a running server is ended by `stop`. */
  readonly signal: AbortSignal;
}

/**
 * Starts an API server and waits until it is ready. A start that failed is tried once more on other ports, and what
 * failed is printed.
 *
 * @throws {Error} the programs are not built yet, or one of them ended or hung; the message quotes its log
 */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const theirs = process.env["ARCHIVE_TEST_KUBECONFIG"] ?? "";
  if (options.mayBeGiven === true && theirs !== "") return useCluster(theirs);
  await access(join(BIN, "kube")).catch(() => {
    throw new Error(`${BIN}/kube is not built: run "node test/cluster/programs.mjs" once`);
  });
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(options);
    } catch (error) {
      if (attempt === ATTEMPTS || options.signal.aborted) throw error;
      process.stderr.write(`an API server did not start, and is started anew on other ports: ${String(error)}\n`);
    }
  }
}

async function startOnce(options: ApiServerOptions): Promise<ApiServer> {
  const dir = await tempDir("api-server");
  const servers: ServerProcess[] = [];
  const stop = async () => {
    for (const server of [...servers].reverse())
      await server.stop(server.name === "kube-apiserver" ? STOP_GRACE_MS : 0);
    await dir.remove();
  };
  try {
    return await startAll(dir, servers, options, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startAll(
  dir: TempDir,
  servers: ServerProcess[],
  options: ApiServerOptions,
  stop: () => Promise<void>,
): Promise<ApiServer> {
  const start = async (name: string, args: readonly string[]) => {
    const server = await startServer({
      name,
      program: join(BIN, "kube"),
      args: [name, ...args],
      logPath: join(dir.path, `${name}.log`),
    });
    servers.push(server);
    return server;
  };
  const [etcdPort = 0, etcdPeerPort = 0, apiPort = 0] = await freePorts(3);
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const etcd = await start("etcd", etcdFlags(dir.path, etcdUrl, `http://127.0.0.1:${etcdPeerPort}`));
  const authority = await createAuthority();
  const admin = await authority.issueClient("admin", ["system:masters"]);
  await writePki(dir.path, authority);
  const etcdAnswers = async () => (await fetch(`${etcdUrl}/health`, { signal: AbortSignal.timeout(5_000) })).ok;
  await untilReady([etcd], etcdAnswers, { deadlineMs: ETCD_DEADLINE_MS, signal: options.signal });
  const api = await start("kube-apiserver", [
    ...apiServerFlags(dir.path, apiPort, etcdUrl),
    ...(options.auditLog === true ? await auditFlags(dir.path) : []),
    ...(options.apiServerFlags ?? []),
  ]);
  const url = `https://127.0.0.1:${apiPort}`;
  const kubeconfigPath = join(dir.path, "admin.kubeconfig");
  await writeKubeconfig(kubeconfigPath, { url, caPem: authority.caPem, user: admin });
  const ready = (signal: AbortSignal) => {
    const answers = () => isReady(url, authority.caPem, admin);
    return untilReady([api, etcd], answers, { deadlineMs: READY_DEADLINE_MS, signal });
  };
  await ready(options.signal);
  if (options.controllerManager === true) {
    const flags = controllerManagerFlags(dir.path, kubeconfigPath);
    await start("kube-controller-manager", [...flags, ...(options.controllerManagerFlags ?? [])]);
  }
  return {
    url,
    kubeconfigPath,
    caPem: authority.caPem,
    admin,
    auditLogPath: options.auditLog === true ? join(dir.path, "audit.log") : undefined,
    userKubeconfig: async (name, groups) => {
      const path = join(dir.path, `user-${encodeURIComponent(name)}.kubeconfig`);
      await writeKubeconfig(path, { url, caPem: authority.caPem, user: await authority.issueClient(name, groups) });
      return path;
    },
    pause: () => api.signal("SIGSTOP"),
    resume: () => api.signal("SIGCONT"),
    kill: (program) => serverOf(servers, program).stop(0),
    startAgain: async (program, signal) => {
      await serverOf(servers, program).startAgain();
      await ready(signal);
    },
    stop: async () => {
      api.signal("SIGCONT");
      await stop();
    },
  };
}

function serverOf(servers: readonly ServerProcess[], program: CrashingProgram): ServerProcess {
  const found = servers.find(({ name }) => name === program);
  if (found === undefined) throw new Error(`${program} was not started; ask startApiServer for it`);
  return found;
}

async function writePki(dir: string, authority: Authority): Promise<void> {
  const serving = await authority.issueServer("kube-apiserver");
  const tokens = createTokenKeys();
  const files: Readonly<Record<string, string>> = {
    "ca.crt": authority.caPem,
    "serving.crt": serving.cert,
    "serving.key": serving.key,
    "tokens.key": tokens.privateKey,
    "tokens.pub": tokens.publicKey,
  };
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(dir, name), text, { mode: 0o600 })));
}

function etcdFlags(dir: string, client: string, peer: string): readonly string[] {
  return [
    `--data-dir=${join(dir, "etcd")}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    "--unsafe-no-fsync", // the data is gone after the test anyway
    "--log-level=warn",
  ];
}

function apiServerFlags(dir: string, port: number, etcdUrl: string): readonly string[] {
  return [
    `--etcd-servers=${etcdUrl}`,
    "--bind-address=127.0.0.1",
    `--secure-port=${port}`,
    // Loopback is refused as an address for Endpoints; with the reconciler off, this one is never used.
    "--advertise-address=198.18.0.1",
    "--endpoint-reconciler-type=none",
    `--cert-dir=${dir}`,
    `--client-ca-file=${join(dir, "ca.crt")}`,
    `--tls-cert-file=${join(dir, "serving.crt")}`,
    `--tls-private-key-file=${join(dir, "serving.key")}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${join(dir, "tokens.pub")}`,
    `--service-account-signing-key-file=${join(dir, "tokens.key")}`,
    `--service-cluster-ip-range=${SERVICE_SUBNET}`,
    "--authorization-mode=RBAC",
    "--allow-privileged=true",
    "--enable-admission-plugins=OwnerReferencesPermissionEnforcement",
    // Without controllers nobody makes the accounts that this plug-in wants every pod to have.
    "--disable-admission-plugins=ServiceAccount",
  ];
}

async function auditFlags(dir: string): Promise<readonly string[]> {
  const policyPath = join(dir, "audit-policy.json");
  const policy = {
    apiVersion: "audit.k8s.io/v1",
    kind: "Policy",
    omitStages: ["RequestReceived"],
    rules: [{ level: "Metadata" }],
  };
  await writeFile(policyPath, JSON.stringify(policy));
  // Blocking: an answered request is in the log.
  return [
    `--audit-policy-file=${policyPath}`,
    `--audit-log-path=${join(dir, "audit.log")}`,
    "--audit-log-mode=blocking",
    // Megabytes. Without it the log is set aside at 100, and whoever counts requests counts too few.
    "--audit-log-maxsize=10240",
  ];
}

function controllerManagerFlags(dir: string, kubeconfigPath: string): readonly string[] {
  return [
    `--kubeconfig=${kubeconfigPath}`,
    "--bind-address=127.0.0.1",
    "--secure-port=0", // serve nothing
    "--leader-elect=false",
    "--use-service-account-credentials=true",
    `--service-account-private-key-file=${join(dir, "tokens.key")}`,
    `--root-ca-file=${join(dir, "ca.crt")}`,
    // Namespaces and owned objects go within a second or two instead of half a minute.
    "--concurrent-namespace-syncs=4",
  ];
}

/** True when every check behind `/readyz` passes. */
function isReady(url: string, ca: string, user: Credentials): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const asked = request(`${url}/readyz`, { ca, cert: user.cert, key: user.key, agent: false, timeout: 5_000 });
    asked.once("error", reject);
    asked.once("timeout", () => asked.destroy(new Error("no answer in 5 s")));
    asked.once("response", (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.end();
  });
}
