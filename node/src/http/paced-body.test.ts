import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { pacedBody } from "./paced-body.ts";

const LIMITS = { maxBytes: 100, windowMs: 50, windowBytes: 10 };

function source(complete: boolean) {
  const stream = new PassThrough();
  return { stream, message: Object.assign(stream, { complete }) as unknown as IncomingMessage };
}

async function read(message: IncomingMessage, limits = LIMITS): Promise<number> {
  let total = 0;
  for await (const chunk of pacedBody(message, limits)) total += chunk.length;
  return total;
}

test("gives all bytes of a complete body", async () => {
  const { stream, message } = source(true);
  stream.end(Buffer.alloc(60));
  expect(await read(message)).toBe(60);
});

test("ends at the first byte over the limit", async () => {
  const { stream, message } = source(true);
  stream.end(Buffer.alloc(101));
  await expect(read(message)).rejects.toMatchObject({ code: "payload-too-large" });
});

test("silence ends it", async () => {
  const { message } = source(true);
  await expect(read(message)).rejects.toMatchObject({ code: "upload-too-slow" });
});

test("a drip ends it, though bytes keep coming", async () => {
  const { stream, message } = source(true);
  const drip = setInterval(() => stream.write("a"), 10);
  try {
    await expect(read(message)).rejects.toMatchObject({ code: "upload-too-slow" });
  } finally {
    clearInterval(drip);
  }
});

test("a reader that is slower than the window is not the sender's fault", async () => {
  const { stream, message } = source(true);
  stream.write(Buffer.alloc(5));
  const body = pacedBody(message, { ...LIMITS, windowMs: 200 });
  await body.next();
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, 400);
  await promise;
  stream.end(Buffer.alloc(5));
  expect((await body.next()).value).toHaveLength(5);
  expect((await body.next()).done).toBe(true);
});

test("a body that ended early is incomplete, whether by a clean end or by an error", async () => {
  const cleanly = source(false);
  cleanly.stream.end(Buffer.alloc(20));
  await expect(read(cleanly.message)).rejects.toMatchObject({ code: "upload-incomplete" });
  const broken = source(false);
  broken.stream.destroy(new Error("aborted"));
  await expect(read(broken.message)).rejects.toMatchObject({ code: "upload-incomplete" });
});
