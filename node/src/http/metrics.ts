/** Metrics of the HTTP edge: time to answer by route pattern, never by URL. */
import { Histogram, type Registry } from "prom-client";

export interface AnsweredRequest {
  readonly listener: string;
  readonly method: string;
  /** The route's pattern. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

export interface HttpMetrics {
  observe(request: AnsweredRequest): void;
}

export function createHttpMetrics(registry: Registry): HttpMetrics {
  const duration = new Histogram({
    name: "archivestream_http_request_duration_seconds",
    help: "Time from the request's header to the end of its answer",
    labelNames: ["listener", "method", "route", "status"],
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
    registers: [registry],
  });
  return {
    observe: ({ listener, method, route, status, seconds }) => {
      duration.observe({ listener, method, route, status: `${Math.floor(status / 100)}xx` }, seconds);
    },
  };
}
