/** Pulumi components of the federation: the operator itself and the three kinds it serves. */
export {
  ArchiveNodeObject,
  type ArchiveObjectArgs,
  FederationPeerObject,
  type Inputs,
  SyncPolicyObject,
} from "./archive-objects.ts";
export { Operator, type OperatorArgs } from "./operator-release.ts";
