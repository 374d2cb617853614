/** Rights by RBAC: whether the API server goes by them yet, and which of them are used. */
import type { KubeClient } from "../../operator/src/kube/client.ts";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import { waitUntil } from "./wait-until.ts";

const DEADLINE_MS = 60_000;

export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
  /** By verb: why the right is there although no request of a whole node's life shows it. */
  readonly unseen?: Readonly<Record<string, string>>;
}

interface Review extends KubeObject {
  readonly status: { readonly allowed: boolean };
}

interface Right {
  readonly right: string;
  /** One object's; undefined: any. */
  readonly name: string | undefined;
}

export interface Granted {
  readonly user: string;
  /** Default: all of them. */
  readonly namespace?: string | undefined;
  readonly rules: readonly PolicyRule[];
  /** Rights that the user must not have, but for those of `rules`. */
  readonly beyond?: readonly PolicyRule[];
}

/** The API server decides by caches of Roles and bindings: what was written holds a moment later. */
export async function untilGranted(
  client: KubeClient,
  { user, namespace, rules, beyond = [] }: Granted,
  signal: AbortSignal,
): Promise<void> {
  const wanted = rules.flatMap(namedRightsOf).map((one) => ({ ...one, allowed: true }));
  const granted = new Set(wanted.map(({ right }) => right));
  const others = beyond.flatMap(namedRightsOf).filter(({ right }) => !granted.has(right));
  const path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
  const isAsGranted = async ({ right, name, allowed }: Right & { readonly allowed: boolean }) => {
    const [place = "", verb] = right.split(" ");
    const [group, resource, subresource] = place.split("/");
    const resourceAttributes = { group, resource, subresource, name, verb, namespace };
    const body = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SubjectAccessReview",
      spec: { user, resourceAttributes },
    };
    const { status } = (await client.request({ method: "POST", path, body }, signal)) as Review;
    return status.allowed === allowed;
  };
  const all = [...wanted, ...others.map((one) => ({ ...one, allowed: false }))];
  const areAll = async () => (await Promise.all(all.map(isAsGranted))).every(Boolean);
  await waitUntil(`${user} to have the rights that were granted`, areAll, { deadlineMs: DEADLINE_MS, signal });
}

function namedRightsOf(rule: PolicyRule): readonly Right[] {
  const names = rule.resourceNames ?? [undefined];
  return rightsOf(rule).flatMap((right) => names.map((name) => ({ right, name })));
}

/** `apiGroup/resource verb` of every right of the rule. */
function rightsOf(rule: PolicyRule): readonly string[] {
  return rule.apiGroups.flatMap((group) =>
    rule.resources.flatMap((resource) => rule.verbs.map((verb) => `${group}/${resource} ${verb}`)),
  );
}

/** Rights of the rules that are not among `seen` and do not say why they are there all the same. */
export function unusedRights(rules: readonly PolicyRule[], seen: ReadonlySet<string>): readonly string[] {
  return rules.flatMap((rule) =>
    rightsOf(rule).filter((right) => !seen.has(right) && rule.unseen?.[right.split(" ")[1] ?? ""] === undefined),
  );
}
