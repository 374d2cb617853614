/**
 * Asks the API server who a bearer token is and whether that user may GET a path: TokenReview, SubjectAccessReview.
 *
 * Verdicts are kept for a minute, as controller-runtime does, so that scrapes cost the API server little. Tokens are kept
 * as digests only. Nothing is allowed while the API server cannot be asked.
 */
import { createHash } from "node:crypto";
import { KubeError } from "../kube/api-errors.ts";
import type { KubeClient } from "../kube/client.ts";
import type { Clock } from "../kube/clock.ts";

/** `unavailable`: the API server did not say, or too many are asking at once. */
export type Access = "allowed" | "unauthenticated" | "forbidden" | "unavailable";

export interface AccessReviewDeps {
  readonly client: Pick<KubeClient, "request">;
  readonly clock: Pick<Clock, "monotonicMs">;
  /** The API server could not be asked, or refused to say: usually the right to create reviews is missing. */
  readonly failed: (error: KubeError) => void;
}

export type ReviewAccess = (token: string, path: string, signal: AbortSignal) => Promise<Access>;

const KEPT_MS = 60_000;
/** Few systems scrape; whoever sends random tokens fills this and nothing else. */
const MAX_KEPT = 128;
/** Reviews at once: a flood of tokens must not become a flood of requests. */
const MAX_RUNNING = 8;
const REVIEW_TIMEOUT_MS = 5_000;

export function createAccessReview({ client, clock, failed }: AccessReviewDeps): ReviewAccess {
  const kept = new KeptVerdicts(clock);
  let running = 0;
  return async (token, path, signal) => {
    const key = createHash("sha256").update(`${path}\n${token}`).digest("hex");
    const known = kept.get(key);
    if (known !== undefined) return known;
    if (running >= MAX_RUNNING) return "unavailable";
    running++;
    try {
      const access = await review(client, token, path, signal);
      kept.set(key, access);
      return access;
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      failed(error);
      return "unavailable";
    } finally {
      running--;
    }
  };
}

class KeptVerdicts {
  readonly #verdicts = new Map<string, { readonly access: Access; readonly untilMs: number }>();
  readonly #clock: Pick<Clock, "monotonicMs">;

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  get(key: string): Access | undefined {
    const found = this.#verdicts.get(key);
    return found !== undefined && this.#clock.monotonicMs() < found.untilMs ? found.access : undefined;
  }

  set(key: string, access: Access): void {
    this.#verdicts.delete(key); // set again, an entry goes to the end, where the youngest are
    this.#verdicts.set(key, { access, untilMs: this.#clock.monotonicMs() + KEPT_MS });
    const [oldest] = this.#verdicts.keys();
    if (this.#verdicts.size > MAX_KEPT && oldest !== undefined) this.#verdicts.delete(oldest);
  }
}

interface User {
  readonly username?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

async function review(client: AccessReviewDeps["client"], token: string, path: string, signal: AbortSignal) {
  const ask = async <T>(group: string, kind: string, spec: object) => {
    const body = { apiVersion: `${group}/v1`, kind, spec };
    const request = { method: "POST", path: `/apis/${group}/v1/${kind.toLowerCase()}s`, body } as const;
    // Changes nothing in the cluster, and followers have metrics too: no lease is needed for it.
    const options = { unfenced: true, timeoutMs: REVIEW_TIMEOUT_MS };
    return ((await client.request({ ...request, ...options }, signal)) as { readonly status?: T }).status;
  };
  const who = await ask<{ authenticated?: boolean; user?: User }>("authentication.k8s.io", "TokenReview", { token });
  if (who?.authenticated !== true) return "unauthenticated";
  const { username: user, uid, groups, extra } = who.user ?? {};
  const nonResourceAttributes = { path, verb: "get" };
  const spec = { user, uid, groups, extra, nonResourceAttributes };
  const may = await ask<{ allowed?: boolean }>("authorization.k8s.io", "SubjectAccessReview", spec);
  return may?.allowed === true ? "allowed" : "forbidden";
}
