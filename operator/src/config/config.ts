/** The operator's settings, checked: a wrong one ends the start with every problem named. Pure. */
import type { RawEnvironment } from "./env.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

export interface Config {
  readonly podName: string;
  /** Where the lease and the operator's own secrets are. */
  readonly namespace: string;
  /** All namespaces when empty. */
  readonly watchNamespaces: readonly string[];
  /** `https://host:port` of the cluster the pod runs in; a kubeconfig is used when absent. */
  readonly inClusterServer: string | undefined;
  readonly kubeconfigPath: string | undefined;
  readonly logLevel: LogLevel;
  readonly metricsHost: string;
  readonly metricsPort: number;
  /** HTTPS with the API server's judgement of who may read; plain HTTP on `metricsPort` when absent. */
  readonly metricsSecurePort?: number | undefined;
  readonly metricsCertificateFolder?: string | undefined;
  readonly leaderElection: boolean;
  readonly workers: number;
  readonly resyncMs: number;
  /** Repository of the node's image, and the release to run where an ArchiveNode names none. */
  readonly nodeImage: string;
  readonly nodeVersion: string;
  readonly nodePullPolicy: string;
  /** `spec.className` of the ArchiveNodes to act on; empty for those without one. */
  readonly className: string;
}

export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`bad environment: ${problems.join("; ")}`);
    this.problems = problems;
  }
}

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** @throws {ConfigError} */
export function checkConfig(raw: RawEnvironment): Config {
  const problems: string[] = [];
  const integer = (name: string, given: string | undefined, range: IntegerRange) => {
    const value = given === undefined || given === "" ? range.default : Number(given);
    if (Number.isInteger(value) && value >= range.min && value <= range.max) return value;
    problems.push(`${name} must be a whole number from ${range.min} to ${range.max}, not "${given ?? ""}"`);
    return range.default;
  };
  const logLevel = LEVELS.find((level) => level === textOr(raw.logLevel, "info"));
  if (logLevel === undefined) problems.push(`LOG_LEVEL must be one of ${LEVELS.join(", ")}`);
  const election = textOr(raw.leaderElection, "true");
  if (election !== "true" && election !== "false") problems.push("LEADER_ELECTION must be true or false");
  const config: Config = {
    podName: textOr(raw.podName, "archive-operator"),
    namespace: textOr(raw.podNamespace, "default"),
    watchNamespaces: textOr(raw.watchNamespaces, "")
      .split(",")
      .filter((name) => name !== ""),
    inClusterServer: inClusterServer(raw),
    kubeconfigPath: text(raw.kubeconfig),
    logLevel: logLevel ?? "info",
    metricsHost: textOr(raw.metricsHost, "0.0.0.0"),
    metricsPort: integer("METRICS_PORT", raw.metricsPort, { min: 0, max: 65_535, default: 8080 }),
    metricsSecurePort:
      text(raw.metricsSecurePort) === undefined
        ? undefined
        : integer("METRICS_SECURE_PORT", raw.metricsSecurePort, { min: 0, max: 65_535, default: 0 }),
    metricsCertificateFolder: text(raw.metricsCertificateFolder),
    leaderElection: election === "true",
    workers: integer("WORKERS", raw.workers, { min: 1, max: 64, default: 8 }),
    resyncMs: 1000 * integer("RESYNC_SECONDS", raw.resyncSeconds, { min: 1, max: 86_400, default: 1_800 }),
    nodeImage: textOr(raw.nodeImage, "ghcr.io/archivestream/archive-node"),
    nodeVersion: textOr(raw.nodeVersion, "0.1.0"),
    nodePullPolicy: textOr(raw.nodePullPolicy, "IfNotPresent"),
    className: textOr(raw.className, ""),
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

interface IntegerRange {
  readonly min: number;
  readonly max: number;
  readonly default: number;
}

/** Empty counts as unset: charts render empty values for what nobody set. */
function text(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}

function textOr(value: string | undefined, fallback: string): string {
  return text(value) ?? fallback;
}

function inClusterServer(raw: RawEnvironment): string | undefined {
  const [host, port] = [text(raw.kubernetesHost), text(raw.kubernetesPort)];
  if (text(raw.kubeconfig) !== undefined || host === undefined || port === undefined) return undefined;
  return `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
