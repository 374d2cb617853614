/** One AbortSignal a request: aborts when the client goes away before it has its answer. */
import type { FastifyReply, FastifyRequest } from "fastify";

const signals = new WeakMap<FastifyRequest["raw"], AbortSignal>();

/** Called once at the start of every request. */
export function trackClient(request: FastifyRequest, reply: FastifyReply): void {
  const controller = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) controller.abort(new DOMException("the client went away", "AbortError"));
  });
  signals.set(request.raw, controller.signal);
}

export function requestSignal(request: FastifyRequest): AbortSignal {
  const signal = signals.get(request.raw);
  if (signal === undefined) throw new Error("the request is not tracked");
  return signal;
}

/** The request's signal with a budget, milliseconds; its reason is then a `TimeoutError`. */
export function deadlineSignal(request: FastifyRequest, budgetMs: number): AbortSignal {
  return AbortSignal.any([requestSignal(request), AbortSignal.timeout(budgetMs)]);
}
