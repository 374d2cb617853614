/** Lets a connection be silent while its request is worked on: nothing moves on it then, and its idle limit would cut it. */
import type { FastifyRequest } from "fastify";

/**
 * Work that may take longer than the connection's idle limit, which holds again before anything is answered.
 *
 * No 102 (Processing) goes out meanwhile: nginx takes any interim answer but 103 for the final one.
 *
 * @see https://github.com/nginx/nginx/issues/1427
 */
export async function withoutIdleLimit<T>({ raw: { socket } }: FastifyRequest, work: () => Promise<T>): Promise<T> {
  const limitMs = socket.timeout ?? 0;
  socket.setTimeout(0);
  try {
    return await work();
  } finally {
    socket.setTimeout(limitMs);
  }
}
