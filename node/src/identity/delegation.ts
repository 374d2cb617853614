/** The node's own delegation: it must be valid and for the service key that lies beside it. */
import type { KeyObject } from "node:crypto";
import { checkDelegation, type Delegation } from "../contract/delegation.ts";
import { spkiOf } from "../contract/node-id.ts";
import { IdentityError } from "./errors.ts";

/**
 * Checks everything about a delegation but its time, and that it is for the given service key.
 *
 * @throws {IdentityError} `BAD_DELEGATION`
 */
export function verifyDelegation(value: unknown, servicePublicKey: KeyObject): Delegation["delegation"] {
  const checked = checkDelegation(value);
  if ("refused" in checked) throw new IdentityError("BAD_DELEGATION", { reason: checked.refused });
  const { delegation } = checked;
  if (delegation.spki !== spkiOf(servicePublicKey).toString("base64url")) {
    throw new IdentityError("BAD_DELEGATION", { reason: "it is for another service key" });
  }
  return delegation;
}
