/** Whom the poller asks, what it hands over, and what it says of those that do not answer. */
import { afterEach, expect, test } from "vitest";
import { ANSWER } from "../../../test/testkit/archive-node-status.ts";
import { waitUntil } from "../../../test/testkit/wait-until.ts";
import type { PushOutcome, StatusAnswer } from "./client.ts";
import { AdminError } from "./errors.ts";
import type { PolledPod } from "./polled-pod.ts";
import { AdminPoller, type PollReport } from "./poller.ts";

const DEADLINE = { deadlineMs: 10_000, everyMs: 2 };
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function polledPod(uid: string, sequence = 1): PolledPod {
  const wanted = (name: string) => ({ sequence, text: `${name} ${sequence}` });
  return {
    pod: `a/${uid}`,
    podName: uid,
    node: "a/x",
    uid,
    ready: true,
    address: "127.0.0.1",
    port: 1,
    serverName: `${uid}.test`,
    documents: { trust: wanted("trust"), federation: wanted("federation") },
  };
}

interface Pods {
  pods: PolledPod[];
  readonly answer: (pod: string, etag: string | undefined) => StatusAnswer;
  readonly push?: (path: string, document: string) => PushOutcome;
}

interface RunOptions {
  readonly tickMs?: number;
  readonly stepMs?: number;
  /** Moved by the test instead. */
  readonly time?: { readonly nowMs: number };
}

/** A running poller whose time moves on by a minute and a half at each look, so that everybody is always due. */
function run(given: Pods, { tickMs = 1, stepMs = 90_000, time }: RunOptions = {}) {
  const seen = { asked: [] as string[], pushed: [] as string[], reports: [] as PollReport[], gone: [] as string[] };
  let elapsedMs = 0;
  const poller = new AdminPoller({
    client: {
      status: async ({ pod }, etag) => {
        seen.asked.push(`${pod} ${etag ?? "-"}`);
        return given.answer(pod, etag);
      },
      push: async (_pod, path, document) => {
        seen.pushed.push(document);
        return given.push?.(path, document) ?? "taken";
      },
    },
    pods: () => given.pods,
    report: (_pod, report) => seen.reports.push(report),
    gone: ({ uid }) => seen.gone.push(uid),
    nowMs: () => {
      elapsedMs += stepMs;
      return time?.nowMs ?? elapsedMs;
    },
    random: () => 0.5,
    tickMs,
  });
  const stop = new AbortController();
  const running = poller.run(stop.signal);
  stops.push(async () => {
    stop.abort();
    await running;
  });
  return seen;
}

test("an unchanged answer is reported with the status known before", async () => {
  const seen = run({
    pods: [polledPod("p")],
    answer: (_pod, etag) => (etag === '"1"' ? "unchanged" : { etag: '"1"', status: ANSWER }),
  });
  await waitUntil("three reports", async () => seen.reports.length >= 3, DEADLINE);
  expect(seen.asked.slice(0, 3)).toEqual(["a/p -", 'a/p "1"', 'a/p "1"']);
  for (const report of seen.reports) expect(report).toEqual({ state: "answered", podUid: "p", status: ANSWER });
  expect(seen.pushed).toEqual([]);
});

test("a pod gets the documents that it lacks, and no others", async () => {
  const status = { ...ANSWER, trust: { ...ANSWER.trust, sequence: 3 } };
  const seen = run({ pods: [polledPod("p", 3)], answer: () => ({ etag: undefined, status }) });
  await waitUntil("a push", async () => seen.pushed.length > 0, DEADLINE);
  expect(new Set(seen.pushed)).toEqual(new Set(["federation 3"]));
});

test("silence is reported after the third call, and a later answer at once", async () => {
  let calls = 0;
  const seen = run({
    pods: [polledPod("p")],
    answer: () => {
      calls += 1;
      if (calls <= 4) throw new AdminError("UNREACHABLE", { pod: "a/p", reason: "ECONNREFUSED" });
      return { etag: undefined, status: ANSWER };
    },
  });
  await waitUntil("an answer", async () => seen.reports.some(({ state }) => state === "answered"), DEADLINE);
  expect(seen.reports.map(({ state }) => state).slice(0, 3)).toEqual(["unreachable", "unreachable", "answered"]);
  expect(JSON.stringify(seen.reports[0])).toContain("ECONNREFUSED");
});

test("a pod that becomes ready is asked at once, however often it was silent while its image was pulled", async () => {
  const starting = { ...polledPod("p"), ready: false };
  let isRunning = false;
  const time = { nowMs: 0 };
  const given: Pods = {
    pods: [starting],
    answer: () => {
      if (!isRunning) throw new AdminError("UNREACHABLE", { pod: "a/p", reason: "ECONNREFUSED" });
      return { etag: undefined, status: ANSWER };
    },
  };
  const seen = run(given, { time });
  for (const silent of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) {
    time.nowMs += 60_000;
    await waitUntil(`call ${silent}`, async () => seen.asked.length >= silent, DEADLINE);
  }
  isRunning = true;
  given.pods = [{ ...starting, ready: true }];
  await waitUntil("an answer", async () => seen.reports.some(({ state }) => state === "answered"), DEADLINE);
});

test("without credentials nothing is reported, because nothing was asked", async () => {
  const seen = run({
    pods: [polledPod("p")],
    answer: () => {
      throw new AdminError("NO_CREDENTIALS", {});
    },
  });
  await waitUntil("five tries", async () => seen.asked.length >= 5, DEADLINE);
  expect(seen.reports).toEqual([]);
});

test("a pod that went is named once and not asked again; its successor starts afresh", async () => {
  const given: Pods = { pods: [polledPod("old")], answer: () => ({ etag: '"1"', status: ANSWER }) };
  const seen = run(given);
  await waitUntil("an answer of the old pod", async () => seen.reports.length > 0, DEADLINE);
  given.pods = [polledPod("new")];
  await waitUntil("the new pod to be asked", async () => seen.asked.includes("a/new -"), DEADLINE);
  const asked = seen.asked.filter((one) => one.startsWith("a/old")).length;
  await waitUntil("the new pod to be asked again", async () => seen.asked.includes('a/new "1"'), DEADLINE);
  expect(seen.gone).toEqual(["old"]);
  expect(seen.asked.filter((one) => one.startsWith("a/old"))).toHaveLength(asked);
});

test("pods that wait because too many are asked are asked as soon as one has answered, not at the next look", async () => {
  const pods = Array.from({ length: 40 }, (_, index) => polledPod(`p${index}`));
  const seen = run({ pods, answer: () => ({ etag: undefined, status: ANSWER }) }, { tickMs: 3_600_000, stepMs: 0 });
  await waitUntil("every pod to be asked within the first look", async () => seen.asked.length >= 40, DEADLINE);
  expect(new Set(seen.asked).size).toBe(40);
});
