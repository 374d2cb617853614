/** The chart's admission policies, as `helm` renders them. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import { BIN } from "../cluster/cache-folder.mjs";

const CHART = fileURLToPath(new URL("../../charts/archive-operator", import.meta.url));

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

/** Policies and bindings of a release in `namespace`; `values` are written as for `helm --set`. */
export async function renderPolicies(namespace: string, values: readonly string[]): Promise<readonly Manifest[]> {
  const set = values.flatMap((value) => ["--set", value]);
  const args = ["template", "archive-operator", CHART, "--namespace", namespace, ...set];
  const { stdout } = await promisify(execFile)(join(BIN, "helm"), args, { maxBuffer: 16 * 2 ** 20 });
  const manifests = parseAllDocuments(stdout).map((document) => document.toJS() as Manifest | null);
  return manifests.filter((manifest) => manifest !== null).filter(({ kind }) => kind.startsWith("ValidatingAdmission"));
}

const PLURALS: Readonly<Record<string, string>> = {
  ValidatingAdmissionPolicy: "validatingadmissionpolicies",
  ValidatingAdmissionPolicyBinding: "validatingadmissionpolicybindings",
};

/** Where the API server keeps a policy or a binding. */
export function policyPath({ kind, metadata }: Manifest): string {
  return `/apis/admissionregistration.k8s.io/v1/${PLURALS[kind] ?? kind}/${metadata.name}`;
}
