/** How long until a retry: per-key exponential back-off with jitter, and no bucket that all keys share. */
import { KubeError } from "../kube/api-errors.ts";

export interface BackoffPolicy {
  readonly baseMs: number;
  readonly capMs: number;
  /** Share by which the delay is stretched or shortened at random. */
  readonly jitter: number;
}

/** controller-runtime's base; its cap of 1 000 s is too long for a human who has just fixed the cause. */
export const RETRY_BACKOFF: BackoffPolicy = { baseMs: 5, capMs: 300_000, jitter: 0.2 };
/** For what only a change of rights, quota or policy can cure. */
const POLICY_BACKOFF: BackoffPolicy = { baseMs: 60_000, capMs: 1_800_000, jitter: 0.2 };

/**
 * @param failures - consecutive failures before this one; integer >= 0
 * @param random - draws from [0, 1)
 * @returns milliseconds, at most `capMs * (1 + jitter)`
 */
export function backoffDelayMs(failures: number, policy: BackoffPolicy, random: () => number): number {
  const plain = Math.min(policy.capMs, policy.baseMs * 2 ** Math.min(failures, 60));
  return plain * (1 - policy.jitter + 2 * policy.jitter * random());
}

/** The delay after `error`: Retry-After is a lower bound, refusals by policy wait longest. */
export function retryDelayMs(error: unknown, failures: number, random: () => number): number {
  if (!(error instanceof KubeError)) return backoffDelayMs(failures, RETRY_BACKOFF, random);
  const refused = error.code === "FORBIDDEN" || error.code === "INVALID";
  const delay = backoffDelayMs(failures, refused ? POLICY_BACKOFF : RETRY_BACKOFF, random);
  return Math.max(delay, error.details.retryAfterMs ?? 0);
}
