/** Answers whose body is a stream, whatever the route's schema says of JSON. */
import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";

/** The answer to GET. */
export function sendStream(reply: FastifyReply, body: AsyncIterable<Uint8Array | string>): FastifyReply {
  return reply.send(Readable.from(body, { objectMode: false }));
}

/** The answer to HEAD: an empty stream, because for anything else fastify sets the length of what it was given. */
export function sendHeadOnly(reply: FastifyReply): FastifyReply {
  return reply.send(Readable.from([]));
}
