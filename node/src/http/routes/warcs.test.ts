import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { waitUntil } from "../../../../test/testkit/wait-until.ts";
import { AccessPolicy } from "../../archive/access.ts";
import type { UploadReceipt } from "../../archive/archive.ts";
import { createLogger } from "../../observability/logging.ts";
import { createApp } from "../app.ts";
import { createAuthentication } from "../authenticate.ts";
import { createHttpMetrics } from "../metrics.ts";
import { UploadSlots } from "../upload-slots.ts";
import { type WarcRoutesOptions, warcRoutes } from "./warcs.ts";

/** Long enough that a busy machine reads what was sent before the connection counts as silent. */
const IDLE_MS = 2_000;
const DEADLINE_MS = 20_000;
const TOKEN = "0123456789abcdef";
const HASH = "a".repeat(64);

function optionsOf(upload: WarcRoutesOptions["uploads"]["upload"]): WarcRoutesOptions {
  const unasked = async () => undefined;
  return {
    uploads: { upload },
    withdrawals: { withdraw: unasked, withdrawnAt: unasked },
    blobs: { blob: unasked, blobs: async () => ({ blobs: [], next: undefined }) },
    contents: { read: unasked },
    access: new AccessPolicy([{ name: "default", access: "Public", embargoSeconds: 0, exclude: [] }]),
    callerOf: createAuthentication({ isAccessToken: (offered) => offered === TOKEN, peerOf: () => undefined }),
    body: { maxBytes: 1_000, windowMs: DEADLINE_MS, windowBytes: 1 },
    slots: new UploadSlots(1),
    isDraining: () => false,
  };
}

test("a silent connection is cut, but not while what it sent is stored", async () => {
  const app = createApp({
    ...{ logger: createLogger("error", "test"), metrics: createHttpMetrics(new Registry()) },
    ...{ listener: "web", idleMs: IDLE_MS },
  });
  const begun: string[] = [];
  const stored = Promise.withResolvers<UploadReceipt>();
  await app.register(
    warcRoutes,
    optionsOf(async (body) => {
      for await (const chunk of body) begun.push(String(chunk));
      return stored.promise;
    }),
  );
  app.get("/other", async () => {
    begun.push("other");
    return stored.promise;
  });
  await app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = app.server.address() as AddressInfo;
  const ask = (request: string) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(request);
    return socket;
  };
  const uploading = ask(
    `POST /api/v1/collections/default/warcs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\n` +
      "Content-Length: 4\r\n\r\nWARC",
  );
  let received = "";
  uploading.on("data", (chunk: Buffer) => (received += chunk.toString()));
  await waitUntil("the body to be read", () => begun.length === 1, { deadlineMs: DEADLINE_MS });
  // It began later, so that the limit of the upload is over as well when it is cut.
  await once(ask("GET /other HTTP/1.1\r\nHost: localhost\r\n\r\n"), "close");
  expect([begun, received, uploading.destroyed]).toEqual([["WARC", "other"], "", false]);
  stored.resolve({ hash: HASH, size: 4, records: 0, captures: 0, damaged: [], digests: undefined, created: true });
  await waitUntil("the answer", () => received.includes(HASH), { deadlineMs: DEADLINE_MS });
  expect(received).toMatch(/^HTTP\/1\.1 201 /);
  uploading.destroy();
  await app.close();
});
