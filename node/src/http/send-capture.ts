/** Answers with a capture's body: whole, a part of it (RFC 9110, 14.2), or its length only. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { RawCapture } from "../archive/archive.ts";
import { type ByteRange, parseRange } from "./byte-range.ts";
import { HttpProblem } from "./problem.ts";
import { sendHeadOnly, sendStream } from "./stream-reply.ts";

/** Statuses whose answers have no body (RFC 9110). */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * Ends or disposes of the capture.
 *
 * @param again - opens the capture a second time, for one whose length only reading it tells
 */
export async function sendCaptureBody(
  request: FastifyRequest,
  reply: FastifyReply,
  capture: RawCapture,
  again: () => Promise<RawCapture | undefined>,
): Promise<FastifyReply> {
  if (BODILESS.has(capture.status)) {
    await capture[Symbol.asyncDispose]();
    return request.method === "HEAD" ? sendHeadOnly(reply) : reply.send();
  }
  if (capture.status === 200) reply.header("Accept-Ranges", "bytes");
  const ranged =
    capture.status === 200 && request.headers["if-range"] === undefined ? request.headers.range : undefined;
  if (request.method === "HEAD") {
    reply.header("Content-Length", await measured(capture));
    return sendHeadOnly(reply);
  }
  if (ranged === undefined) {
    if (capture.length !== undefined) reply.header("Content-Length", capture.length);
    return sendStream(reply, capture.body);
  }
  return sendPart(reply, capture, ranged, again);
}

async function sendPart(
  reply: FastifyReply,
  capture: RawCapture,
  ranged: string,
  again: () => Promise<RawCapture | undefined>,
): Promise<FastifyReply> {
  const isKnown = capture.length !== undefined;
  const size = capture.length ?? (await measured(capture));
  const range = parseRange(ranged, size);
  if (range === "unsatisfiable") {
    await capture[Symbol.asyncDispose]();
    reply.header("Content-Range", `bytes */${size}`);
    throw new HttpProblem("range-invalid", `the capture has ${size} bytes; ask for a range inside it`);
  }
  const opened = isKnown ? capture : await again();
  if (opened === undefined) throw new HttpProblem("capture-unknown", "this URL is not in the collection any more");
  if (range === undefined) return sendStream(reply, opened.body);
  reply.code(206);
  reply.header("Content-Range", `bytes ${range.start}-${range.end}/${size}`);
  reply.header("Content-Length", range.end - range.start + 1);
  return sendStream(reply, partOf(opened.body, range));
}

/** Of the body, bytes; reads it to its end when nothing else tells. The capture cannot be read afterwards. */
async function measured(capture: RawCapture): Promise<number> {
  if (capture.length !== undefined) {
    await capture[Symbol.asyncDispose]();
    return capture.length;
  }
  let length = 0;
  for await (const chunk of capture.body) length += chunk.length;
  return length;
}

async function* partOf(body: AsyncIterable<Uint8Array>, { start, end }: ByteRange): AsyncGenerator<Uint8Array, void> {
  let position = 0;
  for await (const chunk of body) {
    const part = chunk.subarray(Math.max(0, start - position), Math.max(0, end + 1 - position));
    position += chunk.length;
    if (part.length > 0) yield part;
    if (position > end) return;
  }
}
