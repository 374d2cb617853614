/** The chart's admission policies, as `helm` renders them. */
import { type Manifest, renderIn } from "./chart.ts";

/** Policies and bindings of a release in `namespace`; `values` are written as for `helm --set`. */
export async function renderPolicies(namespace: string, values: readonly string[]): Promise<readonly Manifest[]> {
  return (await renderIn(namespace, values)).filter(({ kind }) => kind.startsWith("ValidatingAdmission"));
}

const PLURALS: Readonly<Record<string, string>> = {
  ValidatingAdmissionPolicy: "validatingadmissionpolicies",
  ValidatingAdmissionPolicyBinding: "validatingadmissionpolicybindings",
};

/** Where the API server keeps a policy or a binding. */
export function policyPath({ kind, metadata }: Manifest): string {
  return `/apis/admissionregistration.k8s.io/v1/${PLURALS[kind] ?? kind}/${metadata.name}`;
}
