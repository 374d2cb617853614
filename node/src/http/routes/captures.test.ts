import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { captureOf, memoryCaptures } from "../../../../test/testkit/memory-captures.ts";
import { pageRecord } from "../../../../test/testkit/warc-builder.ts";
import { AccessPolicy } from "../../archive/access.ts";
import type { RawCaptureService } from "../../archive/archive.ts";
import { ANONYMOUS } from "../../archive/caller.ts";
import { createLogger } from "../../observability/logging.ts";
import { createRegistry } from "../../observability/registry.ts";
import { nearestCapture } from "../../replay/raw-capture.ts";
import { memorySource } from "../../warc/byte-source.ts";
import { createApp } from "../app.ts";
import { createHttpMetrics } from "../metrics.ts";
import { captureRoutes } from "./captures.ts";

const BEFORE = pageRecord("http://example.com/before", randomBytes(32 << 20));
const FILE = gzipSync(Buffer.concat([BEFORE, pageRecord("http://example.com/wanted", "wanted")]));

/** One file with all its records in one member, where the wanted one comes last. */
const captures: RawCaptureService = {
  nearest: (collection, timestamp, url, signal) =>
    nearestCapture(
      {
        captures: memoryCaptures([
          captureOf({ urlkey: "com,example)/wanted", place: { offset: 0, length: 0, skip: BEFORE.length } }),
        ]),
        scopeOf: (name) => ({ name, cutoff: undefined, exclude: [] }),
        open: async () => ({ ...memorySource(FILE), path: "", [Symbol.asyncDispose]: async () => {} }),
      },
      collection,
      { url, timestamp },
      signal,
    ),
};

async function answerWithin(deadlineMs: number) {
  const metrics = createHttpMetrics(createRegistry());
  const app = createApp({ logger: createLogger("error", "test"), metrics, listener: "test" });
  const open = { name: "default", access: "Public" as const, embargoSeconds: 0, exclude: [] };
  const access = new AccessPolicy([open]);
  await app.register(captureRoutes, { captures, access, callerOf: () => ANONYMOUS, deadlineMs });
  const answer = await app.inject("/default/2020id_/http://example.com/wanted");
  await app.close();
  return answer;
}

test("a capture that cannot be found within the deadline is a problem, not a wait", async () => {
  expect((await answerWithin(60_000)).body).toBe("wanted");
  const late = await answerWithin(1);
  expect([late.statusCode, late.json()]).toMatchObject([504, { code: "deadline-exceeded" }]);
});
