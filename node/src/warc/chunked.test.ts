import { expect, test } from "vitest";
import { ChunkedDecoder, dechunk } from "./chunked.ts";

/** Written in pieces of every size, the payload is the same. */
function dechunked(text: string): string {
  const results = new Set<string>();
  for (const step of [1, 2, 7, text.length]) {
    let out = "";
    const decoder = new ChunkedDecoder((bytes) => {
      out += Buffer.from(bytes).toString("latin1");
    });
    for (let at = 0; at < text.length; at += step) decoder.write(Buffer.from(text.slice(at, at + step), "latin1"));
    decoder.end();
    results.add(out);
  }
  expect(results.size).toBe(1);
  return [...results][0] ?? "";
}

test.each([
  ["as it should be", "4\r\nwiki\r\n5\r\npedia\r\n0\r\n\r\n", "wikipedia"],
  ["with extensions and trailers", "4;a=b\r\nwiki\r\n0;x\r\nT: 1\r\n\r\n", "wiki"],
  ["with bare line feeds and blanks", " 4 \nwiki\n0\n\n", "wiki"],
  ["with upper-case sizes", "A\r\n0123456789\r\n0\r\n\r\n", "0123456789"],
  ["without its last chunk", "4\r\nwiki\r\n", "wiki"],
  ["cut off inside a chunk", "9\r\nwiki", "wiki"],
  ["not chunked at all", "<html>\nplain", "<html>\nplain"],
])("a body %s", (_name, body, payload) => {
  expect(dechunked(body)).toBe(payload);
});

test("what lies behind the last chunk of a stream is not read", async () => {
  let read = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("4\r\nwiki\r\n0\r\n\r\n");
    for (; read < 100; read += 1) yield Buffer.alloc(1024);
  }
  const parts: Uint8Array[] = [];
  for await (const part of dechunk(endless())) parts.push(part);
  expect([Buffer.concat(parts).toString(), read]).toEqual(["wiki", 0]);
});
