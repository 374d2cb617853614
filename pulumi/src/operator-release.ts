/**
 * The operator as one Pulumi component: the Helm chart with its CRDs, in a namespace of its own.
 *
 * Other components of this package depend on it, so that no object is sent before its kind exists.
 */
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

export interface OperatorArgs {
  /** Where the chart is: a folder, an OCI reference or a packaged chart. */
  readonly chart: string;
  /** Version of the chart; needed for references, not for folders. */
  readonly version?: string;
  /** Namespace the operator runs in; made by this component. Default `archivestream-system`. */
  readonly namespace?: string;
  /** Values of the chart; its README lists them. */
  readonly values?: Readonly<Record<string, pulumi.Input<unknown>>>;
}

/** Installs the operator with `helm` semantics: hooks run and `helm list` shows it. */
export class Operator extends pulumi.ComponentResource {
  readonly namespace: pulumi.Output<string>;
  readonly release: kubernetes.helm.v3.Release;

  constructor(name: string, args: OperatorArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("archivestream:k8s:Operator", name, {}, options);
    const namespace = new kubernetes.core.v1.Namespace(
      name,
      { metadata: { name: args.namespace ?? "archivestream-system" } },
      { parent: this },
    );
    this.namespace = namespace.metadata.name;
    this.release = new kubernetes.helm.v3.Release(
      name,
      {
        name,
        chart: args.chart,
        namespace: this.namespace,
        values: { ...args.values },
        ...(args.version === undefined ? {} : { version: args.version }),
      },
      { parent: this },
    );
    this.registerOutputs({ namespace: this.namespace, status: this.release.status });
  }
}
