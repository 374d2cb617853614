import { expect, test } from "vitest";
import type { HttpHead } from "../warc/record.ts";
import { appendRequest } from "./post-append.ts";

function append(mime: string, body: string, method = "POST") {
  const headers = [["Content-Type", mime] as const, ["Content-Length", String(Buffer.byteLength(body))] as const];
  const http: HttpHead = { startLine: `${method} / HTTP/1.1`, status: 0, method, headers, length: 0 };
  return appendRequest("http://x/", http, Buffer.from(body))?.query;
}

test.each([
  ["application/x-www-form-urlencoded", "a=1&b=x+y%21", "a=1&b=x y!"],
  ["application/json", '{"a":[1,true,null],"b":{"c":"d e"}}', "a=1&a.2_=True&a.3_=None&c=d+e"],
  ["application/json", '{"a":1}\n{"a":2}', "a=1&a.2_=2"],
  ["application/octet-stream", "abc", "__wb_post_data=YWJj"],
  ["multipart/form-data; boundary=z", '--z\r\nContent-Disposition: form-data; name="f"\r\n\r\nv\r\n--z--', "f=v"],
])("a body of %s becomes part of the key", (mime, body, query) => {
  expect(append(mime, body)).toBe(query);
});

test("GET is not appended", () => {
  expect(append("application/json", "{}", "GET")).toBeUndefined();
});

test.each([
  ["a million brackets", "[".repeat(1 << 20)],
  ["deep objects", `${'{"a":'.repeat(5000)}1${"}".repeat(5000)}`],
  ["half a million numbers", `{"a":[${"1,".repeat(500_000)}1]}`],
])("%s end in a short key, not in an error", (_name, body) => {
  expect(append("application/json", body)?.length).toBeLessThanOrEqual(4096);
});
