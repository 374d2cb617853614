import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { httpResponse, warcRecord } from "../../../test/testkit/warc-builder.ts";
import { memorySource } from "./byte-source.ts";
import { decodeContent, openPayload } from "./payload.ts";
import { readRecordAt } from "./record-reader.ts";

const TEXT = Buffer.from("hello, hello, hello");

async function decode(coding: string, body: Uint8Array, maxBytes = 1 << 20): Promise<Buffer> {
  const block = httpResponse({ headers: { "Content-Encoding": coding }, body });
  const source = memorySource(warcRecord({ uri: "http://x/", block }));
  await using opened = await readRecordAt(source, { offset: 0, skip: 0 });
  const parts: Uint8Array[] = [];
  for await (const part of decodeContent(await openPayload(opened.record), maxBytes)) parts.push(part);
  return Buffer.concat(parts);
}

test.each([
  ["gzip", gzipSync(TEXT)],
  ["x-gzip", gzipSync(TEXT)],
  ["deflate", deflateSync(TEXT)],
  ["deflate", deflateRawSync(TEXT)],
  ["br", brotliCompressSync(TEXT)],
  ["zstd", zstdCompressSync(TEXT)],
  ["gzip, br", brotliCompressSync(gzipSync(TEXT))],
  ["identity", TEXT],
  ["gzip", TEXT],
])("%s is removed", async (coding, body) => {
  expect(await decode(coding, body)).toEqual(TEXT);
});

test("a bomb stops at the cap", async () => {
  await expect(decode("gzip", gzipSync(Buffer.alloc(8 << 20)), 1 << 20)).rejects.toMatchObject({ code: "TOO_LARGE" });
});

test.each([
  ["compress", TEXT, "UNSUPPORTED_CODING"],
  ["gzip, gzip, gzip, gzip", TEXT, "UNSUPPORTED_CODING"],
  ["gzip", Buffer.from("1f8b0800000000000003ffffffffff", "hex"), "CODING_DAMAGED"],
])("%s that cannot be removed is a typed error", async (coding, body, code) => {
  await expect(decode(coding, body)).rejects.toMatchObject({ code });
});
