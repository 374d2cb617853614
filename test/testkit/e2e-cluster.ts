/**
 * The cluster of the end-to-end tests, with the project's images in it: `archive-test` of kind, brought up when it is not
 * there, or the one that ARCHIVE_TEST_KUBECONFIG names, which pulls the images that the chart names.
 */
import { provideImages } from "../cluster/images.mjs";
import { clusterUp } from "../cluster/kind.mjs";
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
  if (given !== undefined) return { env: { KUBECONFIG: given }, images: undefined };
  const cluster = await clusterUp("archive-test");
  const { node, operator } = await provideImages(cluster);
  return { env: cluster.env, images: { node, operator } };
}

/** Calls kubectl; `input` goes to its standard input. Returns what it prints. */
export function kubectl({ env }: E2eCluster, args: readonly string[], input?: string): Promise<string> {
  return output("kubectl", [...args], { env, ...(input === undefined ? {} : { input }) });
}

export function helm({ env }: E2eCluster, args: readonly string[]): Promise<string> {
  return output("helm", [...args], { env });
}
