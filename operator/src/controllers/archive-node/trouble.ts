/**
 * Why a pod does not get ready, and what to do about it, in words that stay the same while the cause does. Pure.
 *
 * The kubelet's own messages change with every attempt ("back-off 40s restarting ..."); repeated in a status, each of them
 * would be a write.
 */

export interface PodStatus {
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
  readonly containerStatuses?: readonly ContainerStatus[];
}

interface ContainerStatus {
  readonly image?: string;
  readonly restartCount?: number;
  readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } };
  readonly lastState?: { readonly terminated?: { readonly reason?: string; readonly exitCode?: number } };
}

const STARTING: ReadonlySet<string> = new Set(["ContainerCreating", "PodInitializing"]);
const PULL_FAILURES: ReadonlySet<string> = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "InvalidImageName",
  "ErrImageNeverPull",
]);

/** Empty when nothing is wrong: the pod is starting, or it is ready. */
export function troubleOf({ conditions, containerStatuses = [] }: PodStatus, pod: string): string {
  const container = containerStatuses.find((one) => one.state?.waiting !== undefined);
  if (container !== undefined) return waitingTrouble(container, pod);
  const unscheduled = conditions?.find((one) => one.type === "PodScheduled" && one.status === "False");
  if (unscheduled === undefined) return "";
  const message = unscheduled.message ?? "";
  if (/unbound immediate PersistentVolumeClaims/.test(message))
    return "waits for its volume, which is not bound; see the StorageReady condition";
  return `cannot be scheduled: ${withoutTail(message)}`;
}

function waitingTrouble({ image, state, lastState }: ContainerStatus, pod: string): string {
  const { reason = "", message } = state?.waiting ?? {};
  if (STARTING.has(reason)) return "";
  if (PULL_FAILURES.has(reason))
    return `image ${image ?? ""} cannot be pulled; correct spec.image or spec.version, or name the Secret for its registry in spec.image.pullSecrets`;
  if (reason === "CrashLoopBackOff") {
    const { reason: why = "Error", exitCode } = lastState?.terminated ?? {};
    const memory = why === "OOMKilled" ? "; raise spec.resources.limits.memory" : "";
    return `the archive ends again and again (${why}, exit code ${exitCode ?? "unknown"})${memory}; kubectl logs ${pod} --previous`;
  }
  return [reason, message].filter(Boolean).join(": ");
}

/** The scheduler repeats itself about preemption after the first sentence. */
function withoutTail(message: string): string {
  return message.replace(/\.? *(preemption:.*)?$/, "");
}
