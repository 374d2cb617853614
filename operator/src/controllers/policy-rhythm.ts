/** When a policy's runs begin, in the words of the federation document. Pure. */
import type { SyncPolicy } from "@archivestream/crds";
import type { PolicyEntry } from "@archivestream/node/contract";
import { durationMs } from "./duration.ts";

/** Names of cron for whole schedules. */
const NAMED: Readonly<Record<string, string>> = {
  "@hourly": "0 * * * *",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@weekly": "0 0 * * 0",
  "@monthly": "0 0 1 * *",
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
};
/** Of the federation document. */
const LONGEST_SECONDS = 31_536_000;

export type Rhythm = Pick<PolicyEntry, "intervalSeconds" | "schedule" | "timeZone">;

/** @returns undefined when the schedule has a name that no cron knows */
export function rhythmOf({ schedule, interval, timeZone }: SyncPolicy["spec"]): Rhythm | undefined {
  if (interval !== undefined)
    return { intervalSeconds: Math.min(LONGEST_SECONDS, Math.max(1, Math.round(durationMs(interval) / 1_000))) };
  const fields = schedule?.startsWith("@") === true ? NAMED[schedule] : schedule;
  if (fields === undefined) return undefined;
  return { schedule: fields, ...(timeZone === undefined ? {} : { timeZone }) };
}
