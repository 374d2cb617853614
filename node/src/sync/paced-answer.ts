/** A peer's body that ends when its sender is too slow. Only time spent waiting for the peer counts, never a slow disk of ours. */
import { SyncError } from "./errors.ts";

/** So much must come in each stretch of waiting, as for uploads. */
export interface AnswerPace {
  readonly windowMs: number;
  readonly windowBytes: number;
}

/** @throws {SyncError} `PEER_SILENT`, `CUT_OFF` */
export async function* pacedAnswer(
  body: AsyncIterable<Uint8Array>,
  { windowMs, windowBytes }: AnswerPace,
  monotonicMs: () => number,
): AsyncGenerator<Uint8Array, void> {
  const chunks = body[Symbol.asyncIterator]();
  let window = { waitedMs: 0, bytes: 0 };
  let total = 0;
  try {
    for (;;) {
      const before = monotonicMs();
      const next = await within(cutOffAt(chunks.next(), total), windowMs - window.waitedMs, windowMs);
      if (next.done === true) return;
      total += next.value.length;
      window = { waitedMs: window.waitedMs + monotonicMs() - before, bytes: window.bytes + next.value.length };
      if (window.bytes >= windowBytes) window = { waitedMs: 0, bytes: 0 };
      yield next.value;
    }
  } finally {
    // Not awaited: a body that hangs may hang here as well, and its caller ends the call.
    void chunks.return?.().catch(() => undefined);
  }
}

async function cutOffAt<T>(next: Promise<T>, received: number): Promise<T> {
  try {
    return await next;
  } catch (error) {
    throw new SyncError("CUT_OFF", { received }, { cause: error });
  }
}

async function within<T>(next: Promise<T>, leftMs: number, windowMs: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new SyncError("PEER_SILENT", { afterMs: windowMs })), Math.max(0, leftMs));
  try {
    return await Promise.race([next, promise]);
  } finally {
    clearTimeout(timer);
    next.catch(() => undefined);
  }
}
