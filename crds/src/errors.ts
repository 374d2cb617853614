/** Failures of reading objects against the contract. Codes are log-stable: add, never rename. */
import type { KindName } from "./kinds.ts";

export interface ContractErrorDetails {
  /** `problems`: path and message of each, at most ten. */
  readonly INVALID_OBJECT: { readonly kind: KindName; readonly problems: readonly string[] };
}
export type ContractErrorCode = keyof ContractErrorDetails;

export class ContractError<C extends ContractErrorCode = ContractErrorCode> extends Error {
  override readonly name = "ContractError";
  readonly code: C;
  readonly details: ContractErrorDetails[C];

  constructor(code: C, details: ContractErrorDetails[C], options?: ErrorOptions) {
    super(`${code} ${details.kind}: ${details.problems.join("; ")}`, options);
    this.code = code;
    this.details = details;
  }
}
