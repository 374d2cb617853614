/**
 * Children without an owner: what a backup tool restored has our labels, but no owner reference, because the owner it had
 * is gone. Pure.
 */

interface OwnedMetadata {
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly ownerReferences?: readonly { readonly controller?: boolean | undefined }[] | undefined;
}

/** @param labels - of the child as the operator makes it; they name the node. @returns whether nobody else can claim it */
export function isOrphan(live: OwnedMetadata, labels: Readonly<Record<string, string>>): boolean {
  if (live.ownerReferences?.some(({ controller }) => controller === true) === true) return false;
  return Object.entries(labels).every(([label, value]) => live.labels?.[label] === value);
}
