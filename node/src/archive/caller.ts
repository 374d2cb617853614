/** Who asks. A request is authenticated once; everything behind the edge decides by this. */
export type Caller =
  | { readonly kind: "anonymous" }
  /** Holds the node's access token. */
  | { readonly kind: "token" }
  /** The operator, on the admin port. */
  | { readonly kind: "operator" }
  /** Proved its key in a handshake. `isTrusted`: the trust document names it now. */
  | { readonly kind: "peer"; readonly nodeId: string; readonly isTrusted: boolean };

export const ANONYMOUS: Caller = { kind: "anonymous" };
