/**
 * The cluster of the end-to-end tests, with the project's images in it: `archive-test` of kind, brought up when it is not
 * there, or the one that ARCHIVE_TEST_KUBECONFIG names. That one gets the images that ARCHIVE_TEST_IMAGES names, or those that
 * the chart names.
 */
import { provideImages } from "../cluster/images.mjs";
import { clusterUp, envFor } from "../cluster/kind.mjs";
import { OPERATOR_NAMESPACE, provideNamespace, RELEASE } from "../demo/release.mjs";
import { output } from "../run/command.mjs";

export interface Image {
  readonly repository: string;
  readonly tag: string;
}

export interface E2eCluster {
  /** For helm and kubectl: which cluster, and where the programs are. */
  readonly env: Record<string, string>;
  readonly images: { readonly node: Image; readonly operator: Image } | undefined;
}

export async function e2eCluster(): Promise<E2eCluster> {
  const given = process.env["ARCHIVE_TEST_KUBECONFIG"];
  if (given) return { env: envFor(given), images: parseImages(process.env["ARCHIVE_TEST_IMAGES"]) };
  const cluster = await clusterUp("archive-test");
  const { node, operator } = await provideImages(cluster);
  return { env: cluster.env, images: { node, operator } };
}

/** `NODE,OPERATOR`, each `REPOSITORY:TAG`, as `node test/cluster/images.mjs` prints it. */
function parseImages(text: string | undefined): E2eCluster["images"] {
  if (!text) return undefined;
  const [node, operator] = text.split(",").map((image): Image => {
    const colon = image.lastIndexOf(":");
    return { repository: image.slice(0, colon), tag: image.slice(colon + 1) };
  });
  if (node === undefined || operator === undefined)
    throw new Error(`ARCHIVE_TEST_IMAGES is ${text}: not NODE,OPERATOR`);
  return { node, operator };
}

/** Calls kubectl; `input` goes to its standard input. Returns what it prints. */
export function kubectl({ env }: E2eCluster, args: readonly string[], input?: string): Promise<string> {
  return output("kubectl", [...args], { env, ...(input === undefined ? {} : { input }) });
}

export function helm({ env }: E2eCluster, args: readonly string[]): Promise<string> {
  return output("helm", [...args], { env });
}

export const CRDS = ["archivenodes", "federationpeers", "syncpolicies"].map((plural) => `${plural}.archivestream.io`);

/** Removes the operator, our kinds with every object of them, and a namespace; nothing need be there. */
export async function removeOperator(cluster: E2eCluster, namespace: string): Promise<void> {
  await kubectl(cluster, ["delete", "namespace", namespace, "--ignore-not-found", "--timeout=120s"]);
  await helm(cluster, ["uninstall", RELEASE, "-n", OPERATOR_NAMESPACE, "--ignore-not-found", "--wait"]);
  await kubectl(cluster, ["delete", "namespace", OPERATOR_NAMESPACE, "--ignore-not-found", "--timeout=120s"]);
  await kubectl(cluster, ["delete", "crd", "--ignore-not-found", ...CRDS]);
}

export async function provideRestrictedNamespace(cluster: E2eCluster, name: string): Promise<void> {
  await provideNamespace(cluster, name);
  await kubectl(cluster, ["label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted", "--overwrite"]);
}
