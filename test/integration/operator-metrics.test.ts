/** The operator's secure metrics port against a real API server, with the chart's rights for it and nothing else. */
import { request } from "node:https";
import { afterAll, beforeAll, expect, it } from "vitest";
import { compose, type Operator } from "../../operator/src/compose.ts";
import { checkConfig } from "../../operator/src/config/config.ts";
import { readEnvironment } from "../../operator/src/config/env.ts";
import type { KubeClient } from "../../operator/src/kube/client.ts";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import { SILENT } from "../../operator/src/runtime/log.ts";
import { startApiServer } from "../cluster/api-server.ts";
import { administratorOf } from "../testkit/administrator.ts";
import { render } from "../testkit/chart.ts";
import { OPERATOR_NAMESPACE, prepareCluster } from "../testkit/operator-under-test.ts";
import { waitUntil } from "../testkit/wait-until.ts";

/** The name that the bindings' ServiceAccount goes by; the certificate stands for its token. */
const ACCOUNT = `system:serviceaccount:${OPERATOR_NAMESPACE}:archive-operator`;
const RBAC = "rbac.authorization.k8s.io";
const PLURALS = new Map([
  ["Role", "roles"],
  ["RoleBinding", "rolebindings"],
  ["ClusterRole", "clusterroles"],
  ["ClusterRoleBinding", "clusterrolebindings"],
]);
const signal = AbortSignal.timeout(600_000);
const cleanUp = new AsyncDisposableStack();
let admin: KubeClient;
/** The first one leads; the second has no lease, so it may write nothing. */
let operators: readonly Operator[];

beforeAll(async () => {
  const server = await startApiServer({ signal });
  cleanUp.defer(() => server.stop());
  admin = cleanUp.use(await administratorOf(server)).client;
  await prepareCluster(admin, signal);
  for (const manifest of await render("rbac.scope=Namespaced", "metrics.secure.enabled=true")) await grant(manifest);
  for (const name of ["reader", "stranger"]) {
    const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { namespace: OPERATOR_NAMESPACE, name } };
    await admin.create(resource("", "ServiceAccount", "serviceaccounts", true), account, signal);
  }
  await grant({
    apiVersion: `${RBAC}/v1`,
    kind: "ClusterRoleBinding",
    metadata: { name: "prometheus" },
    roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: `${OPERATOR_NAMESPACE}-archive-operator-metrics-reader` },
    subjects: [{ kind: "ServiceAccount", namespace: OPERATOR_NAMESPACE, name: "reader" }],
  } as KubeObject);
  const kubeconfig = await server.userKubeconfig(ACCOUNT, []);
  operators = ["leader", "follower"].map((podName) => start(podName, kubeconfig));
});
afterAll(async () => {
  await cleanUp.disposeAsync();
});

function resource(group: string, kind: string, plural: string, namespaced: boolean) {
  return { group, version: "v1", kind, plural, namespaced };
}

async function grant(manifest: KubeObject | Awaited<ReturnType<typeof render>>[number]): Promise<void> {
  const plural = PLURALS.get(manifest.kind);
  if (plural === undefined) return;
  const { name, namespace } = manifest.metadata;
  const target = {
    resource: resource(RBAC, manifest.kind, plural, !manifest.kind.startsWith("Cluster")),
    key: { namespace, name },
  };
  const options = { contentType: "application/apply-patch+yaml", fieldManager: "helm", force: true } as const;
  await admin.patch(target, manifest, options, signal);
}

function start(podName: string, kubeconfig: string): Operator {
  const config = checkConfig({
    ...readEnvironment(),
    podName,
    podNamespace: OPERATOR_NAMESPACE,
    watchNamespaces: OPERATOR_NAMESPACE,
    kubeconfig,
    metricsHost: "127.0.0.1",
    metricsPort: "0",
    metricsSecurePort: "0",
  });
  const stop = new AbortController();
  const operator = compose(config, SILENT);
  const running = operator.run(stop.signal);
  cleanUp.defer(async () => {
    stop.abort();
    await running;
  });
  return operator;
}

async function tokenOf(name: string): Promise<string> {
  const path = `/api/v1/namespaces/${OPERATOR_NAMESPACE}/serviceaccounts/${name}/token`;
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 600 } };
  const answer = (await admin.request({ method: "POST", path, body }, signal)) as { status: { token: string } };
  return answer.status.token;
}

function scrape(operator: Operator, token?: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const options = { host: "127.0.0.1", port: operator.securePort(), path: "/metrics", headers, agent: false };
    const sent = request({ ...options, rejectUnauthorized: false }, (response) => {
      let body = "";
      response.on("data", (part: Buffer) => {
        body += part.toString();
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

it("gives metrics to an account that may read them, and to no other, on leader and follower", async () => {
  const [reader, stranger] = [await tokenOf("reader"), await tokenOf("stranger")];
  for (const operator of operators) {
    await waitUntil("the operator to listen", () => operator.securePort() !== undefined, { deadlineMs: 30_000 });
    // Rights take a moment to reach the authorizer, and a verdict holds for a minute.
    const allowed = await waitUntil(
      "the reader to be let in",
      async () => {
        const answer = await scrape(operator, reader);
        return answer.status === 200 && answer;
      },
      { deadlineMs: 90_000, everyMs: 500 },
    );
    expect(allowed.body).toContain("leader_election_master_status");
    expect((await scrape(operator, stranger)).status).toBe(403);
    expect((await scrape(operator, `${reader}x`)).status).toBe(401);
    expect((await scrape(operator)).status).toBe(401);
  }
});

it("has nothing but probes on the plain port", async () => {
  const [operator] = operators;
  const status = async (path: string) => (await fetch(`http://127.0.0.1:${operator?.healthPort()}${path}`)).status;
  expect(await status("/metrics")).toBe(404);
  expect(await status("/healthz")).toBe(200);
});
