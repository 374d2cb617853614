/** What the pods of a node said of themselves, as far as they were asked. Pure. */
import type { PodReport } from "../facts.ts";
import type { ObservedPod, ObservedState } from "./observed.ts";

export type Answer = Extract<PodReport, { state: "answered" }>;

/** The report of exactly this pod, not of one of the same name before it. */
export function reportOf(observed: ObservedState, pod: ObservedPod): PodReport | undefined {
  const report = observed.facts.pods.get(pod.name);
  return report?.podUid === pod.uid ? report : undefined;
}

export function answers(observed: ObservedState): { readonly pod: string; readonly report: Answer }[] {
  return observed.pods.flatMap((pod) => {
    const report = reportOf(observed, pod);
    return report?.state === "answered" ? [{ pod: pod.name, report }] : [];
  });
}
