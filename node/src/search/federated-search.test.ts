/** The coordinator decides by a clock that the test moves: whatever peers do, the answer is there when the time is over. */
import { expect, test } from "vitest";
import { createFakeClock, type FakeClock } from "../../../test/testkit/fake-clock.ts";
import {
  asked,
  type FederationOptions,
  federationOf,
  type PeerAnswers,
} from "../../../test/testkit/federation-in-process.ts";
import type { ArchiveServices, FederatedAnswer } from "../archive/archive.ts";
import type { SearchAnswerMessage } from "../asfp/search-messages.ts";
import { ANALYZER } from "../fulltext/analyzer.ts";
import { SCORER } from "../fulltext/ranking.ts";
import { PeerError } from "../peers/errors.ts";

const BUDGET_MS = 2_000;

function answerWith(name: string, docs = 1): SearchAnswerMessage {
  const none = { host: [], type: [], language: [], year: [] };
  const total = { value: 1, relation: "eq" as const };
  return {
    ...{ took_ms: 1, timed_out: false, total, levels: [{ level: 0 as const, total, facets: none }] },
    stats: { epoch: "1", docs, units: [[{ term: "word", df: 1 }]], analyzer: ANALYZER, scorer: SCORER },
    results: [
      {
        ...{ url: `https://${name}.example/`, urlkey: `example,${name})/`, timestamp: "20240101000000" },
        ...{ digest: name, title: name, snippet: name, score: 1, collection: "web" },
        features: { level: 0, impacts: [9], depth: 0, simhash: "0000000000000000" },
      },
    ],
  };
}

const never = (): Promise<never> => new Promise(() => {});
const quick: PeerAnswers = async () => ({ status: 200, body: answerWith("quick") });
const status =
  (code: number): PeerAnswers =>
  async () => ({ status: code, body: undefined });
const failing =
  (error: Error): PeerAnswers =>
  async () => {
    throw error;
  };
const own: Pick<ArchiveServices, "search" | "leaf"> = {
  search: {
    search: async () => ({
      ...{ total: 0, totalIsLowerBound: false, hits: [], tookMs: 0, documents: 2 },
      facets: { host: [], type: [], language: [], year: [] },
    }),
  },
  leaf: { ask: async () => answerWith("own") },
};

interface Asked {
  readonly answer: Promise<FederatedAnswer>;
  readonly clock: FakeClock;
  /** Lets everything that is ready happen. */
  readonly settle: () => Promise<void>;
}

