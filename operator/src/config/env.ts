/** Every environment variable of the operator, raw: the one file that reads them. */

export interface RawEnvironment {
  readonly podName: string | undefined;
  readonly podNamespace: string | undefined;
  readonly watchNamespaces: string | undefined;
  readonly kubeconfig: string | undefined;
  readonly kubernetesHost: string | undefined;
  readonly kubernetesPort: string | undefined;
  readonly logLevel: string | undefined;
  readonly metricsHost: string | undefined;
  readonly metricsPort: string | undefined;
  readonly metricsSecurePort: string | undefined;
  readonly metricsCertificateFolder: string | undefined;
  readonly leaderElection: string | undefined;
  readonly workers: string | undefined;
  readonly resyncSeconds: string | undefined;
  readonly nodeImage: string | undefined;
  readonly nodeVersion: string | undefined;
  readonly nodePullPolicy: string | undefined;
  readonly className: string | undefined;
}

export function readEnvironment(): RawEnvironment {
  const { env } = process;
  return {
    /** Set by the downward API. */
    podName: env["POD_NAME"],
    podNamespace: env["POD_NAMESPACE"],
    /** Namespaces to look after, separated by commas; all when unset. */
    watchNamespaces: env["WATCH_NAMESPACES"],
    kubeconfig: env["KUBECONFIG"],
    /** Set by the kubelet in every pod. */
    kubernetesHost: env["KUBERNETES_SERVICE_HOST"],
    kubernetesPort: env["KUBERNETES_SERVICE_PORT"],
    logLevel: env["LOG_LEVEL"],
    metricsHost: env["METRICS_HOST"],
    metricsPort: env["METRICS_PORT"],
    /** Serves metrics there over HTTPS to whoever may `get` `/metrics`, and no longer on METRICS_PORT. */
    metricsSecurePort: env["METRICS_SECURE_PORT"],
    /** Folder with `tls.crt` and `tls.key` for that port; self-signed when unset. */
    metricsCertificateFolder: env["METRICS_CERTIFICATE_FOLDER"],
    /** `false` for a single process on a developer's machine. */
    leaderElection: env["LEADER_ELECTION"],
    /** Keys each controller works at the same time. */
    workers: env["WORKERS"],
    resyncSeconds: env["RESYNC_SECONDS"],
    /** Image of the pods when an ArchiveNode names none: repository, release, when to pull. */
    nodeImage: env["NODE_IMAGE"],
    nodeVersion: env["NODE_VERSION"],
    nodePullPolicy: env["NODE_PULL_POLICY"],
    /** Which ArchiveNodes are ours: those with this `spec.className`; those without one when unset. */
    className: env["CLASS_NAME"],
  };
}
