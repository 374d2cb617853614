/**
 * Asks pods for what they report of peers, policies and discoveries: every ten seconds, slower where there are many
 * pods, and only pods of nodes that have any of it. Each page has an ETag, so that a calm federation costs three 304s.
 *
 * Whether a pod can be reached at all is the status poller's business: a failure here changes nothing.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { AdminClient } from "./client.ts";
import { AdminError } from "./errors.ts";
import type { PolledPod } from "./poller.ts";
import { REPORT_PAGES, type ReportPage, type Reports } from "./reports.ts";

export interface ReportPollerDeps {
  readonly client: Pick<AdminClient, "report">;
  /** Ready pods of nodes that have peers, policies or discovery. */
  readonly pods: () => readonly PolledPod[];
  readonly report: <P extends ReportPage>(pod: PolledPod, page: P, report: Reports[P]) => void;
  readonly gone: (pod: PolledPod) => void;
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly tickMs: number;
}

interface PodState {
  readonly pod: PolledPod;
  readonly dueMs: number;
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
  readonly #states = new Map<string, PodState>();
  readonly #running = new Set<string>();

  constructor(deps: ReportPollerDeps) {
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
      if (before?.pod !== pod) this.#states.set(pod.uid, this.#stateNow(pod, before));
    }
    for (const [uid, { pod }] of this.#states) {
      if (seen.has(uid)) continue;
      this.#states.delete(uid);
      this.#deps.gone(pod);
    }
  }

  #stateNow(pod: PolledPod, before: PodState | undefined): PodState {
    if (before === undefined) return { pod, dueMs: 0, etags: new Map() };
    const sequence = (one: PolledPod) => one.documents?.federation.sequence;
    const isGivenMore = sequence(pod) !== sequence(before.pod);
    const soonMs = this.#deps.nowMs() + AFTER_DOCUMENT_MS;
    return { ...before, pod, dueMs: isGivenMore ? Math.min(before.dueMs, soonMs) : before.dueMs };
  }

  #startDue(signal: AbortSignal): void {
    const now = this.#deps.nowMs();
    const due = [...this.#states.values()]
      .filter(({ pod, dueMs }) => dueMs <= now && !this.#running.has(pod.uid))
      .sort((a, b) => a.dueMs - b.dueMs);
    for (const { pod, etags } of due.slice(0, Math.max(0, CONCURRENCY - this.#running.size))) {
      this.#running.add(pod.uid);
      void this.#ask(pod, etags, signal).finally(() => this.#running.delete(pod.uid));
    }
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
    const now = this.#states.get(pod.uid);
    if (now === undefined) return;
    const periodMs = Math.max(PERIOD_MS, (this.#states.size / PODS_PER_SECOND) * 1_000);
    const delayMs = Math.round(periodMs * (1 - SPREAD + 2 * SPREAD * this.#deps.random()));
    // A document that went out meanwhile is worth another look soon.
    const isGivenMore = now.pod.documents?.federation.sequence !== pod.documents?.federation.sequence;
    const dueMs = this.#deps.nowMs() + (isGivenMore ? AFTER_DOCUMENT_MS : delayMs);
    this.#states.set(pod.uid, { pod: now.pod, etags, dueMs });
  }
}
