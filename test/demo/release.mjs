/**
 * The operator in a cluster by its Helm chart, and ArchiveNodes until they are ready: the part of the demo that the
 * end-to-end tests share. Node 20, no dependencies.
 */
import { join } from "node:path";
import { logged, output } from "../run/command.mjs";
import { ROOT } from "../run/dependencies.mjs";
import { PlainError } from "../run/steps.mjs";

const CHART = join(ROOT, "charts/archive-operator");
export const RELEASE = "archive-operator";
export const OPERATOR_NAMESPACE = "archive-system";
const READY_SECONDS = 180;

const imageValues = (key, { repository, tag }) => [
  ...["--set", `${key}.repository=${repository}`],
  ...["--set", `${key}.tag=${tag}`],
];

/** @typedef {{env: Record<string, string>}} Cluster */
/** @typedef {{repository: string, tag: string}} Image */

/** What helm is called with; `images` as for `installOperator`. */
export function helmArguments(images) {
  const release = ["upgrade", "--install", RELEASE, CHART, "--namespace", OPERATOR_NAMESPACE, "--create-namespace"];
  const values = images ? [...imageValues("image", images.operator), ...imageValues("nodeImage", images.node)] : [];
  return [...release, ...values, "--wait", "--timeout", "3m"];
}

/**
 * Installs the chart or upgrades what is there, and waits until every pod of the operator is available.
 *
 * @param {Cluster} cluster
 * @param {{node: Image, operator: Image} | undefined} images undefined: those that the chart names
 * @returns {Promise<string>} how many pods are available
 */
export async function installOperator({ env }, images) {
  await logged("helm", "helm", helmArguments(images), { env });
  return await output("kubectl", ["-n", OPERATOR_NAMESPACE, "get", "deployment", RELEASE, "-o", AVAILABLE], { env });
}

const AVAILABLE = "jsonpath={.status.availableReplicas} of {.spec.replicas} pods available";

/**
 * @param {Cluster} cluster
 * @param {string} name may exist already
 */
export async function provideNamespace({ env }, name) {
  const manifest = await output("kubectl", ["create", "namespace", name, "--dry-run=client", "-o", "yaml"], { env });
  await output("kubectl", ["apply", "-f", "-"], { env, input: manifest });
}

/**
 * Applies a file that holds ArchiveNodes, and waits for them.
 *
 * @param {Cluster} cluster
 * @param {{namespace: string, names: string[], file: string, version?: string}} archives `version`: of the node that must
 *   run; without it, an archive that still runs a former one would count as ready
 * @throws {PlainError} not ready in time; the message holds what `kubectl describe` says of it
 */
export async function applyArchives({ env }, { namespace, names, file, version }) {
  await provideNamespace({ env }, namespace);
  await output("kubectl", ["-n", namespace, "apply", "-f", file], { env });
  for (const name of names) await untilReady({ env }, namespace, name, version);
}

async function untilReady({ env }, namespace, name, version) {
  if (version !== undefined) {
    const taken = `--for=jsonpath={.status.effective.version}=${version}`;
    await output("kubectl", ["-n", namespace, "wait", `archivenode/${name}`, taken, "--timeout=60s"], { env });
    await output("kubectl", ["-n", namespace, "rollout", "status", `statefulset/${name}`, "--timeout=3m"], { env });
  }
  const ready = ["wait", `archivenode/${name}`, "--for=condition=Ready", `--timeout=${READY_SECONDS}s`];
  await output("kubectl", ["-n", namespace, ...ready], { env }).catch(async (error) => {
    const described = await output("kubectl", ["-n", namespace, "describe", "archivenode", name], { env });
    throw new PlainError(`ArchiveNode ${name} did not become ready.\n${error.message}\n${described}`);
  });
}
