/** One AbortSignal a request: aborts when the client goes away before it has its answer. */
import type { FastifyReply, FastifyRequest } from "fastify";

interface Tracked {
  readonly client: AbortController;
  budget: NodeJS.Timeout | undefined;
}

const requests = new WeakMap<FastifyRequest["raw"], Tracked>();

/** Called once at the start of every request. */
export function trackClient(request: FastifyRequest, reply: FastifyReply): void {
  const tracked: Tracked = { client: new AbortController(), budget: undefined };
  reply.raw.once("close", () => {
    clearTimeout(tracked.budget);
    if (reply.raw.writableFinished) return;
    tracked.client.abort(new DOMException("the client went away", "AbortError"));
  });
  requests.set(request.raw, tracked);
}

function trackedOf(request: FastifyRequest): Tracked {
  const tracked = requests.get(request.raw);
  if (tracked === undefined) throw new Error("the request is not tracked");
  return tracked;
}

export function requestSignal(request: FastifyRequest): AbortSignal {
  return trackedOf(request).client.signal;
}

/** The request's signal with a budget, milliseconds; its reason is then a `TimeoutError`. Once a request. */
export function deadlineSignal(request: FastifyRequest, budgetMs: number): AbortSignal {
  const tracked = trackedOf(request);
  const { signal } = tracked.client;
  // Not AbortSignal.any of AbortSignal.timeout: what they leave to the collector costs a look-up as much as its SQL.
  const limited = new AbortController();
  tracked.budget = setTimeout(() => {
    limited.abort(new DOMException("the request took too long", "TimeoutError"));
  }, budgetMs);
  if (signal.aborted) limited.abort(signal.reason);
  else signal.addEventListener("abort", () => limited.abort(signal.reason), { once: true });
  return limited.signal;
}
