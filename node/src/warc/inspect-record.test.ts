import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { httpResponse } from "../../../test/testkit/warc-builder.ts";
import { toBase32 } from "./digest.ts";
import { inspectRecord } from "./inspect-record.ts";
import type { ArchiveRecord, HeaderField, InspectedRecord } from "./record.ts";

function recordOf(type: string, headers: readonly HeaderField[]): Omit<ArchiveRecord, "block"> {
  return {
    format: "warc",
    version: "1.1",
    type,
    headers,
    targetUri: "http://example.com/",
    date: undefined,
    contentType: undefined,
    place: { offset: 0, length: 0, skip: 0 },
  };
}

const sha1 = (bytes: Uint8Array): string => `sha1:${toBase32(createHash("sha1").update(bytes).digest())}`;
const sha256 = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

const chunked = (body: Uint8Array, step: number): Buffer => {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; at += step) {
    const part = body.subarray(at, at + step);
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), Buffer.from(part), Buffer.from("\r\n"));
  }
  return Buffer.concat([...parts, Buffer.from("0\r\n\r\n")]);
};

interface Case {
  readonly block: Buffer;
  readonly headers: readonly HeaderField[];
  readonly type: string;
}

/** Blocks with an HTTP head or none, chunked or not, with every digest that writers declare, right and wrong. */
const cases: fc.Arbitrary<Case> = fc
  .record({
    body: fc.uint8Array({ maxLength: 300 }),
    type: fc.constantFrom("response", "request", "resource", "revisit"),
    form: fc.constantFrom("plain", "chunked", "claims", "headless"),
    step: fc.integer({ min: 1, max: 50 }),
    blockBy: fc.constantFrom(
      undefined,
      sha1,
      sha256,
      () => "sha1:WRONG",
      () => `sha1:${"A".repeat(32)}`,
    ),
    payloadBy: fc.constantFrom(undefined, sha1, sha256, () => "blake3:00"),
    payloadOf: fc.constantFrom("payload", "chunked-payload", "block", "nothing"),
  })
  .map(({ body, type, form, step, blockBy, payloadBy, payloadOf }) => {
    const headers = form === "plain" ? {} : { "Transfer-Encoding": "chunked" };
    const stored = form === "chunked" ? chunked(body, step) : Buffer.from(body);
    const block = form === "headless" ? stored : httpResponse({ headers, body: stored });
    const forms: Record<string, Uint8Array> = { payload: body, "chunked-payload": stored, block };
    const fields: HeaderField[] = [];
    if (blockBy !== undefined) fields.push(["WARC-Block-Digest", blockBy(block)]);
    if (payloadBy !== undefined) {
      fields.push(["WARC-Payload-Digest", payloadBy(forms[payloadOf] ?? Buffer.from("nothing"))]);
    }
    return { block, headers: fields, type };
  });

async function streamed({ block, headers, type }: Case, step: number): Promise<InspectedRecord> {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < block.length; at += step) yield block.subarray(at, at + step);
  }
  return inspectRecord({ ...recordOf(type, headers), block: { length: block.length, bytes: undefined, chunks } });
}

async function held({ block, headers, type }: Case): Promise<InspectedRecord> {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield block;
  }
  return inspectRecord({ ...recordOf(type, headers), block: { length: block.length, bytes: block, chunks } });
}

const comparable = (found: InspectedRecord): unknown => ({
  ...found,
  body: Buffer.from(found.body).toString("latin1"),
});

test("a block in memory and the same in pieces of any size are found to hold the same", async () => {
  await fc.assert(
    fc.asyncProperty(cases, fc.integer({ min: 1, max: 400 }), async (item, step) => {
      expect(comparable(await held(item))).toEqual(comparable(await streamed(item, step)));
    }),
    { numRuns: 500 },
  );
});

const BODY = Buffer.from("hello, hello");
test.each([
  ["payload", BODY],
  ["chunked-payload", chunked(BODY, 5)],
  ["block", httpResponse({ headers: { "Transfer-Encoding": "chunked" }, body: chunked(BODY, 5) })],
])("a payload digest made of the %s is right, and says so", async (form, bytes) => {
  const block = httpResponse({ headers: { "Transfer-Encoding": "chunked" }, body: chunked(BODY, 5) });
  const item: Case = { block, type: "response", headers: [["WARC-Payload-Digest", sha1(bytes)]] };
  const digests = { verified: 1, mismatched: 0, unsupported: 0, matched: form };
  expect((await held(item)).digests).toEqual(digests);
  expect((await streamed(item, 7)).digests).toEqual(digests);
});
