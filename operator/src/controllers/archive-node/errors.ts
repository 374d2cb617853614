/** Failures of the archive-node controller. Codes are log-stable: add, never rename. */

export interface ArchiveNodeErrorDetails {
  /** What the operator rendered breaks the node's own schema. */
  readonly CONFIG_INVALID: { readonly document: string; readonly path: string; readonly problem: string };
  /** An object in a child's place belongs to somebody else. */
  readonly CHILD_NOT_OWNED: { readonly kind: string; readonly name: string; readonly owner: string };
}

export class ArchiveNodeError<C extends keyof ArchiveNodeErrorDetails = keyof ArchiveNodeErrorDetails> extends Error {
  override readonly name = "ArchiveNodeError";
  readonly code: C;
  readonly details: ArchiveNodeErrorDetails[C];

  constructor(code: C, details: ArchiveNodeErrorDetails[C], options?: ErrorOptions) {
    super(`${code} ${JSON.stringify(details)}`, options);
    this.code = code;
    this.details = details;
  }
}
