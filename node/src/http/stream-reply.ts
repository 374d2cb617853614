/** Answers whose body is a stream, whatever the route's schema says of JSON. */
import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";

type Chunk = Uint8Array | string;

/**
 * The answer to GET. Its first bytes are fetched before its header is sent: what fails until then is answered as a problem,
 * and the body has begun, so that its own clean-up runs even when the client is gone before it reads anything.
 */
export async function sendStream(reply: FastifyReply, body: AsyncIterable<Chunk>): Promise<FastifyReply> {
  const chunks = body[Symbol.asyncIterator]();
  const first = await chunks.next();
  return reply.send(Readable.from(begun(first, chunks), { objectMode: false }));
}

/** A text up to this length is sent in one piece with its length: a stream's chunks cost a short answer a fifth of its time. */
const WHOLE_CHARS = 64 * 1024;

/** The answer to GET for a text that is nearly always short. What fails within the first piece is answered as a problem. */
export async function sendText(reply: FastifyReply, texts: AsyncIterable<string>): Promise<FastifyReply> {
  const parts = texts[Symbol.asyncIterator]();
  let text = "";
  while (text.length <= WHOLE_CHARS) {
    const next = await parts.next();
    if (next.done === true) return reply.send(Buffer.from(text));
    text += next.value;
  }
  return reply.send(Readable.from(begun({ done: false, value: text }, parts), { objectMode: false }));
}

/** Not a generator: one that nobody reads would never come to its `finally`. */
function begun(first: IteratorResult<Chunk>, chunks: AsyncIterator<Chunk>): AsyncIterable<Chunk> {
  let held: IteratorResult<Chunk> | undefined = first;
  const next = async (): Promise<IteratorResult<Chunk>> => {
    const taken = held ?? (await chunks.next());
    held = undefined;
    return taken;
  };
  const end = async (): Promise<IteratorResult<Chunk>> => {
    await chunks.return?.();
    return { done: true, value: undefined };
  };
  return { [Symbol.asyncIterator]: () => ({ next, return: end }) };
}

/** The answer to HEAD: an empty stream, because for anything else fastify sets the length of what it was given. */
export function sendHeadOnly(reply: FastifyReply): FastifyReply {
  return reply.send(Readable.from([]));
}
