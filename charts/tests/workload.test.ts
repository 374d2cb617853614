/** What runs: two pods of the operator, restricted, electing a leader, reachable for metrics and for nothing else. */
import { describe, expect, it } from "vitest";
import { checkConfig } from "../../operator/src/config/config.ts";
import { type Manifest, render, renderTests, renderText } from "../../test/testkit/chart.ts";

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
/** Settings as the operator's program would read them. */
function configOf({ env }: PodSpec["containers"][number]) {
  const given = Object.fromEntries(env.map(({ name, value }) => [name, value]));
  return checkConfig({
    podName: undefined,
    podNamespace: undefined,
    kubeconfig: undefined,
    kubernetesHost: undefined,
    kubernetesPort: undefined,
    metricsHost: given["METRICS_HOST"],
    metricsSecurePort: given["METRICS_SECURE_PORT"],
    metricsCertificateFolder: given["METRICS_CERTIFICATE_FOLDER"],
    leaderElection: given["LEADER_ELECTION"],
    workers: given["WORKERS"],
    resyncSeconds: given["RESYNC_SECONDS"],
    watchNamespaces: given["WATCH_NAMESPACES"],
    logLevel: given["LOG_LEVEL"],
    metricsPort: given["METRICS_PORT"],
    nodeImage: given["NODE_IMAGE"],
    nodeVersion: given["NODE_VERSION"],
    nodePullPolicy: given["NODE_PULL_POLICY"],
    className: given["CLASS_NAME"],
  });
}

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
    const config = configOf(container);
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
  const portsOut = (policy: Manifest | undefined) =>
    (policy as unknown as { spec: { egress: { ports: { port: number }[] }[] } }).spec.egress.flatMap(({ ports }) =>
      ports.map(({ port }) => port),
    );

  it("lets metrics in, and DNS, the API server and admin ports out", async () => {
    const [policy] = only(await render(), "NetworkPolicy");
    expect(policy).toMatchObject({
      spec: { policyTypes: ["Ingress", "Egress"], ingress: [{ ports: [{ protocol: "TCP", port: 9090 }] }] },
    });
    expect(portsOut(policy)).toEqual([53, 53, 443, 6443, 8444]);
    expect(only(await render("networkPolicy.enabled=false"), "NetworkPolicy")).toEqual([]);
  });

  it("leads to an API server that listens elsewhere", async () => {
    const [policy] = only(await render("networkPolicy.apiServerPorts={443,16443}"), "NetworkPolicy");
    expect(portsOut(policy)).toEqual([53, 53, 443, 16_443, 8444]);
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

describe("metrics for whoever may read them", () => {
  const SECURE = "metrics.secure.enabled=true";
  const names = (manifests: readonly Manifest[], kind: string) =>
    only(manifests, kind).map(({ metadata }) => metadata.name);

  it("are on an HTTPS port of their own, which Service, NetworkPolicy and ServiceMonitor follow", async () => {
    const manifests = await render(SECURE, "metrics.serviceMonitor.enabled=true");
    const { container } = await deployment(SECURE);
    expect(configOf(container)).toMatchObject({ metricsSecurePort: 8443, metricsCertificateFolder: undefined });
    expect(container).toMatchObject({
      ports: [{ containerPort: 9090 }, { name: "metrics-https", containerPort: 8443 }],
    });
    const [service] = only(manifests, "Service");
    expect(service).toMatchObject({ spec: { ports: [{ name: "metrics-https", port: 8443 }] } });
    const [policy] = only(manifests, "NetworkPolicy");
    expect(policy).toMatchObject({ spec: { ingress: [{ ports: [{ port: 9090 }, { port: 8443 }] }] } });
    const [monitor] = only(manifests, "ServiceMonitor");
    expect(monitor).toMatchObject({
      spec: { endpoints: [{ port: "metrics-https", scheme: "https", tlsConfig: { insecureSkipVerify: true } }] },
    });
  });

  it("are checked with the CA of a certificate that is given", async () => {
    const given = [SECURE, "metrics.secure.certificateSecret=tls", "metrics.serviceMonitor.enabled=true"];
    const { container, pod } = await deployment(...given);
    expect(configOf(container).metricsCertificateFolder).toBe("/metrics-certificate");
    expect(pod.volumes).toContainEqual({ name: "metrics-certificate", secret: { secretName: "tls" } });
    const [monitor] = only(await render(...given), "ServiceMonitor");
    const tlsConfig = {
      ca: { secret: { name: "tls", key: "ca.crt" } },
      serverName: "archive-operator-metrics.archive-system.svc",
    };
    expect(monitor).toMatchObject({ spec: { endpoints: [{ tlsConfig }] } });
  });

  it("need rights in the whole cluster, which nobody gets without asking", async () => {
    const scope = "rbac.scope=Namespaced";
    expect(names(await render(scope), "ClusterRole")).toEqual([]);
    expect(names(await render(scope, SECURE), "ClusterRole")).toEqual([
      "archive-system-archive-operator-reviews",
      "archive-system-archive-operator-metrics-reader",
    ]);
    expect(names(await render(scope, SECURE, "rbac.create=false"), "ClusterRole")).toEqual([]);
  });
});

describe("helm test", () => {
  it("makes an ArchiveNode where the operator acts, with no more rights than that, and leaves nothing", async () => {
    const manifests = await renderTests("rbac.scope=Namespaced", "watchNamespaces={alpha,beta}", "className=blue");
    const role = only(manifests, "Role")[0];
    expect(role?.metadata.namespace).toBe("alpha");
    expect(role).toMatchObject({
      rules: [{ apiGroups: ["archivestream.io"], resources: ["archivenodes"], verbs: ["create", "get", "delete"] }],
    });
    for (const { metadata } of manifests)
      expect(metadata.annotations?.["helm.sh/hook-delete-policy"]).toBe("before-hook-creation,hook-succeeded");
    const [pod] = only(manifests, "Pod");
    expect(pod).toMatchObject({
      metadata: { namespace: "archive-system" },
      spec: {
        restartPolicy: "Never",
        securityContext: { runAsNonRoot: true },
        containers: [{ env: expect.anything() as unknown }],
      },
    });
    expect(JSON.stringify(pod)).toContain(JSON.stringify({ name: "POD_NAMESPACE", value: "alpha" }));
    expect(JSON.stringify(pod)).toContain(JSON.stringify({ name: "CLASS_NAME", value: "blue" }));
    expect(await renderTests("rbac.create=false")).toEqual([]);
  });

  it("is not selected by the operator's Service, NetworkPolicy or disruption budget", async () => {
    const [pod] = only(await renderTests(), "Pod") as (Manifest & { metadata: { labels: Record<string, string> } })[];
    const [service] = only(await render(), "Service") as unknown as { spec: { selector: Record<string, string> } }[];
    expect(pod?.metadata.labels["app.kubernetes.io/name"]).not.toBe(service?.spec.selector["app.kubernetes.io/name"]);
  });
});
