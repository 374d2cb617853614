/** Wires the pods' admin ports to the two boards of facts. Part of the composition root. */
import type { ArchiveNode } from "@archivestream/crds";
import { PORTS } from "@archivestream/node/contract";
import type { DocumentIssuer } from "./controllers/archive-node/documents.ts";
import type { Caches } from "./controllers/caches.ts";
import type { FactBoard } from "./controllers/facts.ts";
import type { FederationBoard } from "./controllers/federation-facts.ts";
import type { AuthorityKeeper } from "./controllers/node-identity/authority-keeper.ts";
import type { Clock } from "./kube/clock.ts";
import type { ObjectKey } from "./kube/objects.ts";
import { AdminClient } from "./node-admin/client.ts";
import { ADMIN_PACE, Pace, paced } from "./node-admin/pace.ts";
import { AdminPoller } from "./node-admin/poller.ts";
import { ReportPoller } from "./node-admin/report-poller.ts";
import { createPolledPods } from "./polled-pods.ts";
import type { Manager } from "./runtime/manager.ts";

export interface PollingDeps {
  readonly manager: Manager;
  readonly caches: Caches;
  readonly clock: Clock;
  readonly adminPort?: number;
  readonly archiveNodes: { get(key: ObjectKey): ArchiveNode | undefined };
  readonly keeper: AuthorityKeeper;
  readonly facts: FactBoard;
  readonly board: FederationBoard;
  readonly issuer: DocumentIssuer;
  /** Has peers, policies or discovery, so that its pods have something to report. */
  readonly hasPeering: (node: string) => boolean;
}

const POLL_TICK_MS = 500;

export function addPolling(deps: PollingDeps): void {
  const { manager, caches, clock, facts, board, issuer } = deps;
  const client = new AdminClient(() => deps.keeper.credentials);
  const calls = paced(client, new Pace(clock, ADMIN_PACE));
  const pods = createPolledPods(
    { pods: caches.pods, nodes: deps.archiveNodes, issued: (uid) => issuer.issued(uid) },
    deps.adminPort ?? PORTS.admin,
  );
  const timing = { nowMs: () => clock.monotonicMs(), random: Math.random, tickMs: POLL_TICK_MS };
  const poller = new AdminPoller({
    client: calls,
    pods,
    report: (pod, report) => facts.putPod(pod.node, pod.podName, report),
    gone: (pod) => facts.dropPod(pod.node, pod.podName),
    ...timing,
  });
  const reports = new ReportPoller({
    client: calls,
    pods: () => pods().filter((pod) => pod.ready && deps.hasPeering(pod.node)),
    report: (pod, page, report) => board.put(pod.node, pod.podName, page, report),
    gone: (pod) => board.dropPod(pod.node, pod.podName),
    ...timing,
  });
  manager.addBackground({
    name: "admin-poller",
    run: async (signal) => {
      await Promise.all([poller.run(signal), reports.run(signal)]);
      client.close();
    },
  });
}
