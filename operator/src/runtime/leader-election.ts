/**
 * Holds a Lease so that one process at a time writes, and closes the write fence when that can no longer be proven.
 *
 * Whether another's lease ran out is judged by our own monotonic clock since its record last changed, never by
 * comparing times of two machines. Losing is final for this process: the caller exits.
 */
import { KubeError, type KubeErrorCode } from "../kube/api-errors.ts";
import type { KubeClient } from "../kube/client.ts";
import { type Clock, pause } from "../kube/clock.ts";
import type { LeaseFence } from "../kube/write-fence.ts";
import { claimed, LEASES, type Lease, releasedSpec } from "./lease.ts";
import type { Log } from "./log.ts";

export interface LeaderElectionOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly fence: LeaseFence;
  readonly namespace: string;
  readonly name: string;
  /** Unique per process: pod name and a random suffix. */
  readonly identity: string;
  readonly timings?: LeaseTimings;
  readonly random?: () => number;
  readonly metrics?: { leading(leader: boolean): void; slow(): void };
}

export interface LeaseTimings {
  readonly leaseDurationMs: number;
  readonly renewDeadlineMs: number;
  readonly retryMs: number;
}

/** controller-runtime's. The deadline and a write's 4 s server timeout stay under the duration. */
export const LEASE_TIMINGS: LeaseTimings = { leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 };
const RETRY_JITTER = 1.2;
/** Answers that mean: the record is not what we think. */
const LOOK_AGAIN: ReadonlySet<KubeErrorCode> = new Set(["CONFLICT", "NOT_FOUND", "ALREADY_EXISTS"]);

export class LeadershipLostError extends Error {
  override readonly name = "LeadershipLostError";
}

