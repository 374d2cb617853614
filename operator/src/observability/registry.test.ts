/** The names and labels that dashboards and alerts are written against, and that every series exists from the start. */
import { expect, test } from "vitest";
import { systemClock } from "../kube/clock.ts";
import { createKubeMetrics } from "../kube/metrics.ts";
import { createControllerMetrics } from "../runtime/controller-metrics.ts";
import { createElectionMetrics } from "../runtime/election-metrics.ts";
import { createReflectorMetrics } from "../runtime/reflector-metrics.ts";
import { createRegistry } from "./registry.ts";

const NAMES = [
  "archivestream_apply_total",
  "archivestream_cache_missed_events_total",
  "archivestream_cache_objects",
  "archivestream_hotloop_total",
  "archivestream_reflector_bookmarks_total",
  "archivestream_reflector_decode_errors_total",
  "archivestream_reflector_last_event_age_seconds",
  "archivestream_reflector_lists_total",
  "archivestream_reflector_relists_total",
  "archivestream_reflector_watch_errors_total",
  "archivestream_reflector_watches_total",
  "archivestream_status_writes_total",
  "controller_runtime_active_workers",
  "controller_runtime_max_concurrent_reconciles",
  "controller_runtime_reconcile_errors_total",
  "controller_runtime_reconcile_panics_total",
  "controller_runtime_reconcile_time_seconds",
  "controller_runtime_reconcile_timeouts_total",
  "controller_runtime_reconcile_total",
  "controller_runtime_terminal_reconcile_errors_total",
  "leader_election_master_status",
  "leader_election_slowpath_total",
  "nodejs_eventloop_delay_seconds",
  "rest_client_request_duration_seconds",
  "rest_client_request_retries_total",
  "rest_client_requests_total",
  "workqueue_adds_total",
  "workqueue_depth",
  "workqueue_longest_running_processor_seconds",
  "workqueue_queue_duration_seconds",
  "workqueue_retries_total",
  "workqueue_unfinished_work_seconds",
  "workqueue_work_duration_seconds",
];

function setUp() {
  const registry = createRegistry();
  const controller = createControllerMetrics(registry)({
    name: "archive-node",
    workers: 8,
    startedAt: () => [],
    monotonicMs: () => systemClock.monotonicMs(),
  });
  const reflector = createReflectorMetrics(registry);
  const election = createElectionMetrics(registry, "archive-operator");
  const kube = createKubeMetrics(registry);
  return { registry, controller, reflector, election, kube };
}

test("the names are those of operator dashboards, and there are no others of ours", async () => {
  const { registry } = setUp();
  const all = (await registry.getMetricsAsJSON()).map((metric) => metric.name);
  const runtime = /^(process_|nodejs_(?!eventloop_delay))/;
  expect(all.filter((name) => !runtime.test(name)).sort()).toEqual(NAMES);
});

test("series whose labels are known exist before anything happened", async () => {
  const { registry, reflector, election } = setUp();
  reflector({ kind: "ArchiveNode", size: () => 0, silentForMs: () => 0 });
  election.leading(false);
  const lines = (await registry.metrics()).split("\n");
  const controller = 'controller="archive-node"';
  const queue = 'name="archive-node",controller="archive-node"';
  const zero = [
    ...["success", "error", "requeue_after"].map(
      (result) => `controller_runtime_reconcile_total{${controller},result="${result}"} 0`,
    ),
    ...["reconcile_errors", "terminal_reconcile_errors", "reconcile_panics", "reconcile_timeouts"].map(
      (name) => `controller_runtime_${name}_total{${controller}} 0`,
    ),
    `controller_runtime_reconcile_time_seconds_count{${controller}} 0`,
    `archivestream_hotloop_total{${controller}} 0`,
    ...["100", "0", "-100"].map((priority) => `workqueue_depth{${queue},priority="${priority}"} 0`),
    ...["adds_total", "retries_total", "unfinished_work_seconds", "longest_running_processor_seconds"].map(
      (name) => `workqueue_${name}{${queue}} 0`,
    ),
    ...["queue_duration_seconds_count", "work_duration_seconds_count"].map((name) => `workqueue_${name}{${queue}} 0`),
    ...["lists", "watches", "watch_errors", "relists", "bookmarks", "decode_errors"].map(
      (name) => `archivestream_reflector_${name}_total{kind="ArchiveNode"} 0`,
    ),
    'archivestream_cache_objects{kind="ArchiveNode"} 0',
    'archivestream_cache_missed_events_total{kind="ArchiveNode"} 0',
    'leader_election_master_status{name="archive-operator"} 0',
    'leader_election_slowpath_total{name="archive-operator"} 0',
  ];
  expect(zero.filter((line) => !lines.includes(line))).toEqual([]);
});

test("the first result of a kind brings the other results at zero", async () => {
  const { registry, kube } = setUp();
  kube.applied("Service", "noop");
  const lines = (await registry.metrics()).split("\n");
  for (const [result, count] of [
    ["changed", 0],
    ["noop", 1],
    ["conflict", 0],
  ] as const)
    expect(lines).toContain(`archivestream_apply_total{kind="Service",result="${result}"} ${count}`);
});

test("the delay of the event loop is shown by quantile", async () => {
  const { registry } = setUp();
  const { values } = (await registry.getSingleMetric("nodejs_eventloop_delay_seconds")?.get()) ?? { values: [] };
  expect(values.map((value) => value.labels["quantile"])).toEqual(["0.5", "0.99", "1"]);
});
