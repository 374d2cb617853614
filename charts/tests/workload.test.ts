/** What runs: two pods of the operator, restricted, electing a leader, reachable for metrics and for nothing else. */
import { describe, expect, it } from "vitest";
import { checkConfig } from "../../operator/src/config/config.ts";
import { type Manifest, render, renderText } from "../../test/testkit/chart.ts";

interface PodSpec {
  readonly serviceAccountName: string;
  readonly hostNetwork?: boolean;
  readonly securityContext: object;
  readonly volumes: readonly object[];
  readonly containers: readonly {
    readonly image: string;
    readonly env: readonly { readonly name: string; readonly value?: string }[];
    readonly securityContext: object;
    readonly resources: { readonly limits?: object };
  }[];
}
interface Workload extends Manifest {
  readonly spec: { readonly replicas: number; readonly template: { readonly spec: PodSpec } };
}

const only = (manifests: readonly Manifest[], kind: string) => manifests.filter((one) => one.kind === kind);
async function deployment(...values: readonly string[]) {
  const [found] = only(await render(...values), "Deployment") as Workload[];
  const container = found?.spec.template.spec.containers[0];
  if (found === undefined || container === undefined) throw new Error("the chart renders no Deployment");
  return { replicas: found.spec.replicas, pod: found.spec.template.spec, container };
}

describe("the Deployment", () => {
  it("has two pods that elect a leader and stay under Pod Security `restricted`", async () => {
    const { replicas, pod, container } = await deployment();
    expect(replicas).toBe(2);
    // The program elects unless it is told not to.
    expect(container.env.find(({ name }) => name === "LEADER_ELECTION")?.value ?? "true").toBe("true");
    expect(pod).toMatchObject({
      securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: "RuntimeDefault" } },
      volumes: [{ emptyDir: {} }],
    });
    expect(pod).not.toHaveProperty("hostNetwork");
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    expect(container.resources.limits).not.toHaveProperty("cpu");
  });

  it("hands the operator settings that it accepts", async () => {
    const { container } = await deployment("className=blue", "logLevel=debug", "watchNamespaces={a,b}");
    const env = Object.fromEntries(container.env.map(({ name, value }) => [name, value]));
    const config = checkConfig({
      podName: undefined,
      podNamespace: undefined,
      kubeconfig: undefined,
      kubernetesHost: undefined,
      kubernetesPort: undefined,
      metricsHost: env["METRICS_HOST"],
      leaderElection: env["LEADER_ELECTION"],
      workers: env["WORKERS"],
      resyncSeconds: env["RESYNC_SECONDS"],
      watchNamespaces: env["WATCH_NAMESPACES"],
      logLevel: env["LOG_LEVEL"],
      metricsPort: env["METRICS_PORT"],
      nodeImage: env["NODE_IMAGE"],
      nodeVersion: env["NODE_VERSION"],
      nodePullPolicy: env["NODE_PULL_POLICY"],
      className: env["CLASS_NAME"],
    });
    expect(config).toMatchObject({
      className: "blue",
      logLevel: "debug",
      watchNamespaces: ["a", "b"],
      leaderElection: true,
      metricsPort: 9090,
    });
  });

  it("takes its image by release, by tag, and by digest before tag", async () => {
    const digest = `sha256:${"ab".repeat(32)}`;
    const image = async (...values: readonly string[]) => (await deployment(...values)).container.image;
    expect(await image()).toMatch(/^ghcr\.io\/archivestream\/archive-operator:\d+\.\d+\.\d+$/);
    expect(await image("image.tag=v9")).toBe("ghcr.io/archivestream/archive-operator:v9");
    expect(await image("image.tag=v9", `image.digest=${digest}`)).toBe(
      `ghcr.io/archivestream/archive-operator@${digest}`,
    );
  });

  it("has a disruption budget as soon as there are two pods", async () => {
    expect(only(await render(), "PodDisruptionBudget")).toHaveLength(1);
    expect(only(await render("replicas=1"), "PodDisruptionBudget")).toEqual([]);
  });
});

describe("the network", () => {
  it("lets metrics in, and DNS, the API server and admin ports out", async () => {
    const [policy] = only(await render(), "NetworkPolicy");
    expect(policy).toMatchObject({
      spec: { policyTypes: ["Ingress", "Egress"], ingress: [{ ports: [{ protocol: "TCP", port: 9090 }] }] },
    });
    const { egress } = (policy as unknown as { spec: { egress: { ports: { port: number }[] }[] } }).spec;
    expect(egress.flatMap(({ ports }) => ports.map(({ port }) => port))).toEqual([53, 53, 443, 6443, 8444]);
    expect(only(await render("networkPolicy.enabled=false"), "NetworkPolicy")).toEqual([]);
  });

  it("has a ServiceMonitor when asked, and only with the Service it reads", async () => {
    expect(only(await render(), "ServiceMonitor")).toEqual([]);
    const [monitor] = only(await render("metrics.serviceMonitor.enabled=true"), "ServiceMonitor");
    expect(monitor).toMatchObject({ spec: { endpoints: [{ port: "metrics", interval: "30s" }] } });
    await expect(renderText("metrics.serviceMonitor.enabled=true", "metrics.service.enabled=false")).rejects.toThrow(
      /needs metrics\.service\.enabled/,
    );
  });
});
