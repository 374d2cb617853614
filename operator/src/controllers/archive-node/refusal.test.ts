/** What Kubernetes says when it makes no pod, and what a node makes of it. */
import { expect, test } from "vitest";
import { refusalText } from "./refusal.ts";

const create = (said: string) => `create Pod alpha-0 in StatefulSet alpha failed error: ${said}`;

test.each<[said: string, text: string]>([
  [
    create(
      'pods "alpha-0" is forbidden: error looking up service account archives/robot: serviceaccount "robot" not found',
    ),
    "ServiceAccount robot is missing; create it, or correct spec.podTemplate.serviceAccountName",
  ],
  [
    create('pods "alpha-0" is forbidden: no PriorityClass with name gold was found'),
    "PriorityClass gold is missing; create it, or correct spec.podTemplate.priorityClassName",
  ],
  [
    create('pods "alpha-0" is forbidden: exceeded quota: few, requested: pods=1, used: pods=7, limited: pods=7'),
    "ResourceQuota few leaves no room for pods=1; raise that quota, free some of it, or lower spec.resources",
  ],
  [
    'create Claim data-alpha-0 for Pod alpha-0 in StatefulSet alpha failed error: persistentvolumeclaims "data-alpha-0" is forbidden: exceeded quota: disk, requested: requests.storage=10Gi, used: requests.storage=0, limited: requests.storage=1Gi',
    "ResourceQuota disk leaves no room for requests.storage=10Gi; raise that quota, free some of it, or lower spec.resources",
  ],
  [
    create('pods "alpha-0" is forbidden: failed quota: few: must specify limits.memory for: archive-node'),
    "ResourceQuota few takes only pods that specify limits.memory for: archive-node; set them in spec.resources",
  ],
  [
    create('pods "alpha-0" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi'),
    "a LimitRange refuses the pod: maximum memory usage per Container is 1Gi, but limit is 2Gi; change spec.resources, or that LimitRange: kubectl get limitrange",
  ],
  [
    create('admission webhook "team.example.org" denied the request: no label team'),
    "admission webhook team.example.org refuses the pod: no label team; change the spec or that policy",
  ],
  [
    create(
      'Internal error occurred: failed calling webhook "team.example.org": failed to call webhook: Post "https://a": refused',
    ),
    "admission webhook team.example.org does not answer, and no pod is made without it; see to the program behind it: kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations",
  ],
  [
    create(
      "pods \"alpha-0\" is forbidden: ValidatingAdmissionPolicy 'teams' with binding 'all' denied request: no label team",
    ),
    "ValidatingAdmissionPolicy 'teams' refuses the pod: no label team; change the spec or that policy",
  ],
  [
    create('pods "alpha-0" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true'),
    'the pod violates PodSecurity "restricted:latest": runAsNonRoot != true; change the label pod-security.kubernetes.io/enforce of the namespace',
  ],
  [
    create("pvc data-alpha-0 is being deleted"),
    "no pod is made while claim data-alpha-0 is being deleted; kubectl describe pvc data-alpha-0 says what still uses it",
  ],
  [create("the moon is full"), "none can be made: the moon is full; kubectl describe statefulset alpha"],
])("%s", (said, text) => {
  expect(refusalText(said, "alpha")).toBe(text);
});
