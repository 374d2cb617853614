/** What the admin port says about the node: facts that change rarely. */
import packageJson from "../package.json" with { type: "json" };
import type { AdminStatus } from "./contract/admin-api.ts";
import type { NodeIdentity } from "./identity/node-identity.ts";
import type { NodeState } from "./lifecycle/node-state.ts";

/** Of `message` in the contract. */
const MESSAGE_CHARS = 1024;
const rfc3339 = (time: Date) => `${time.toISOString().slice(0, 19)}Z`;

export function nodeStatus(configDigest: string, identity: NodeIdentity, state: NodeState): AdminStatus {
  const keys = identity.keys();
  return {
    nodeID: keys.nodeId,
    version: packageJson.version,
    configDigest,
    phase: state.phase,
    message: messageOf(state, identity),
    trust: identity.trust.observed,
    federation: identity.federation.observed,
    certificate: { notAfter: rfc3339(keys.tls.notAfter), serial: keys.tls.serial },
    delegationNotAfter: rfc3339(new Date(keys.delegation.delegation.not_after)),
  };
}

/** What an older operator shows too, and what `curl` on the admin port does. */
function messageOf({ message }: NodeState, { token }: NodeIdentity): string {
  return [message, token.trouble].filter(Boolean).join("; ").slice(0, MESSAGE_CHARS);
}
