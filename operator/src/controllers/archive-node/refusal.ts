/**
 * Why the cluster makes no pod, and what to do about it, from what the controller of StatefulSets was told. Pure.
 *
 * The words are those of Kubernetes' admission plug-ins, which have no codes. What is not recognised is passed on.
 */

type Explain = (match: RegExpExecArray) => string;

const EXPLANATIONS: readonly (readonly [said: RegExp, Explain])[] = [
  [
    /serviceaccount "([^"]+)" not found/,
    ([, name]) => `ServiceAccount ${name} is missing; create it, or correct spec.podTemplate.serviceAccountName`,
  ],
  [
    /no PriorityClass with name (\S+) was found/,
    ([, name]) => `PriorityClass ${name} is missing; create it, or correct spec.podTemplate.priorityClassName`,
  ],
  [
    /exceeded quota: ([^,]+), requested: (.+?), used: .*$/,
    ([, quota, requested]) =>
      `ResourceQuota ${quota} leaves no room for ${requested}; raise that quota, free some of it, or lower spec.resources`,
  ],
  [
    /failed quota: ([^:]+): must specify (.+)$/,
    ([, quota, missing]) =>
      `ResourceQuota ${quota} takes only pods that specify ${missing}; set them in spec.resources`,
  ],
  [
    /((?:maximum|minimum) [a-z0-9./-]+ usage per \S+ is .+|[a-z0-9./-]+ max limit to request ratio .+)$/,
    ([, limits]) =>
      `a LimitRange refuses the pod: ${limits?.replace(/^\[|\]$/g, "")}; change spec.resources, or that LimitRange: kubectl get limitrange`,
  ],
  [
    /admission webhook "([^"]+)" denied the request:? ?(.*)$/,
    ([, webhook, why]) =>
      `admission webhook ${webhook} refuses the pod: ${why === "" ? "it does not say why" : why}; change the spec or that policy`,
  ],
  [
    /failed calling webhook "([^"]+)"/,
    ([, webhook]) =>
      `admission webhook ${webhook} does not answer, and no pod is made without it; see to the program behind it: kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations`,
  ],
  [
    /(ValidatingAdmissionPolicy '[^']+').*?denied request:? ?(.*)$/,
    ([, policy, why]) => `${policy} refuses the pod: ${why}; change the spec or that policy`,
  ],
  [
    /(violates PodSecurity .+)$/,
    ([, why]) => `the pod ${why}; change the label pod-security.kubernetes.io/enforce of the namespace`,
  ],
  [
    /pvc (\S+) is being deleted/,
    ([, claim]) =>
      `no pod is made while claim ${claim} is being deleted; kubectl describe pvc ${claim} says what still uses it`,
  ],
];

/** @param said - message of an Event FailedCreate of the StatefulSet */
export function refusalText(said: string, set: string): string {
  const text = said.replace(/^create (?:Pod|Claim) .*? failed error: /, "");
  for (const [pattern, explain] of EXPLANATIONS) {
    const match = pattern.exec(text);
    if (match !== null) return explain(match);
  }
  return `none can be made: ${text}; kubectl describe statefulset ${set}`;
}
