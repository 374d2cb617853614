import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import Fastify from "fastify";
import { expect, test } from "vitest";
import { waitUntil } from "../../../test/testkit/wait-until.ts";
import { sendStream, sendText } from "./stream-reply.ts";

test("a body is closed when the client goes before its first byte, and when it breaks off", async () => {
  const app = Fastify();
  let [opened, closed] = [0, 0];
  const gate = Promise.withResolvers<void>();
  async function* body(): AsyncGenerator<string, void> {
    opened += 1;
    try {
      for (;;) yield "x".repeat(10_000);
    } finally {
      closed += 1;
    }
  }
  app.get("/late", async (_request, reply) => {
    const held = body();
    // As when the file is found only after the client has gone.
    await gate.promise;
    return sendStream(reply, held);
  });
  app.get("/now", async (_request, reply) => sendStream(reply, body()));
  await app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = app.server.address() as AddressInfo;
  const ask = (path: string) => {
    const socket = connect(port, "127.0.0.1");
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    return socket;
  };
  const arrived = once(app.server, "request") as Promise<[IncomingMessage, ServerResponse]>;
  const late = ask("/late");
  const [, response] = await arrived;
  late.destroy();
  await once(response, "close");
  gate.resolve();
  const reader = ask("/now");
  await new Promise((resolve) => reader.once("data", resolve));
  reader.destroy();
  await waitUntil("both bodies to be closed", () => closed === 2, { deadlineMs: 10_000 });
  expect([opened, closed]).toEqual([2, 2]);
  await app.close();
});

test("a body that fails at once is an error of the route, not a broken answer", async () => {
  const app = Fastify();
  app.get("/", async (_request, reply) =>
    sendStream(
      reply,
      (async function* () {
        yield* [];
        throw new Error("no such file");
      })(),
    ),
  );
  expect((await app.inject("/")).json()).toMatchObject({ statusCode: 500, message: "no such file" });
  await app.close();
});

test("a short text has its length, a long one comes whole in chunks, and one that is not read to its end is closed", async () => {
  const app = Fastify();
  let closed = 0;
  async function* lines(count: number): AsyncGenerator<string, void> {
    try {
      for (let line = 0; line < count; line += 1) yield `${line} ${"x".repeat(100)}\n`;
    } finally {
      closed += 1;
    }
  }
  app.get("/:count", async (request, reply) => {
    const { count } = request.params as { readonly count: string };
    return sendText(reply, lines(Number(count)));
  });
  const empty = await app.inject("/0");
  expect([empty.headers["content-length"], empty.body]).toEqual(["0", ""]);
  const short = await app.inject("/3");
  expect(short.headers["content-length"]).toBe(String(short.body.length));
  const long = await app.inject("/20000");
  expect([long.headers["content-length"], long.body.split("\n").length]).toEqual([undefined, 20_001]);
  expect(closed).toBe(3);
  await app.close();
});
