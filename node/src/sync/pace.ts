/** When to look again, and when to try again what failed. Pure but for the cron library. */
import { Cron } from "croner";
import type { PolicyEntry } from "../contract/documents.ts";

const SECOND_MS = 1_000;
/** A peer that does not answer. Short: it costs one connection, and whoever waits for it sees it come back. */
const PEER_RETRY = { firstMs: 2 * SECOND_MS, capMs: 5 * 60 * SECOND_MS };
const ITEM_RETRY = { firstMs: 5 * SECOND_MS, capMs: 60 * 60 * SECOND_MS };

/** Half of the doubled time is left to chance, so that nodes that failed together do not come back together. */
function backoff({ firstMs, capMs }: typeof PEER_RETRY, failures: number, random: () => number): number {
  const wholeMs = Math.min(capMs, firstMs * 2 ** Math.max(0, failures - 1));
  return Math.round(wholeMs * (0.5 + random() / 2));
}

export function peerRetryMs(failures: number, random: () => number): number {
  return backoff(PEER_RETRY, failures, random);
}

export function itemRetryMs(failures: number, random: () => number): number {
  return backoff(ITEM_RETRY, failures, random);
}

/**
 * When a run that began at `begunMs` is followed by the next, epoch milliseconds; `undefined`: never, as of a schedule that
 * names no date or cannot be read. Whoever plans by it reports that.
 */
export function nextRunMs(policy: PolicyEntry, begunMs: number): number | undefined {
  if (policy.intervalSeconds !== undefined) return begunMs + policy.intervalSeconds * SECOND_MS;
  if (policy.schedule === undefined) return undefined;
  try {
    const cron = new Cron(policy.schedule, { mode: "5-part", timezone: policy.timeZone ?? "UTC", paused: true });
    return cron.nextRun(new Date(begunMs))?.getTime();
  } catch {
    return undefined;
  }
}

/** An interval begins at once, a schedule at its first date. */
export function firstRunMs(policy: PolicyEntry, nowMs: number): number | undefined {
  return policy.intervalSeconds === undefined ? nextRunMs(policy, nowMs) : nowMs;
}
