/**
 * Condition lists as the API conventions and kstatus want them: pure, for every kind of this operator.
 *
 * `Reconciling`, `Stalled` and `Suspended` are present only while True; `lastTransitionTime` moves only with `status`.
 */
import type { Condition, ConditionStatus } from "@archivestream/crds";

/** A condition as a controller decides it; times and generation are added by {@link mergeConditions}. */
export interface Verdict<T extends string = string> {
  readonly type: T;
  readonly status: ConditionStatus;
  readonly reason: string;
  readonly message: string;
}

export interface MergeContext {
  readonly generation: number;
  readonly now: Date;
}

/** Fits the API's limit on messages with room to spare; a longer one is cut, not refused. */
const MESSAGE_LIMIT = 1_024;

/**
 * The stored conditions brought to what was decided. Types that were not decided on vanish.
 *
 * A verdict of `"keep"` leaves the stored condition as it is: its facts are not known yet, and a restarted operator
 * must not write just because it has not asked the pods again.
 */
export function mergeConditions<T extends string>(
  stored: readonly Condition[],
  decided: readonly (Verdict<T> | { readonly type: T; readonly keep: Verdict<T> })[],
  context: MergeContext,
): Condition<T>[] {
  return decided.map((one) => {
    const before = stored.find((condition) => condition.type === one.type) as Condition<T> | undefined;
    if (!("keep" in one)) return toCondition(one, before, context);
    return before ?? toCondition(one.keep, undefined, context);
  });
}

function toCondition<T extends string>(
  verdict: Verdict<T>,
  before: Condition<T> | undefined,
  { generation, now }: MergeContext,
): Condition<T> {
  return {
    type: verdict.type,
    status: verdict.status,
    reason: verdict.reason,
    message: verdict.message.slice(0, MESSAGE_LIMIT),
    lastTransitionTime: before?.status === verdict.status ? before.lastTransitionTime : wholeSeconds(now),
    observedGeneration: generation,
  };
}

/** RFC 3339 in UTC without fractions, as the API stores times. */
export function wholeSeconds(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

/** Admission answers with whatever status a policy chose, also with that of an invalid object; only the words tell. */
export function isPolicyRefusal(said: string): boolean {
  return /violates PodSecurity|denied the request|ValidatingAdmissionPolicy/.test(said);
}

/** What the API server said when it refused, with the next step for what it usually is: a quota, a policy, a right. */
export function forbiddenMessage(said: string): string {
  const next = /exceeded quota/.test(said)
    ? "raise that quota or free some of it"
    : isPolicyRefusal(said)
      ? "change the spec or that policy"
      : "grant what it names";
  return `the API server refused: ${said}; ${next}`;
}
