/**
 * A request body that ends the request when its sender is too slow or sends too much. Only time spent waiting for the
 * sender counts: a node that is slow to store never blames the client.
 */
import type { IncomingMessage } from "node:http";
import { HttpProblem } from "./problem.ts";

export interface BodyLimits {
  readonly maxBytes: number;
  /** At least `windowBytes` must come in each `windowMs` of waiting, so that neither silence nor a drip holds a slot. */
  readonly windowMs: number;
  readonly windowBytes: number;
}

/** @throws {HttpProblem} `payload-too-large`, `upload-too-slow`, `upload-incomplete` while iterating */
export async function* pacedBody(source: IncomingMessage, limits: BodyLimits): AsyncGenerator<Uint8Array, void> {
  const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  let total = 0;
  let window = { waitedMs: 0, bytes: 0 };
  for (;;) {
    const before = performance.now();
    const next = await nextWithin(chunks, limits.windowMs - window.waitedMs);
    if (next.done === true) break;
    total += next.value.length;
    if (total > limits.maxBytes) {
      throw new HttpProblem("payload-too-large", `this node takes files of up to ${limits.maxBytes} bytes`);
    }
    window = { waitedMs: window.waitedMs + performance.now() - before, bytes: window.bytes + next.value.length };
    if (window.bytes >= limits.windowBytes) window = { waitedMs: 0, bytes: 0 };
    yield next.value;
  }
  if (!source.complete) throw new HttpProblem("upload-incomplete", "the connection ended within the body");
}

async function nextWithin(
  chunks: AsyncIterator<Uint8Array>,
  timeoutMs: number,
): Promise<IteratorResult<Uint8Array, unknown>> {
  const { promise, reject } = Promise.withResolvers<never>();
  const slow = new HttpProblem("upload-too-slow", "send faster, or in one piece");
  const timer = setTimeout(() => reject(slow), Math.max(0, timeoutMs));
  try {
    return await Promise.race([chunks.next(), promise]);
  } catch (error) {
    if (error instanceof HttpProblem) throw error;
    throw new HttpProblem("upload-incomplete", "the connection ended within the body", { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
