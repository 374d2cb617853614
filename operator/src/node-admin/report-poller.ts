/**
 * Asks pods for what they report of peers, policies and discoveries: every ten seconds, slower where there are many
 * pods, and only pods of nodes that have any of it. Each page has an ETag, so that a calm federation costs three 304s.
 *
 * Whether a pod can be reached at all is the status poller's business: a failure here changes nothing.
 */
import type { AdminClient } from "./client.ts";
import { AdminError } from "./errors.ts";
import { type PodState, PollLoop, type PollTiming } from "./poll-loop.ts";
import type { PolledPod } from "./polled-pod.ts";
import { REPORT_PAGES, type ReportPage, type Reports } from "./reports.ts";

export interface ReportPollerDeps extends PollTiming {
  readonly client: Pick<AdminClient, "report">;
  /** Ready pods of nodes that have peers, policies or discovery. */
  readonly pods: () => readonly PolledPod[];
  readonly report: <P extends ReportPage>(pod: PolledPod, page: P, report: Reports[P]) => void;
  readonly gone: (pod: PolledPod) => void;
}

interface ReportingPod extends PodState {
  readonly etags: ReadonlyMap<ReportPage, string>;
}

const PERIOD_MS = 10_000;
/** All pods together are asked at most this often per second. */
const PODS_PER_SECOND = 10;
const SPREAD = 0.2;
/** A pod that was given a document has something new to say soon. */
const AFTER_DOCUMENT_MS = 1_000;
const CONCURRENCY = 8;

export class ReportPoller {
  readonly #deps: ReportPollerDeps;
  readonly #loop: PollLoop<ReportingPod>;

  constructor(deps: ReportPollerDeps) {
    this.#deps = deps;
    this.#loop = new PollLoop<ReportingPod>({
      ...deps,
      concurrency: CONCURRENCY,
      stateNow: (pod, before) => this.#stateNow(pod, before),
      ask: ({ pod, etags }, signal) => this.#ask(pod, etags, signal),
    });
  }

  /** Asks until the signal ends it. */
  run(signal: AbortSignal): Promise<void> {
    return this.#loop.run(signal);
  }

  #stateNow(pod: PolledPod, before: ReportingPod | undefined): ReportingPod {
    if (before === undefined) return { pod, dueMs: 0, etags: new Map() };
    const sequence = (one: PolledPod) => one.documents?.federation.sequence;
    const isGivenMore = sequence(pod) !== sequence(before.pod);
    const soonMs = this.#deps.nowMs() + AFTER_DOCUMENT_MS;
    return { ...before, pod, dueMs: isGivenMore ? Math.min(before.dueMs, soonMs) : before.dueMs };
  }

  async #ask(pod: PolledPod, before: ReadonlyMap<ReportPage, string>, signal: AbortSignal): Promise<void> {
    const etags = new Map(before);
    try {
      for (const page of REPORT_PAGES) await this.#askPage(pod, page, etags, signal);
    } catch (error) {
      // The rest is asked next time; who cannot be reached at all is told by the status poller.
      if (!(error instanceof AdminError)) throw error;
    } finally {
      this.#schedule(pod, etags);
    }
  }

  async #askPage(pod: PolledPod, page: ReportPage, etags: Map<ReportPage, string>, signal: AbortSignal): Promise<void> {
    const answer = await this.#deps.client.report(pod, page, etags.get(page), signal);
    if (answer === "unchanged" || answer === "unknown") return;
    if (answer.etag === undefined) etags.delete(page);
    else etags.set(page, answer.etag);
    this.#deps.report(pod, page, answer.report);
  }

  #schedule(pod: PolledPod, etags: ReadonlyMap<ReportPage, string>): void {
    const now = this.#loop.get(pod.uid);
    if (now === undefined) return;
    const periodMs = Math.max(PERIOD_MS, (this.#loop.podCount / PODS_PER_SECOND) * 1_000);
    const delayMs = Math.round(periodMs * (1 - SPREAD + 2 * SPREAD * this.#deps.random()));
    // A document that went out meanwhile is worth another look soon.
    const isGivenMore = now.pod.documents?.federation.sequence !== pod.documents?.federation.sequence;
    const dueMs = this.#deps.nowMs() + (isGivenMore ? AFTER_DOCUMENT_MS : delayMs);
    this.#loop.put({ pod: now.pod, etags, dueMs });
  }
}
