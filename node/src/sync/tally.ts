/** Counts of one target's missing files, and what they come to: its state and its gravest reason. Pure. */
import { MISSING_REASONS, type MissingReason, type SyncTarget } from "../contract/federation-reports.ts";
import type { ReasonCounts } from "./wanted-calls.ts";

/** Gravest first: what needs a person before what passes by itself. */
const GRAVITY: readonly MissingReason[] = [
  ...([
    "bad-schedule",
    "corrupt",
    "failed",
    "not-an-archive",
    "disk-reserve",
    "access-wider",
    "refused",
    "no-holder",
  ] as const),
  ...(["too-large", "holder-offline", "verifying", "transferring", "queued"] as const),
];
const REASONS = Object.keys(MISSING_REASONS) as readonly MissingReason[];

export class Tally {
  readonly #counts = new Map<MissingReason, number>();

  constructor(counts: ReasonCounts) {
    this.replace(counts);
  }

  replace(counts: ReasonCounts): void {
    this.#counts.clear();
    this.add(counts);
  }

  add(counts: ReasonCounts): void {
    for (const reason of REASONS) this.#change(reason, counts[reason] ?? 0);
  }

  remove(counts: ReasonCounts): void {
    for (const reason of REASONS) this.#change(reason, -(counts[reason] ?? 0));
  }

  /** One file's reason became another one; `undefined`: it is here. */
  move(from: MissingReason, to: MissingReason | undefined): void {
    this.#change(from, -1);
    if (to !== undefined) this.#change(to, 1);
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** As they are now. */
  get counts(): ReadonlyMap<MissingReason, number> {
    return this.#counts;
  }

  #change(reason: MissingReason, change: number): void {
    const left = (this.#counts.get(reason) ?? 0) + change;
    if (left <= 0) this.#counts.delete(reason);
    else this.#counts.set(reason, left);
  }
}

/** What is true of a target beside the reasons that are remembered with its files. */
export interface TargetView {
  readonly counts: ReadonlyMap<MissingReason, number>;
  /** Remembered reason and present phase of each file that is being fetched. */
  readonly active: readonly { readonly remembered: MissingReason; readonly phase: "transferring" | "verifying" }[];
  /** Why none of its files can come now. */
  readonly blocked: MissingReason | undefined;
  readonly hasEnded: boolean;
  readonly listFailed: boolean;
}

/** Of a file: that it did not come yet, which says less than why nothing comes from its peer now. */
const WAITING: ReadonlySet<MissingReason> = new Set(["queued", "holder-offline"]);

/** Whether no file may come at all, whatever else is the matter. */
export function letsNothingIn(blocked: MissingReason | undefined): boolean {
  return blocked === "access-wider" || blocked === "bad-schedule";
}

/** The one reason of a file that is not being fetched. */
export function shownReason(remembered: MissingReason, blocked: MissingReason | undefined): MissingReason {
  return blocked !== undefined && (letsNothingIn(blocked) || WAITING.has(remembered)) ? blocked : remembered;
}

export function shownCounts({ counts, active, blocked }: Pick<TargetView, "counts" | "active" | "blocked">): Tally {
  const waiting = new Tally(Object.fromEntries(counts));
  for (const { remembered } of active) waiting.move(remembered, undefined);
  const shown = new Tally({});
  for (const [reason, count] of waiting.counts) shown.add({ [shownReason(reason, blocked)]: count });
  for (const { phase } of active) shown.add({ [phase]: 1 });
  return shown;
}

export function stateOf(view: TargetView): Pick<SyncTarget, "state" | "reason"> {
  const shown = shownCounts(view);
  const gravest = GRAVITY.find((reason) => (shown.counts.get(reason) ?? 0) > 0);
  if (view.active.length > 0) return { state: "Syncing", ...(gravest && { reason: gravest }) };
  if (view.listFailed) return { state: "Failed", reason: view.blocked ?? gravest ?? "failed" };
  if (!view.hasEnded) return { state: "Pending", ...(gravest && { reason: gravest }) };
  return gravest === undefined ? { state: "Synced" } : { state: "Incomplete", reason: gravest };
}
