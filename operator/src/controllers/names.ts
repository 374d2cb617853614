/** Names of the objects that belong to an ArchiveNode, for every controller that reads or writes one of them. */

export interface ChildNames {
  readonly serviceAccount: string;
  readonly identity: string;
  readonly recovery: string;
  readonly keys: string;
  readonly adminTls: string;
  readonly access: string;
  readonly trust: string;
  readonly config: string;
  readonly federation: string;
  /** Gives each pod its DNS name; the admin certificates name pods through it. */
  readonly headlessService: string;
  readonly service: string;
  readonly statefulSet: string;
}

/** An ArchiveNode's name has at most 40 characters, so every name here stays under 63. */
export function childNames(node: string): ChildNames {
  return {
    serviceAccount: node,
    identity: `${node}-identity`,
    recovery: `${node}-recovery`,
    keys: `${node}-keys`,
    adminTls: `${node}-admin-tls`,
    access: `${node}-access`,
    trust: `${node}-trust`,
    config: `${node}-config`,
    federation: `${node}-federation`,
    headlessService: `${node}-headless`,
    service: node,
    statefulSet: node,
  };
}

/** Name of the volume claim template; its claims are called `data-<pod>`. */
export const DATA_VOLUME = "data";

export function podName(node: string, ordinal: number): string {
  return `${node}-${ordinal}`;
}

/** Server name of a pod's admin port: what its certificate carries and the operator asks for. */
export function adminServerName(node: string, pod: string, namespace: string): string {
  return `${pod}.${childNames(node).headlessService}.${namespace}.svc`;
}
