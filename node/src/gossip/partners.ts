/** Which peers are asked for their lists in one round. Pure. */
import { shuffled } from "./membership.ts";
import { GOSSIP_LIMITS } from "./timing.ts";

export interface Candidate {
  readonly nodeId: string;
  /** This node's own handshake has reached it. */
  readonly isTried: boolean;
  /** A seed, or named by a person or the operator. */
  readonly isAnchor: boolean;
}

/**
 * One that was reached before, one that a person chose, and others at random: a stranger who fills the list with his own nodes
 * never has all of a round.
 */
export function choosePartners(candidates: readonly Candidate[], random: () => number): readonly string[] {
  const inOrder = shuffled(candidates, random);
  const tried = inOrder.find(({ isTried }) => isTried);
  const anchor = inOrder.find((candidate) => candidate.isAnchor && candidate !== tried);
  const first = [tried, anchor].filter((candidate) => candidate !== undefined);
  const rest = inOrder.filter((candidate) => !first.includes(candidate));
  return [...first, ...rest].slice(0, GOSSIP_LIMITS.fanOut).map(({ nodeId }) => nodeId);
}
