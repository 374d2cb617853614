/** What the fuzzer starts from: one record of every kind the reader treats in a way of its own, in every wrapping. */
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import {
  arcHeader,
  arcRecord,
  httpResponse,
  pageRecord,
  type WarcRecordSpec,
  warcinfo,
  warcRecord,
} from "../../testkit/warc-builder.ts";
import { type FuzzInput, WRAPPINGS } from "../mutate.ts";

const URI = "http://www.example.com/a/../b?x=1&sid=0123456789abcdef0123456789abcdef";

function encoded(coding: string, body: Buffer): Buffer {
  return warcRecord({ uri: URI, block: httpResponse({ headers: { "Content-Encoding": coding }, body }) });
}

function post(contentType: string, body: string): Buffer {
  const head = `POST /form HTTP/1.1\r\nHost: example.com\r\nContent-Type: ${contentType}\r\nContent-Length: ${body.length}\r\n\r\n`;
  return warcRecord({ type: "request", uri: URI, block: head + body, fields: { "WARC-Concurrent-To": "<urn:a>" } });
}

function response(spec: Partial<WarcRecordSpec> = {}): Buffer {
  return warcRecord({ uri: URI, block: httpResponse(), fields: { "WARC-Record-ID": "<urn:a>" }, ...spec });
}

const BODY = Buffer.from("<p>text that repeats, text that repeats</p>");
const GROUPS: readonly (readonly Buffer[])[] = [
  [warcinfo(), pageRecord("http://example.com/1"), pageRecord("http://example.com/2", "x".repeat(3000))],
  [
    encoded("gzip", gzipSync(BODY)),
    encoded("deflate", deflateSync(BODY)),
    encoded("deflate", deflateRawSync(BODY)),
    encoded("br", brotliCompressSync(BODY)),
    encoded("zstd", zstdCompressSync(BODY)),
    encoded("gzip, br", brotliCompressSync(gzipSync(BODY))),
  ],
  [
    response(),
    post("application/x-www-form-urlencoded", "a=1&b=%C3%A9+c"),
    response(),
    post("application/json", '{"a":[1,{"b":null}],"c":"d"}'),
    response(),
    post("multipart/form-data; boundary=zz", '--zz\r\nContent-Disposition: form-data; name="f"\r\n\r\nv\r\n--zz--\r\n'),
  ],
  [
    warcRecord({
      uri: URI,
      version: "1.1",
      date: "2026-01-02T03:04:05.678Z",
      block: httpResponse({ headers: { "Transfer-Encoding": "chunked" }, body: "4;x=y\r\nwiki\r\n0\r\nT: 1\r\n\r\n" }),
      fields: { "WARC-Payload-Digest": "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ" },
    }),
    warcRecord({ type: "revisit", uri: URI, block: "HTTP/1.1 304 Not Modified\r\n\r\n" }),
    warcRecord({ type: "resource", uri: "dns:example.com", contentType: "text/dns", block: "20260102\n" }),
    warcRecord({ type: "metadata", uri: URI, contentType: "application/warc-fields", block: "via: x\r\n folded\r\n" }),
  ],
  [arcHeader(), arcRecord("http://example.com/a b", httpResponse()), arcRecord("dns:example.com", "20260102\n")],
];

/** A file whose frames need the dictionary in its first, skippable, frame. */
function withDictionary(records: readonly Buffer[]): FuzzInput {
  const dictionary = Buffer.concat(records.slice(0, 2));
  const head = Buffer.from("5d2a4d1800000000", "hex");
  head.writeUInt32LE(dictionary.length, 4);
  const frames = records.map((record) => zstdCompressSync(record, { dictionary }));
  return { wrapping: "plain", pieces: [Buffer.concat([head, dictionary]), ...frames] };
}

export function seedCorpus(): FuzzInput[] {
  const wrapped = GROUPS.flatMap((pieces) => WRAPPINGS.map((wrapping) => ({ wrapping, pieces })));
  return [...wrapped, ...GROUPS.slice(0, 1).map(withDictionary)];
}
