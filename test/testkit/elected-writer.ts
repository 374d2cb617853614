/** An elector on a namespace of its own, and a client whose writes go through the fence that it moves. */
import type { KubeClient } from "../../operator/src/kube/client.ts";
import { type Clock, systemClock } from "../../operator/src/kube/clock.ts";
import { LeaseFence } from "../../operator/src/kube/write-fence.ts";
import { LEASE_TIMINGS, LeaderElector, type LeaseTimings } from "../../operator/src/runtime/leader-election.ts";
import { LEASES, type Lease } from "../../operator/src/runtime/lease.ts";
import { SILENT } from "../../operator/src/runtime/log.ts";
import type { ApiServer } from "../cluster/api-server.ts";
import { CONFIG_MAPS } from "./kube-connection.ts";
import { type ProxiedNamespace, proxiedNamespace } from "./proxied-namespace.ts";

/** Short enough to lose within a test, long enough for a busy machine to renew. */
export const QUICK: LeaseTimings = { leaseDurationMs: 5_000, renewDeadlineMs: 3_000, retryMs: 300 };

interface ElectorParts {
  readonly client: KubeClient;
  readonly identity: string;
  readonly timings?: LeaseTimings;
  readonly clock?: Clock;
  readonly fence?: LeaseFence;
}

export function electorIn(world: ProxiedNamespace, { client, identity, ...parts }: ElectorParts): LeaderElector {
  const { clock = systemClock, timings = LEASE_TIMINGS } = parts;
  const fence = parts.fence ?? new LeaseFence(clock, timings.renewDeadlineMs);
  return new LeaderElector({
    client,
    clock,
    log: SILENT,
    fence,
    namespace: world.namespace,
    name: "leader",
    identity,
    timings,
  });
}

export interface ElectedWriter extends ProxiedNamespace {
  readonly fence: LeaseFence;
  readonly elector: LeaderElector;
  lease(): Promise<Lease | undefined>;
  /** Creates a ConfigMap through the fence. */
  write(name: string): Promise<unknown>;
}

/** A namespace whose `client` writes through the fence that its elector moves. */
export async function electedWriter(
  server: ApiServer,
  timings: LeaseTimings = QUICK,
  clock: Clock = systemClock,
): Promise<ElectedWriter> {
  const fence = new LeaseFence(clock, timings.renewDeadlineMs);
  const world = await proxiedNamespace(server, fence);
  const elector = electorIn(world, { client: world.client, identity: "first", timings, clock, fence });
  const lease = () =>
    world.past.get<Lease>(LEASES, { namespace: world.namespace, name: "leader" }, AbortSignal.timeout(10_000));
  const write = (name: string) =>
    world.client.create(
      CONFIG_MAPS,
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: world.namespace } },
      world.signal,
    );
  return { ...world, fence, elector, lease, write };
}

export const isLeaseWrite: Parameters<ProxiedNamespace["proxy"]["addFault"]>[0]["matches"] = ({ method, path }) =>
  method !== "GET" && path.includes("/leases");
export const isCreate: typeof isLeaseWrite = ({ method, path }) => method === "POST" && path.endsWith("/configmaps");
