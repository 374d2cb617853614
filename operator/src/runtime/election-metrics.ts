/** client-go's two metrics of leader election. */
import { Counter, Gauge, type Registry } from "prom-client";

export interface ElectionMetrics {
  leading(leader: boolean): void;
  slow(): void;
}

export function createElectionMetrics(registry: Registry, name: string): ElectionMetrics {
  const registers = [registry];
  const labelNames = ["name"];
  const status = new Gauge({
    name: "leader_election_master_status",
    help: "1 on the leader, 0 elsewhere",
    labelNames,
    registers,
  });
  const slow = new Counter({
    name: "leader_election_slowpath_total",
    help: "Renewals that did not succeed at the first try",
    labelNames,
    registers,
  });
  slow.inc({ name }, 0);
  return { leading: (leader) => status.set({ name }, leader ? 1 : 0), slow: () => slow.inc({ name }) };
}
