/** Lets a drain take one pod at a time. With a single replica it could only block the drain, so there is none. */
import { childNames } from "../../names.ts";
import type { EffectiveNode } from "../effective.ts";
import { type Child, childMetadata, podSelector } from "./metadata.ts";

export function podDisruptionBudget(node: EffectiveNode): Child {
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: childMetadata(node, childNames(node.name).statefulSet),
    spec: { maxUnavailable: 1, selector: { matchLabels: podSelector(node.name) } },
  };
}
