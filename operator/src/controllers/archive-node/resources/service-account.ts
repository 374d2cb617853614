/** The account the pods run as: no rights, and no token in the pod. */
import { childNames } from "../../names.ts";
import type { EffectiveNode } from "../effective.ts";
import { type Child, childMetadata } from "./metadata.ts";

export function serviceAccount(node: EffectiveNode): Child {
  return {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: childMetadata(node, childNames(node.name).serviceAccount),
    automountServiceAccountToken: false,
  };
}
