/** What controllers need to know of an object of the cluster, whatever its kind. */

export interface ObjectKey {
  readonly namespace: string;
  readonly name: string;
}

/** An object whose body is not cached (Secrets): its metadata tells when to read it. */
export interface ObjectMetadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly {
    readonly uid: string;
    readonly kind: string;
    readonly name: string;
    readonly controller?: boolean;
  }[];
}

export interface SecretObject {
  readonly metadata: ObjectMetadata;
  readonly type?: string;
  /** Base64 by key. */
  readonly data?: Readonly<Record<string, string>>;
}

export function keyText(key: ObjectKey): string {
  return `${key.namespace}/${key.name}`;
}
