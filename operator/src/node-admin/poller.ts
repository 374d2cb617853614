/**
 * Asks every pod how it is, quickly while something lags and slowly otherwise, and hands it documents that it lacks.
 *
 * Answers go out as reports; who listens decides what they mean. How many calls a second is the client's business.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { ADMIN_PATHS, type AdminStatus } from "@archivestream/node/contract";
import type { AdminClient, AdminTarget } from "./client.ts";
import { AdminError, explain } from "./errors.ts";
import { nextPollMs } from "./schedule.ts";

export interface PolledPod extends AdminTarget {
  /** `namespace/name` of the ArchiveNode. */
  readonly node: string;
  readonly podName: string;
  readonly uid: string;
  /** As the kubelet says. A pod that becomes ready is asked at once, however often it was silent before. */
  readonly ready: boolean;
  /** What the pod should have; a pod with a lower sequence gets the document. */
  readonly documents: WantedDocuments | undefined;
}

export interface WantedDocuments {
  readonly trust: { readonly sequence: number; readonly text: string };
  readonly federation: { readonly sequence: number; readonly text: string };
}

export type PollReport =
  | { readonly state: "answered"; readonly podUid: string; readonly status: AdminStatus }
  /** `message` goes after "the admin port of pod x". */
  | { readonly state: "unreachable"; readonly podUid: string; readonly message: string };

export interface PollerDeps {
  readonly client: Pick<AdminClient, "status" | "push">;
  /** Pods with an address, as the cache has them now. */
  readonly pods: () => readonly PolledPod[];
  readonly report: (pod: PolledPod, report: PollReport) => void;
  /** A pod that is not there any more. */
  readonly gone: (pod: PolledPod) => void;
  readonly nowMs: () => number;
  readonly random: () => number;
  /** Shorter in tests. Milliseconds between looks at what is due. */
  readonly tickMs: number;
}

interface PodState {
  readonly pod: PolledPod;
  readonly dueMs: number;
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
  readonly #states = new Map<string, PodState>();
  readonly #running = new Set<string>();
  /** More pods were due than may be asked at once. */
  #someWait = false;

  constructor(deps: PollerDeps) {
    this.#deps = deps;
  }

  /** Asks until the signal ends it. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#refresh();
      this.#startDue(signal);
      await sleep(this.#deps.tickMs, undefined, { signal }).catch(() => undefined);
    }
  }

  #refresh(): void {
    const seen = new Set<string>();
    for (const pod of this.#deps.pods()) {
      seen.add(pod.uid);
      const before = this.#states.get(pod.uid);
      if (before?.pod !== pod) this.#states.set(pod.uid, stateNow(pod, before));
    }
    for (const [uid, state] of this.#states) {
      if (seen.has(uid)) continue;
      this.#states.delete(uid);
      this.#deps.gone(state.pod);
    }
  }

  #startDue(signal: AbortSignal): void {
    const now = this.#deps.nowMs();
    const due = [...this.#states.values()]
      .filter((state) => state.dueMs <= now && !this.#running.has(state.pod.uid))
      .sort((a, b) => a.dueMs - b.dueMs);
    const starting = due.slice(0, Math.max(0, CONCURRENCY - this.#running.size));
    this.#someWait = due.length > starting.length;
    for (const state of starting) {
      this.#running.add(state.pod.uid);
      this.#ask(state, signal)
        .catch(() => undefined) // #ask reports its failures itself; a throw from a listener must not end the loop
        .finally(() => {
          this.#running.delete(state.pod.uid);
          // The rate is bounded by the pace; the tick must not bound it once more.
          if (this.#someWait && !signal.aborted) this.#startDue(signal);
        });
    }
  }

  async #ask(state: PodState, signal: AbortSignal): Promise<void> {
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

  #schedule(pod: PolledPod, known: Pick<PodState, "etag" | "status" | "failures">, pushed: boolean): void {
    const delayMs = pushed
      ? AFTER_PUSH_MS
      : nextPollMs({
          lagging: lags(pod, known.status),
          failures: known.failures,
          podCount: this.#states.size,
          random: this.#deps.random,
        });
    if (this.#states.has(pod.uid)) this.#states.set(pod.uid, { pod, ...known, dueMs: this.#deps.nowMs() + delayMs });
  }
}

/** What a pod that is new or has changed begins with. */
function stateNow(pod: PolledPod, before: PodState | undefined): PodState {
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
