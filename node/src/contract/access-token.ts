/** Which access tokens a node accepts: the node and the operator say the same of one. */

/** What an `Authorization` header can carry (RFC 6750, 2.1). */
const SENDABLE = /^[A-Za-z0-9._~+/-]+=*$/;
/** Shorter tokens could be guessed over the network. */
const SHORTEST_TOKEN = 16;

/** Why a node does not accept this token; `undefined` when it does. */
export function tokenProblem(token: string): string | undefined {
  if (token.length < SHORTEST_TOKEN) return `holds fewer than ${SHORTEST_TOKEN} characters`;
  if (SENDABLE.test(token)) return undefined;
  return "holds characters that no Authorization header carries: use letters, digits and . _ ~ + / -";
}