function ask(options: FederationOptions, services = own, timeoutMs = BUDGET_MS): Asked {
  const clock = createFakeClock();
  const federation = federationOf(services, { ...options, clock });
  const answer = federation.search(asked("word", { timeoutMs }), new AbortController().signal);
  answer.catch(() => {});
  const settle = async () => {
    for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  return { answer, clock, settle };
}

const statuses = ({ peers }: FederatedAnswer) => Object.fromEntries(peers.map((peer) => [peer.node_id, peer.status]));

test("a peer that never answers costs the whole time and no more, though it hears no abort", async () => {
  const { answer, clock, settle } = ask({ peers: { quick, hole: never } });
  let isAnswered = false;
  void answer.then(() => {
    isAnswered = true;
  });
  await settle();
  clock.advance(BUDGET_MS - 1);
  await settle();
  expect(isAnswered).toBe(false);
  clock.advance(1);
  const found = await answer;
  expect(found.tookMs).toBe(BUDGET_MS);
  expect(statuses(found)).toEqual({ quick: "ok", hole: "timeout" });
  expect(found.coverage.peers).toEqual({ selected: 2, answered: 1, partial: 0, failed: 1 });
  expect(found.hits.flatMap(({ sources }) => sources).toSorted()).toEqual(["quick", "self"]);
  expect(found.totalIsLowerBound).toBe(true);
});

test("a call that is given up for lack of time is no timeout to those who judge the connection", async () => {
  let heard: AbortSignal | undefined;
  const hole: PeerAnswers = (_message, signal) => {
    heard = signal;
    return never();
  };
  const { answer, clock, settle } = ask({ peers: { hole } });
  await settle();
  clock.advance(BUDGET_MS);
  expect(statuses(await answer)).toEqual({ hole: "timeout" });
  expect(heard?.reason).toMatchObject({ name: "AbortError" });
});

test("nobody is waited for who is not connected, dead, or left alone", async () => {
  const known = { off: { isConnected: false }, dead: { state: "dead" }, idle: { capabilities: ["store"] } } as const;
  const { answer, clock } = ask({ peers: { quick, off: never, dead: never, idle: never }, known });
  expect(statuses(await answer)).toEqual({ quick: "ok", off: "unreachable", dead: "dead" });
  expect(clock.monotonicMs()).toBe(0);
});

test("every way to fail has its status", async () => {
  const peers = {
    refusing: status(403),
    busy: status(429),
    lacking: status(501),
    broken: status(500),
    closed: failing(new PeerError("UNREACHABLE", { endpoint: "https://closed.example", reason: "refused" })),
    large: failing(new PeerError("ANSWER_TOO_LARGE", { maxBytes: 1 })),
    garbled: failing(new PeerError("BAD_ANSWER", { reason: "no JSON" })),
    paused: failing(new PeerError("BREAKER_OPEN", { retryAfterMs: 1, last: "" })),
    lying: (async () => ({ status: 200, body: { results: "many" } })) satisfies PeerAnswers,
    late: (async () => ({ status: 200, body: { ...answerWith("late"), timed_out: true } })) satisfies PeerAnswers,
    simple: (async () => ({
      status: 200,
      body: { results: answerWith("simple").results.map(({ features: _features, ...result }) => result) },
    })) satisfies PeerAnswers,
  };
  const found = await ask({ peers }).answer;
  expect(statuses(found)).toEqual({
    ...{ refusing: "refused", busy: "refused", lacking: "incompatible", broken: "unreachable" },
    ...{ closed: "unreachable", large: "incompatible", garbled: "incompatible", paused: "breaker_open" },
    ...{ lying: "incompatible", late: "partial", simple: "incompatible" },
  });
  // What a peer that knows only the document found comes last.
  expect(found.hits.at(-1)?.sources).toEqual(["simple"]);
});

test("no more peers are asked than the federation document says, the preferred ones first", async () => {
  const peers = { far: quick, near: quick, light: quick, stranger: quick };
  const known = { far: { rttMs: 90 }, light: { weight: 1 }, stranger: { isTrusted: false } };
  const found = await ask({ peers, known, maxPeers: 2 }).answer;
  expect(statuses(found)).toEqual({ near: "ok", far: "ok", light: "not_selected", stranger: "not_selected" });
});

test("the own index has the same time; what peers found is answered without it", async () => {
  const { answer, clock, settle } = ask({ peers: { quick } }, { ...own, leaf: { ask: never } });
  await settle();
  clock.advance(BUDGET_MS);
  const found = await answer;
  expect(found.hits.map(({ title }) => title)).toEqual(["quick"]);
  expect(found.notice).toContain("did not answer in time");
  expect(found.totalIsLowerBound).toBe(true);
  expect(found.coverage.local).toEqual({
    ...{ node_id: "self", status: "timeout", took_ms: BUDGET_MS, returned: 0, used: 0 },
  });
});

test("when nobody answers in time, that is the answer, and everybody is named", async () => {
  const { answer, clock, settle } = ask({ peers: { hole: never } }, { ...own, leaf: { ask: never } });
  await settle();
  clock.advance(BUDGET_MS);
  const found = await answer;
  expect([found.hits, found.total, found.totalIsLowerBound, found.tookMs]).toEqual([[], 0, true, BUDGET_MS]);
  expect([found.coverage.local.status, statuses(found)]).toEqual(["timeout", { hole: "timeout" }]);
  expect(found.coverage).toMatchObject({ documents: 0, peers: { selected: 1, answered: 0, failed: 1 } });
});

const slow: typeof own = {
  ...own,
  search: {
    search: (_request, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
  },
};

test("an index that is alone and late is an answer of the federation, and a failure of that archive", async () => {
  const { answer, clock, settle } = ask({ peers: { dead: never }, known: { dead: { state: "dead" } } }, slow);
  await settle();
  clock.advance(BUDGET_MS);
  const found = await answer;
  expect(found).toMatchObject({
    ...{ hits: [], total: 0, totalIsLowerBound: true, notice: expect.stringContaining("timeout_ms") as string },
    coverage: { documents: 0, local: { node_id: "self", status: "timeout", took_ms: BUDGET_MS } },
    peers: [{ node_id: "dead", status: "dead" }],
  });
  const federation = federationOf(slow, { clock });
  const alone = federation.search(
    asked("word", { scope: "local", timeoutMs: BUDGET_MS }),
    new AbortController().signal,
  );
  clock.advance(BUDGET_MS);
  await expect(alone).rejects.toMatchObject({ name: "TimeoutError" });
});

test("documents of archives that do not answer count as they said last, and only to those who ask alike", async () => {
  const clock = createFakeClock();
  let isWell = true;
  const moody: PeerAnswers = async () =>
    isWell ? { status: 200, body: answerWith("moody", 6) } : { status: 500, body: undefined };
  const stranger: PeerAnswers = async () => ({ status: 500, body: undefined });
  const federation = federationOf(own, { peers: { quick, moody, stranger }, clock });
  const search = (more: Parameters<typeof asked>[1] = {}) =>
    federation.search(asked("word", { timeoutMs: BUDGET_MS, ...more }), new AbortController().signal);
  const documents = ({ coverage, peers }: FederatedAnswer) => ({
    covered: coverage.documents,
    ...Object.fromEntries([coverage.local, ...peers].map((one) => [one.node_id, one.documents])),
  });
  expect(documents(await search())).toEqual({ covered: 1, self: 1, quick: 1, moody: 6, stranger: undefined });
  isWell = false;
  // Two of eight.
  expect(documents(await search())).toEqual({ covered: 0.25, self: 1, quick: 1, moody: 6, stranger: undefined });
  expect(documents(await search({ audience: "member" }))).toMatchObject({ covered: 1, moody: undefined });
  expect(documents(await search({ scope: "local" }))).toEqual({ covered: 1, self: 2 });
  clock.advance(25 * 3_600_000);
  expect(documents(await search())).toMatchObject({ covered: 1, moody: undefined });
});

test("peers are told what is left of the time, and for whom is asked", async () => {
  const seen: unknown[] = [];
  const peer: PeerAnswers = async (message) => {
    seen.push(message);
    return { status: 200, body: answerWith("peer") };
  };
  await ask({ peers: { peer }, known: { peer: { rttMs: 140 } } }).answer;
  expect(seen).toMatchObject([{ query: "word", timeout_ms: 1_850, hops: 0, size: 20, audience: "public" }]);
});

test("a peer that failed three times is left alone for 5 s, then tried once", async () => {
  const clock = createFakeClock();
  let calls = 0;
  const peer: PeerAnswers = async () => {
    calls += 1;
    return { status: 500, body: undefined };
  };
  const federation = federationOf(own, { peers: { peer }, clock });
  const once = async () =>
    statuses(await federation.search(asked("word", { timeoutMs: BUDGET_MS }), new AbortController().signal))["peer"];
  expect([await once(), await once(), await once()]).toEqual(["unreachable", "unreachable", "unreachable"]);
  expect([await once(), calls]).toEqual(["breaker_open", 3]);
  clock.advance(5_000);
  expect([await once(), await once(), calls]).toEqual(["unreachable", "breaker_open", 4]);
});

test("beyond their rate, people without the token get the answer of this archive alone, and are told", async () => {
  const federation = federationOf(own, { peers: { quick }, mayAskAnonymously: () => false });
  const signal = new AbortController().signal;
  const alone = await federation.search(asked("word"), signal);
  expect([alone.peers, alone.notice]).toEqual([[], expect.stringContaining("this archive alone")]);
  const member = await federation.search(asked("word", { audience: "member" }), signal);
  expect([statuses(member), member.notice]).toEqual([{ quick: "ok" }, undefined]);
});

test("what cannot be asked is refused before anybody is asked", async () => {
  const federation = federationOf(own, { peers: { never } });
  const signal = new AbortController().signal;
  await expect(federation.search(asked('""'), signal)).rejects.toMatchObject({ code: "BAD_QUERY" });
  await expect(federation.search(asked("word", { offset: 95 }), signal)).rejects.toThrow("scope=local");
});
