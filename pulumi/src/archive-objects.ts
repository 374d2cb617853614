/**
 * One Pulumi component for each kind. Argument types are those of the CRDs, so a field that the cluster would refuse
 * does not compile. An update waits for the object's `Ready` condition, because the Kubernetes provider does not know
 * our kinds by itself.
 */
import type { ArchiveNodeSpec, FederationPeerSpec, SyncPolicySpec } from "@archivestream/crds";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

const API_VERSION = "archivestream.io/v1alpha1";
/** Read by the provider: <https://www.pulumi.com/registry/packages/kubernetes/>, annotation `pulumi.com/waitFor`. */
const WAIT_FOR_READY = { "pulumi.com/waitFor": "condition=Ready" };

/**
 * `T`, or a value that will be one, at every level: so that a bucket's name or a Secret of the same program can be put
 * into a spec before it exists. Made from the type, so a new field of a kind is here at once.
 */
export type Inputs<T> = pulumi.Input<
  T extends readonly (infer Item)[]
    ? readonly Inputs<Item>[]
    : T extends object
      ? { readonly [Field in keyof T]: Inputs<T[Field]> }
      : T
>;

export interface ArchiveObjectArgs<Spec> {
  readonly namespace: pulumi.Input<string>;
  /** Name of the object. Default: the component's name. */
  readonly objectName?: string;
  readonly labels?: Readonly<Record<string, pulumi.Input<string>>>;
  readonly spec: Inputs<Spec>;
}

abstract class ArchiveObject<Spec> extends pulumi.ComponentResource {
  readonly object: kubernetes.apiextensions.CustomResource;

  constructor(
    identity: { readonly token: string; readonly kind: string; readonly name: string },
    args: ArchiveObjectArgs<Spec>,
    options: pulumi.ComponentResourceOptions,
  ) {
    super(`archivestream:k8s:${identity.token}`, identity.name, {}, options);
    this.object = new kubernetes.apiextensions.CustomResource(
      identity.name,
      {
        apiVersion: API_VERSION,
        kind: identity.kind,
        metadata: {
          name: args.objectName ?? identity.name,
          namespace: args.namespace,
          annotations: WAIT_FOR_READY,
          ...(args.labels === undefined ? {} : { labels: { ...args.labels } }),
        },
        spec: args.spec,
      },
      { parent: this },
    );
    this.registerOutputs({ name: this.object.metadata.name });
  }
}

/** An archive node; see the API reference for `spec`. */
export class ArchiveNodeObject extends ArchiveObject<ArchiveNodeSpec> {
  constructor(name: string, args: ArchiveObjectArgs<ArchiveNodeSpec>, options: pulumi.ComponentResourceOptions = {}) {
    super({ token: "Node", kind: "ArchiveNode", name }, args, options);
  }
}

/** A peer that a person vouches for. */
export class FederationPeerObject extends ArchiveObject<FederationPeerSpec> {
  constructor(
    name: string,
    args: ArchiveObjectArgs<FederationPeerSpec>,
    options: pulumi.ComponentResourceOptions = {},
  ) {
    super({ token: "Peer", kind: "FederationPeer", name }, args, options);
  }
}

/** What is exchanged between which nodes and peers, and when. */
export class SyncPolicyObject extends ArchiveObject<SyncPolicySpec> {
  constructor(name: string, args: ArchiveObjectArgs<SyncPolicySpec>, options: pulumi.ComponentResourceOptions = {}) {
    super({ token: "SyncPolicy", kind: "SyncPolicy", name }, args, options);
  }
}
