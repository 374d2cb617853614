/**
 * A process of its own that writes one ConfigMap as fast as it can while it leads, and exits with 1 when it no longer
 * may. Started by the proof that a paused leader starts no write after it wakes.
 *
 * Arguments: URL of the API server, namespace, identity.
 */
import type { KubeClient } from "../../operator/src/kube/client.ts";
import { systemClock } from "../../operator/src/kube/clock.ts";
import type { ObjectKey } from "../../operator/src/kube/objects.ts";
import { LeaseFence } from "../../operator/src/kube/write-fence.ts";
import { NO_CONTROLLER_METRICS } from "../../operator/src/runtime/controller-metrics.ts";
import { LEASE_TIMINGS, LeaderElector } from "../../operator/src/runtime/leader-election.ts";
import { SILENT } from "../../operator/src/runtime/log.ts";
import { createManager } from "../../operator/src/runtime/manager.ts";
import { CONFIG_MAPS, connectTo } from "./kube-connection.ts";

/** Several at a time, so that some are between decision and socket whenever the process is stopped. */
const WRITERS = 8;

async function main([url = "", namespace = "", identity = ""]: readonly string[]): Promise<void> {
  const clock = systemClock;
  const fence = new LeaseFence(clock, LEASE_TIMINGS.renewDeadlineMs);
  const { client } = connectTo(url, fence);
  const elector = new LeaderElector({ client, clock, log: SILENT, fence, namespace, name: "leader", identity });
  const manager = createManager({
    clock,
    log: SILENT,
    metrics: NO_CONTROLLER_METRICS,
    random: Math.random,
    elector,
  });
  for (let index = 0; index < WRITERS; index++) {
    manager.addBackground({
      name: `writer-${index}`,
      run: (signal) => write(client, { key: { namespace, name: "written" }, identity, index }, signal),
    });
  }
  await manager.run(new AbortController().signal);
}

async function write(
  client: KubeClient,
  what: { readonly key: ObjectKey; readonly identity: string; readonly index: number },
  signal: AbortSignal,
): Promise<void> {
  for (let count = 0; !signal.aborted; count++) {
    const data = { writer: what.identity, [`count-${what.index}`]: String(count) };
    await client
      .patch(
        { resource: CONFIG_MAPS, key: what.key },
        { data },
        { contentType: "application/merge-patch+json", fieldManager: "writer" },
        signal,
      )
      .catch(() => undefined); // refused or aborted: a write loop that does not give up is the harder case
    // Refusals need no network: without this turn the loop would never let the elector's timer fire.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.name : String(error)}\n`);
    process.exit(1);
  },
);