export class LeaderElector {
  readonly #options: LeaderElectionOptions;
  readonly #timings: LeaseTimings;
  #lease: Lease | undefined;
  /** When the record we see was first seen by us, monotonic. */
  #seenAtMs = 0;
  #renewedAtMs: number | undefined;
  readonly #never = new AbortController();

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#timings = options.timings ?? LEASE_TIMINGS;
    options.metrics?.leading(false);
  }

  get isLeader(): boolean {
    return this.#renewedAtMs !== undefined;
  }

  /** True when a leader has not managed to notice for longer than a lease that it should have renewed or given up. */
  get isWedged(): boolean {
    const { leaseDurationMs } = this.#timings;
    return (
      this.#renewedAtMs !== undefined && this.#options.clock.monotonicMs() - this.#renewedAtMs > 2 * leaseDurationMs
    );
  }

  /** Resolves when we lead, or when `signal` aborts: look at {@link isLeader}. */
  async acquire(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (await this.#attempt(signal)) {
        this.#options.metrics?.leading(true);
        this.#options.log.info({ identity: this.#options.identity }, "became leader");
        return;
      }
      await pause(this.#options.clock, this.#retryDelayMs(), signal);
    }
  }

  /**
   * Renews until `signal` aborts; a renewal under way is finished, so that what we know of the record stays true.
   *
   * @throws {LeadershipLostError} the deadline passed without a renewal, or the lease is somebody else's; the fence is
   * closed and every write under way is aborted by then
   */
  async hold(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const untilDeadlineMs = this.#untilDeadlineMs() + 1;
      await pause(this.#options.clock, Math.min(this.#timings.retryMs, untilDeadlineMs), signal);
      if (signal.aborted) return;
      if (this.#untilDeadlineMs() >= 0 && (await this.#renew())) continue;
      if (this.#untilDeadlineMs() < 0 || this.#heldByAnother()) this.#lose();
      this.#options.metrics?.slow();
    }
  }

  /** Ends by itself at the deadline. A mistake of ours counts as lost: nothing would renew any more. */
  async #renew(): Promise<boolean> {
    try {
      return await this.#attempt(this.#never.signal);
    } catch (error) {
      this.#options.log.error({ err: error }, "renewing the lease failed in an unforeseen way");
      return this.#lose();
    }
  }

  /** Gives the lease up so that the next leader need not wait. Call after the last write has ended. */
  async release(signal: AbortSignal): Promise<void> {
    if (this.#renewedAtMs === undefined || this.#lease === undefined) return;
    this.#renewedAtMs = undefined;
    this.#options.fence.released();
    this.#options.metrics?.leading(false);
    try {
      await this.#writeReleased(this.#lease, signal);
    } catch (error) {
      this.#options.log.warn({ err: error }, "the lease was not released; it runs out by itself");
    }
  }

  async #writeReleased(lease: Lease, signal: AbortSignal): Promise<void> {
    try {
      const spec = releasedSpec(lease.spec, this.#options.clock.now());
      await this.#write({ ...lease, spec }, signal);
    } catch (error) {
      if (!(error instanceof KubeError) || error.code !== "CONFLICT") throw error;
      // Perhaps a renewal of ours whose answer was lost; perhaps another's claim, which must stand.
      await this.#look(signal);
      if (this.#lease === undefined || this.#heldByAnother()) return;
      const spec = releasedSpec(this.#lease.spec, this.#options.clock.now());
      await this.#write({ ...this.#lease, spec }, signal);
    }
  }

  /** One try to take or renew; every failure is "not now". */
  async #attempt(signal: AbortSignal): Promise<boolean> {
    const startedMs = this.#options.clock.monotonicMs();
    try {
      if (!this.isLeader || this.#lease === undefined) await this.#look(signal);
      // A leader whose record was deleted may find another's in its place.
      if (this.isLeader ? this.#heldByAnother() : !this.#isFree()) return false;
      await this.#claim(signal);
      // The start counts: the answer may have waited in our own event loop.
      this.#renewedAtMs = startedMs;
      this.#options.fence.renewed(startedMs);
      return true;
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      this.#options.log.debug({ code: error.code }, "could not take or renew the lease");
      if (LOOK_AGAIN.has(error.code)) await this.#lookAgain(signal);
      return false;
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { client, namespace, name, clock } = this.#options;
    const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${name}`;
    const seen = await orAbsent(client.request({ method: "GET", path, timeoutMs: this.#requestTimeoutMs() }, signal));
    const lease = seen as Lease | undefined; // the server answers with the kind that was asked for
    if (lease?.metadata.resourceVersion !== this.#lease?.metadata.resourceVersion) this.#seenAtMs = clock.monotonicMs();
    this.#lease = lease;
  }

  async #lookAgain(signal: AbortSignal): Promise<void> {
    try {
      await this.#look(signal);
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
    }
  }

  async #claim(signal: AbortSignal): Promise<void> {
    const { identity, clock, namespace, name } = this.#options;
    const claim = { identity, leaseDurationMs: this.#timings.leaseDurationMs, nowMs: clock.now() };
    const spec = claimed(this.#lease?.spec, claim);
    const base = this.#lease ?? { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { namespace, name } };
    this.#lease = await this.#write({ ...base, spec }, signal);
    this.#seenAtMs = clock.monotonicMs();
  }

  async #write(lease: Lease, signal: AbortSignal): Promise<Lease> {
    const { namespace, name } = this.#options;
    const collection = `/apis/${LEASES.group}/${LEASES.version}/namespaces/${namespace}/${LEASES.plural}`;
    const exists = lease.metadata.resourceVersion !== undefined;
    const answer = await this.#options.client.request(
      {
        method: exists ? "PUT" : "POST",
        path: exists ? `${collection}/${name}` : collection,
        body: lease,
        timeoutMs: this.#requestTimeoutMs(),
        unfenced: true,
      },
      signal,
    );
    return answer as Lease; // the server answers with the object as stored
  }

  #isFree(): boolean {
    const holder = this.#lease?.spec?.holderIdentity ?? "";
    if (holder === "" || holder === this.#options.identity) return true;
    const durationMs = (this.#lease?.spec?.leaseDurationSeconds ?? 0) * 1000;
    const waitMs = Math.max(durationMs, this.#timings.leaseDurationMs);
    return this.#options.clock.monotonicMs() - this.#seenAtMs > waitMs;
  }

  #heldByAnother(): boolean {
    return this.#lease !== undefined && this.#lease.spec?.holderIdentity !== this.#options.identity;
  }

  /** Negative once it has passed. */
  #untilDeadlineMs(): number {
    const renewedAtMs = this.#renewedAtMs ?? -Infinity;
    return renewedAtMs + this.#timings.renewDeadlineMs - this.#options.clock.monotonicMs();
  }

  #lose(): never {
    const error = new LeadershipLostError("the lease was not renewed in time or was taken");
    this.#renewedAtMs = undefined;
    this.#options.fence.lost(error);
    this.#options.metrics?.leading(false);
    throw error;
  }

  /** One hung call must leave time for another, and none of a leader's may outlast its deadline. */
  #requestTimeoutMs(): number {
    const patience = Math.max(1_000, this.#timings.renewDeadlineMs / 2);
    return this.isLeader ? Math.max(1, Math.min(patience, Math.ceil(this.#untilDeadlineMs()))) : patience;
  }

  #retryDelayMs(): number {
    const random = (this.#options.random ?? Math.random)();
    return this.#timings.retryMs * (1 + RETRY_JITTER * random);
  }
}

async function orAbsent(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof KubeError && error.code === "NOT_FOUND") return undefined;
    throw error;
  }
}
