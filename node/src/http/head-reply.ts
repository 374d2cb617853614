/** Answers HEAD with the headers of GET, without opening the body. */
import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";

/** An empty stream: for anything else fastify would set the length of what it was given. */
export function sendHeadOnly(reply: FastifyReply): FastifyReply {
  return reply.send(Readable.from([]));
}
