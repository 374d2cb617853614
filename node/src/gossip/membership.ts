/**
 * Which peers are alive, suspect or dead, by this node's own findings: one missing answer makes a peer suspect, a time of
 * suspicion without an answer dead, an answer alive again. Holds no clock: time comes with each call, in milliseconds.
 */
import type { PeerState } from "../contract/federation-reports.ts";
import { GOSSIP_LIMITS, probesPerPeriod, suspicionMs } from "./timing.ts";

interface Member {
  readonly state: PeerState;
  /** When it became that. */
  readonly sinceMs: number;
  readonly answeredMs: number | undefined;
}

export interface Transition {
  readonly nodeId: string;
  readonly from: PeerState;
  readonly to: PeerState;
}

export class Membership {
  readonly #members = new Map<string, Member>();
  readonly #random: () => number;
  readonly #changed: (transition: Transition) => void;
  /** Those who still have their turn before the list is shuffled again. */
  #turns: string[] = [];

  /** @param random - 0 to 1, for the order of turns */
  constructor(random: () => number, changed: (transition: Transition) => void = () => {}) {
    this.#random = random;
    this.#changed = changed;
  }

  get size(): number {
    return this.#members.size;
  }

  get ids(): readonly string[] {
    return [...this.#members.keys()];
  }

  /** Takes in who is new and drops who is in the list no more. @returns whether there was anyone of either */
  keepOnly(nodeIds: Iterable<string>, nowMs: number): boolean {
    const wanted = new Set(nodeIds);
    const gone = this.ids.filter((nodeId) => !wanted.has(nodeId));
    const fresh = [...wanted].filter((nodeId) => !this.#members.has(nodeId));
    for (const nodeId of gone) this.#members.delete(nodeId);
    for (const nodeId of fresh) this.#members.set(nodeId, { state: "unknown", sinceMs: nowMs, answeredMs: undefined });
    return gone.length + fresh.length > 0;
  }

  stateOf(nodeId: string): PeerState {
    return this.#members.get(nodeId)?.state ?? "unknown";
  }

  /** `undefined`: never, since this process started. */
  lastAnswerMs(nodeId: string): number | undefined {
    return this.#members.get(nodeId)?.answeredMs;
  }

  answered(nodeId: string, nowMs: number): void {
    const member = this.#members.get(nodeId);
    if (member === undefined) return;
    this.#members.set(nodeId, { ...member, answeredMs: nowMs });
    this.#become(nodeId, "alive", nowMs);
  }

  missed(nodeId: string, nowMs: number): void {
    const state = this.#members.get(nodeId)?.state;
    if (state === "alive" || state === "unknown") this.#become(nodeId, "suspect", nowMs);
  }

  /** Suspects whose time is over are dead. @returns those dead for so long that they are to be forgotten */
  advance(nowMs: number): readonly string[] {
    const suspicion = suspicionMs(this.#members.size);
    const forgotten: string[] = [];
    for (const [nodeId, { state, sinceMs }] of this.#members) {
      if (state === "suspect" && nowMs - sinceMs >= suspicion) this.#become(nodeId, "dead", nowMs);
      if (state === "dead" && nowMs - sinceMs >= GOSSIP_LIMITS.forgetMs) forgotten.push(nodeId);
    }
    return forgotten;
  }

  /** Who is to be asked in this probe period: whoever's turn it is, and first of all newcomers and suspects. */
  due(): readonly string[] {
    const urgent = [...this.#members]
      .filter(([, { state }]) => state === "unknown" || state === "suspect")
      .map(([nodeId]) => nodeId);
    const chosen = new Set(shuffled(urgent, this.#random).slice(0, GOSSIP_LIMITS.urgentProbes));
    const most = chosen.size + probesPerPeriod(this.#members.size);
    for (let looked = 0; looked <= this.#members.size && chosen.size < most; looked += 1) {
      const next = this.#nextTurn();
      if (next === undefined) break;
      chosen.add(next);
    }
    return [...chosen];
  }

  counts(): Readonly<Record<PeerState, number>> {
    const counts = { alive: 0, suspect: 0, dead: 0, unknown: 0 };
    for (const { state } of this.#members.values()) counts[state] += 1;
    return counts;
  }

  #nextTurn(): string | undefined {
    this.#turns = this.#turns.filter((nodeId) => this.#members.has(nodeId));
    if (this.#turns.length === 0) this.#turns = shuffled([...this.#members.keys()], this.#random);
    return this.#turns.pop();
  }

  #become(nodeId: string, to: PeerState, nowMs: number): void {
    const member = this.#members.get(nodeId);
    if (member === undefined || member.state === to) return;
    this.#members.set(nodeId, { ...member, state: to, sinceMs: nowMs });
    this.#changed({ nodeId, from: member.state, to });
  }
}

/** Fisher and Yates. */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const result = [...items];
  for (let at = result.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    const held = result[at] as T;
    result[at] = result[other] as T;
    result[other] = held;
  }
  return result;
}
