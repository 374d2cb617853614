/**
 * Asks every pod how it is, quickly while something lags and slowly otherwise, and hands it documents that it lacks.
 *
 * Answers go out as reports; who listens decides what they mean. How many calls a second is the client's business.
 */
import { ADMIN_PATHS, type AdminStatus } from "@archivestream/node/contract";
import type { AdminClient } from "./client.ts";
import { AdminError, explain } from "./errors.ts";
import { type PodState, PollLoop, type PollTiming } from "./poll-loop.ts";
import type { PolledPod, WantedDocuments } from "./polled-pod.ts";
import { nextPollMs } from "./schedule.ts";

export type PollReport =
  | { readonly state: "answered"; readonly podUid: string; readonly status: AdminStatus }
  /** `message` goes after "the admin port of pod x". */
  | { readonly state: "unreachable"; readonly podUid: string; readonly message: string };

export interface PollerDeps extends PollTiming {
  readonly client: Pick<AdminClient, "status" | "push">;
  /** Pods with an address, as the cache has them now. */
  readonly pods: () => readonly PolledPod[];
  readonly report: (pod: PolledPod, report: PollReport) => void;
  /** A pod that is not there any more. */
  readonly gone: (pod: PolledPod) => void;
}

interface AskedPod extends PodState {
  readonly etag: string | undefined;
  readonly status: AdminStatus | undefined;
  readonly failures: number;
}

/** Calls at once. With 5 s per silent pod this still asks 1,000 pods in about five minutes. */
const CONCURRENCY = 16;
/** A single lost packet is not worth a condition. */
const FAILURES_BEFORE_REPORT = 3;
/** A pod that took a document is asked again this soon. Milliseconds. */
const AFTER_PUSH_MS = 500;

export class AdminPoller {
  readonly #deps: PollerDeps;
  readonly #loop: PollLoop<AskedPod>;

  constructor(deps: PollerDeps) {
    this.#deps = deps;
    const ask = (state: AskedPod, signal: AbortSignal) => this.#ask(state, signal);
    this.#loop = new PollLoop({ ...deps, concurrency: CONCURRENCY, stateNow, ask });
  }

  /** Asks until the signal ends it. */
  run(signal: AbortSignal): Promise<void> {
    return this.#loop.run(signal);
  }

  async #ask(state: AskedPod, signal: AbortSignal): Promise<void> {
    const { pod } = state;
    try {
      const answer = await this.#deps.client.status(pod, state.etag, signal);
      const status = answer === "unchanged" ? state.status : answer.status;
      const etag = answer === "unchanged" ? state.etag : answer.etag;
      const pushed = status !== undefined && (await this.#push(pod, status, signal));
      this.#schedule(pod, { etag, status, failures: 0 }, pushed);
      if (status !== undefined) this.#deps.report(pod, { state: "answered", podUid: pod.uid, status });
    } catch (error) {
      if (!(error instanceof AdminError)) throw error;
      if (signal.aborted || error.code === "NO_CREDENTIALS") return;
      const failures = state.failures + 1;
      this.#schedule(pod, { etag: undefined, status: undefined, failures }, false);
      if (failures < FAILURES_BEFORE_REPORT) return;
      this.#deps.report(pod, { state: "unreachable", podUid: pod.uid, message: explain(error) });
    }
  }

  /** @returns true when a document was taken, so that the pod is asked again at once */
  async #push(pod: PolledPod, status: AdminStatus, signal: AbortSignal): Promise<boolean> {
    const wanted = pod.documents;
    if (wanted === undefined) return false;
    let taken = false;
    for (const name of ["trust", "federation"] as const) {
      if (status[name].sequence >= wanted[name].sequence) continue;
      const outcome = await this.#deps.client.push(pod, ADMIN_PATHS[name], wanted[name].text, signal);
      taken ||= outcome === "taken";
    }
    return taken;
  }

  #schedule(pod: PolledPod, known: Pick<AskedPod, "etag" | "status" | "failures">, pushed: boolean): void {
    const delayMs = pushed
      ? AFTER_PUSH_MS
      : nextPollMs({
          lagging: lags(pod, known.status),
          failures: known.failures,
          podCount: this.#loop.podCount,
          random: this.#deps.random,
        });
    this.#loop.put({ pod, ...known, dueMs: this.#deps.nowMs() + delayMs });
  }
}

/** What a pod that is new or has changed begins with. */
function stateNow(pod: PolledPod, before: AskedPod | undefined): AskedPod {
  if (before === undefined) return { pod, dueMs: 0, etag: undefined, status: undefined, failures: 0 };
  // A slow pull of the image is no silence of the program that runs now.
  if (pod.ready && !before.pod.ready) return { ...before, pod, dueMs: 0, failures: 0 };
  return { ...before, pod, dueMs: isNewer(pod.documents, before.pod.documents) ? 0 : before.dueMs };
}

/** There is something to hand over since the pod was asked last. */
function isNewer(now: WantedDocuments | undefined, before: WantedDocuments | undefined): boolean {
  if (now === undefined) return false;
  return now.trust.sequence !== before?.trust.sequence || now.federation.sequence !== before.federation.sequence;
}

function lags(pod: PolledPod, status: AdminStatus | undefined): boolean {
  if (status === undefined || status.phase !== "Serving") return true;
  if (pod.documents === undefined) return false;
  return (
    status.trust.sequence < pod.documents.trust.sequence ||
    status.federation.sequence < pod.documents.federation.sequence
  );
}
