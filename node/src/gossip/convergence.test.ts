/** A federation in one process: gossip as it runs, time that a test lets pass, and calls of which one in five is lost. */
import { expect, test } from "vitest";
import { recordSigner } from "../../../test/testkit/signed-records.ts";
import { firstFederationDocument, firstTrustDocument } from "../identity/first-documents.ts";
import { createLogger } from "../observability/logging.ts";
import type { PeerLinks } from "../peers/peer-links.ts";
import { PeerTable } from "../peers/peer-table.ts";
import { Gossip } from "./gossip.ts";
import { GOSSIP_LIMITS } from "./timing.ts";

const NODES = 50;
const TRIALS = 100;
/** Nodes that change at the same time. */
const TOGETHER = 20;
const LOSS = 0.2;
const PROMISED_ROUNDS = Math.ceil(Math.log2(NODES)) + 2;
const EPOCH_MS = Date.UTC(2026, 11, 1);
const SIGNERS = Array.from({ length: NODES }, () => recordSigner(EPOCH_MS));
const RECORDS = SIGNERS.map((signer) => signer.record(1));
const LOGGER = createLogger("error", "test");

/** mulberry32: small, and the same everywhere. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface SimulatedNode {
  readonly gossip: Gossip;
  readonly table: PeerTable;
}

class Federation {
  readonly nodes: readonly SimulatedNode[];
  readonly #random: () => number;
  readonly #records = [...RECORDS];
  readonly #down = new Set<string>();
  nowMs = 0;

  /** @param knows - which nodes a node has reached before */
  constructor(seed: number, knows: (node: number, peer: number) => boolean) {
    this.#random = randomFrom(seed);
    this.nodes = SIGNERS.map((_signer, at) => this.#node(at, knows));
  }

  /** A node says something new of itself. @returns the sequence of its record */
  change(node: number): number {
    const seq = (this.#records[node]?.record.seq ?? 0) + 1;
    this.#records[node] = (SIGNERS[node] as (typeof SIGNERS)[number]).record(seq);
    return seq;
  }

  everyoneHas(node: number, seq: number): boolean {
    const nodeId = SIGNERS[node]?.nodeId ?? "";
    return this.nodes.every(({ table }, at) => at === node || table.get(nodeId)?.signed?.record.seq === seq);
  }

  stop(node: number): void {
    this.#down.add(SIGNERS[node]?.nodeId ?? "");
  }

  /** One gossip period: two of probing, then everybody's round. */
  async round(): Promise<void> {
    for (let periods = 0; periods < GOSSIP_LIMITS.roundMs / GOSSIP_LIMITS.probeMs; periods += 1) {
      this.nowMs += GOSSIP_LIMITS.probeMs;
      for (const { gossip } of this.nodes) await gossip.probeOnce();
    }
    for (const { gossip } of this.nodes) await gossip.roundOnce();
  }

  #node(at: number, knows: (node: number, peer: number) => boolean): SimulatedNode {
    const table = new PeerTable(() => false);
    const ownNodeId = SIGNERS[at]?.nodeId ?? "";
    table.restore(
      RECORDS.flatMap((signed, peer) =>
        peer !== at && knows(at, peer)
          ? [{ nodeId: signed.record.node_id, signed, lastWorked: signed.record.endpoint, ...KNOWN }]
          : [],
      ),
    );
    const gossip = new Gossip({
      ...{ table, ownNodeId: () => ownNodeId, ownRecord: async () => this.#records[at] as (typeof RECORDS)[number] },
      ...{ links: this.#links(table), letsIn: (nodeId) => nodeId !== ownNodeId, seeds: [], logger: LOGGER },
      documents: () => ({ trust: firstTrustDocument("n", new Date(0), "Public"), federation: EMPTY }),
      failureOf: () => ({ reason: "DialFailed", message: "" }),
      random: this.#random,
      clock: {
        ...{ nowMs: () => this.nowMs, epochMs: () => EPOCH_MS + this.nowMs, sleep: async () => {} },
        timeout: () => new AbortController().signal,
      },
    });
    return { gossip, table };
  }

  #links(table: PeerTable): PeerLinks {
    const unused = async (): Promise<never> => {
      throw new Error("not called here");
    };
    return {
      json: async (nodeId, { method, path }) => {
        const called = this.nodes[SIGNERS.findIndex((signer) => signer.nodeId === nodeId)];
        if (called === undefined || this.#down.has(nodeId) || this.#random() < LOSS) throw new Error("lost");
        table.worked(nodeId, `https://${nodeId}.example`);
        if (method === "HEAD") return { status: 200, headers: {}, body: undefined };
        const since = new URLSearchParams(path.split("?")[1]).get("since") ?? undefined;
        const body: unknown = called.gossip.page(since, GOSSIP_LIMITS.pageRecords);
        return { status: 200, headers: { etag: called.gossip.digest }, body };
      },
      ...{ stream: unused, connect: unused, identify: unused, encourage: () => {} },
      ...{ isConnected: () => true, rttMs: () => undefined },
    };
  }
}

const KNOWN = { level: "verified", failure: undefined, source: "handshake" } as const;
const EMPTY = firstFederationDocument("n", new Date(0));

test(`a changed record is known to all ${NODES} within ${PROMISED_ROUNDS} rounds at p99, with a fifth of all calls lost`, async () => {
  const federation = new Federation(1, () => true);
  // Everybody has been seen alive before the first change.
  for (let rounds = 0; rounds < 5; rounds += 1) await federation.round();
  const taken: number[] = [];
  for (let at = 0; at < TRIALS; at += TOGETHER) {
    const waiting = new Map(
      Array.from({ length: TOGETHER }, (_none, next) => (at + next) % NODES).map((node) => [
        node,
        federation.change(node),
      ]),
    );
    for (let rounds = 1; waiting.size > 0 && rounds <= 3 * PROMISED_ROUNDS; rounds += 1) {
      await federation.round();
      for (const [node, seq] of waiting) {
        if (!federation.everyoneHas(node, seq)) continue;
        waiting.delete(node);
        taken.push(rounds);
      }
    }
  }
  expect(taken).toHaveLength(TRIALS);
  expect(Math.max(...taken)).toBeGreaterThan(2);
  expect(taken.toSorted((a, b) => a - b)[Math.ceil(TRIALS * 0.99) - 1]).toBeLessThanOrEqual(PROMISED_ROUNDS);
}, 120_000);

test("a node that stops is found dead by every other one, and told of by none, while no living one is given up", async () => {
  const federation = new Federation(7, () => true);
  const stopped = 3;
  const stoppedId = SIGNERS[stopped]?.nodeId ?? "";
  await federation.round();
  federation.stop(stopped);
  // A look within a minute, then the suspicion of 50 nodes, then one more period.
  for (let rounds = 0; rounds < 13; rounds += 1) await federation.round();
  const others = federation.nodes.filter((_node, at) => at !== stopped);
  for (const { gossip } of others) {
    expect(gossip.stateOf(stoppedId)).toBe("dead");
    expect(gossip.counts()).toMatchObject({ dead: 1 });
    const told = gossip.page(undefined, GOSSIP_LIMITS.pageRecords).peers.map(({ node_id }) => node_id);
    expect(told).not.toContain(stoppedId);
  }
}, 60_000);
