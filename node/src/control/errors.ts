/** Why a command about peers, policies or files is not carried out. Codes are log-stable: add, never rename. */
export interface ControlErrorDetails {
  /** The node's documents are written by the operator or by whoever wrote its configuration. */
  readonly DOCUMENTS_MANAGED: object;
  readonly OWN_NODE_ID: { readonly nodeId: string };
  readonly PEER_UNKNOWN: { readonly nodeId: string };
  /** A peer is known, but not where to find it. */
  readonly ENDPOINT_UNKNOWN: { readonly nodeId: string };
  readonly PEER_BLOCKED: { readonly nodeId: string };
  /** Nobody said who is at an address. */
  readonly NODE_ID_MISSING: { readonly address: string; readonly claims: string | undefined; readonly reason: string };
  readonly POLICY_UNKNOWN: { readonly name: string };
  readonly POLICY_EXISTS: { readonly name: string };
  readonly FILE_UNKNOWN: { readonly collection: string; readonly hash: string };
  /** What the other side of the socket said; already a whole sentence. */
  readonly REFUSED: { readonly message: string };
  /** The running node does not answer on its socket. */
  readonly NOT_ANSWERING: { readonly path: string; readonly reason: string };
}
export type ControlErrorCode = keyof ControlErrorDetails;

const MESSAGES: { readonly [C in ControlErrorCode]: (details: ControlErrorDetails[C]) => string } = {
  DOCUMENTS_MANAGED: () =>
    "peers and policies of this node are written by whoever wrote its configuration (under Kubernetes FederationPeer and SyncPolicy objects); change them there",
  OWN_NODE_ID: ({ nodeId }) => `${nodeId} is this node itself; give the node id of the other one`,
  PEER_UNKNOWN: ({ nodeId }) => `no peer ${nodeId} is known here; archive-node peer list shows those that are`,
  ENDPOINT_UNKNOWN: ({ nodeId }) => `no address of ${nodeId} is known; archive-node peer add URL --node-id ${nodeId}`,
  PEER_BLOCKED: ({ nodeId }) => `${nodeId} is blocked; archive-node peer approve ${nodeId} takes that back`,
  NODE_ID_MISSING: ({ address, claims, reason }) =>
    claims === undefined
      ? `${reason}; find out its node id another way and repeat with --node-id ID`
      : `${address} claims to be ${claims}. Compare that with what its owner says, then: ` +
        `archive-node peer add ${address} --node-id ${claims}`,
  POLICY_UNKNOWN: ({ name }) => `there is no policy ${name}; archive-node policy list shows those that there are`,
  POLICY_EXISTS: ({ name }) => `there is another policy ${name}; archive-node policy remove ${name} first`,
  FILE_UNKNOWN: ({ collection, hash }) =>
    `collection "${collection}" holds no file ${hash}; GET /api/v1/collections/${collection}/warcs lists those that it holds`,
  REFUSED: ({ message }) => message,
  NOT_ANSWERING: ({ path, reason }) => `the node that runs on ${path} does not answer: ${reason}; try again`,
};

export class ControlError<C extends ControlErrorCode = ControlErrorCode> extends Error {
  override readonly name = "ControlError";
  readonly code: C;
  readonly details: ControlErrorDetails[C];

  constructor(code: C, details: ControlErrorDetails[C], options?: ErrorOptions) {
    super(MESSAGES[code](details), options);
    this.code = code;
    this.details = details;
  }
}
