/** Request, apply and status counters, under client-go's names where it has one. */
import { Counter, Histogram, type Registry } from "prom-client";

export type ApplyOutcome = "changed" | "noop" | "conflict";

const OUTCOMES: readonly ApplyOutcome[] = ["changed", "noop", "conflict"];

export interface KubeMetrics {
  request(code: string, method: string, host: string): void;
  duration(verb: string, host: string, seconds: number): void;
  retry(code: string, verb: string, host: string): void;
  applied(kind: string, result: ApplyOutcome): void;
  /** @param count - default 1; with 0 the series begins */
  statusWritten(kind: string, count?: number): void;
}

export const NO_KUBE_METRICS: KubeMetrics = {
  request: () => {},
  duration: () => {},
  retry: () => {},
  applied: () => {},
  statusWritten: () => {},
};

export function createKubeMetrics(registry: Registry): KubeMetrics {
  const registers = [registry];
  const requests = new Counter({
    name: "rest_client_requests_total",
    help: "Requests to the API server, by status code",
    labelNames: ["code", "method", "host"],
    registers,
  });
  const durations = new Histogram({
    name: "rest_client_request_duration_seconds",
    help: "Time to the answer's head, by verb",
    labelNames: ["verb", "host"],
    buckets: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60],
    registers,
  });
  const retries = new Counter({
    name: "rest_client_request_retries_total",
    help: "Requests sent again because the server asked for it",
    labelNames: ["code", "verb", "host"],
    registers,
  });
  const applies = new Counter({
    name: "archivestream_apply_total",
    help: "Server-side applies, by what came of them",
    labelNames: ["kind", "result"],
    registers,
  });
  const statusWrites = new Counter({
    name: "archivestream_status_writes_total",
    help: "Writes to a status subresource",
    labelNames: ["kind"],
    registers,
  });
  return {
    request: (code, method, host) => requests.inc({ code, method, host }),
    duration: (verb, host, seconds) => durations.observe({ verb, host }, seconds),
    retry: (code, verb, host) => retries.inc({ code, verb, host }),
    applied: (kind, result) => {
      for (const known of OUTCOMES) applies.inc({ kind, result: known }, known === result ? 1 : 0);
    },
    statusWritten: (kind, count = 1) => statusWrites.inc({ kind }, count),
  };
}
