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

/** Longest step of each field. */
const LONGEST_STEP = [60, 24, 31, 12, 7] as const;
const DAYS_OF_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const NAMES = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/** Whether five fields of a form that the API server takes name no time at all: no run would ever begin. */
export function neverBegins(schedule: string): boolean {
  const fields = schedule.trim().split(/ +/);
  if (
    fields.some((field, position) => field.split(",").some((item) => isUnreadable(item, LONGEST_STEP[position] ?? 0)))
  )
    return true;
  const [, , days = "*", months = "*", weekdays = "*"] = fields;
  if (!/^[\d,]+$/.test(days) || !/^[*?]$/.test(weekdays) || !/^[\w,]+$/.test(months)) return false;
  const longest = Math.max(...months.split(",").map((month) => DAYS_OF_MONTH[numberOf(month) - 1] ?? 31));
  return days.split(",").every((day) => Number(day) > longest);
}

/** A range that runs backwards, or a step that no value of the field is away from another. */
function isUnreadable(item: string, longestStep: number): boolean {
  const [range = "", step = "1"] = item.split("/");
  const [from, to] = range.split("-").map(numberOf);
  return Number(step) > longestStep || (from !== undefined && to !== undefined && from > to);
}

function numberOf(text: string): number {
  const name = text.toLowerCase();
  if (NAMES.includes(name)) return NAMES.indexOf(name) + 1;
  return WEEKDAYS.includes(name) ? WEEKDAYS.indexOf(name) : Number(text);
}
