/** Whether we see the cluster: judged by the freshness of the watches. Pure but for the clock. */
import type { Clock } from "../kube/clock.ts";
import type { KubeObject } from "../kube/objects.ts";
import type { Reflector } from "./reflector.ts";

export interface HealthReport {
  readonly ok: boolean;
  /** One line per problem, for the body of the answer. */
  readonly problems: readonly string[];
}

/** Not ready when this many times its normal silence old, and not alive when three times. */
const READY_FACTOR = 2;
const LIVE_FACTOR = 3;

type Watched = Pick<
  Reflector<KubeObject>,
  "resource" | "optional" | "cache" | "lastContactMs" | "freshForMs" | "state"
>;

/** Every required cache is filled and had contact of late. Leadership is no part of readiness. */
export function readiness(reflectors: readonly Watched[], clock: Clock): HealthReport {
  const unsynced = required(reflectors).filter((reflector) => !reflector.cache.hasSynced);
  return report([
    ...unsynced.map((reflector) => `${reflector.resource.plural}: not listed yet (${reflector.state})`),
    ...stale(reflectors, clock, READY_FACTOR),
  ]);
}

/** A process whose watches are dead this long does nothing but look alive. */
export function liveness(reflectors: readonly Watched[], clock: Clock, electorWedged: boolean): HealthReport {
  return report([...(electorWedged ? ["leader election: wedged"] : []), ...stale(reflectors, clock, LIVE_FACTOR)]);
}

function stale(reflectors: readonly Watched[], clock: Clock, factor: number): readonly string[] {
  const now = clock.monotonicMs();
  return required(reflectors)
    .filter((reflector) => now - reflector.lastContactMs > factor * reflector.freshForMs)
    .map(
      (reflector) =>
        `${reflector.resource.plural}: no contact for ${Math.round((now - reflector.lastContactMs) / 1000)} s`,
    );
}

function required(reflectors: readonly Watched[]): readonly Watched[] {
  return reflectors.filter((reflector) => !reflector.optional);
}

function report(problems: readonly string[]): HealthReport {
  return { ok: problems.length === 0, problems };
}
