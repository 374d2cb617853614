import fc from "fast-check";
import { expect, test } from "vitest";
import type { RawCapture } from "../archive/archive.ts";
import { replayHeaders } from "./capture-headers.ts";

function capture(headers: RawCapture["headers"], url = "http://example.org/a/b"): RawCapture {
  return {
    url,
    timestamp: "20240203040506",
    status: 200,
    headers,
    length: 0,
    body: (async function* () {})(),
    [Symbol.asyncDispose]: async () => {},
  };
}

const sent = (headers: RawCapture["headers"], url?: string) =>
  replayHeaders(capture(headers, url), "main").map(([name, value]) => `${name}: ${value}`);

test("headers that describe the body keep their names, all others come back under the prefix", () => {
  const headers = sent([
    ["Content-Type", "text/html; charset=koi8-r"],
    ["content-encoding", "br"],
    ["Set-Cookie", "id=1"],
    ["Transfer-Encoding", "chunked"],
    ["Strict-Transport-Security", "max-age=1"],
  ]);
  expect(headers.slice(0, 5)).toEqual([
    "Content-Type: text/html; charset=koi8-r",
    "content-encoding: br",
    "X-Archive-Orig-Set-Cookie: id=1",
    "X-Archive-Orig-Transfer-Encoding: chunked",
    "X-Archive-Orig-Strict-Transport-Security: max-age=1",
  ]);
});

test("Memento's headers name the time and the original", () => {
  expect(sent([])).toEqual(
    expect.arrayContaining([
      "Memento-Datetime: Sat, 03 Feb 2024 04:05:06 GMT",
      'Link: <http://example.org/a/b>; rel="original"',
      "Content-Security-Policy: sandbox",
    ]),
  );
});

test.each([
  ["/c", "/main/20240203040506id_/http://example.org/c"],
  ["//other.example/x", "/main/20240203040506id_/http://other.example/x"],
  ["https://other.example/x?y=1", "/main/20240203040506id_/https://other.example/x?y=1"],
])("a redirect to %s stays in the archive", (location, expected) => {
  expect(sent([["Location", location]])).toContain(`Location: ${expected}`);
});

test("a redirect to a script leads nowhere", () => {
  expect(sent([["Location", "javascript:alert(1)"]]).filter((line) => line.startsWith("Location"))).toEqual([]);
});

test("whatever was recorded, no header brings its own cookie or policy, and none can break the answer's frame", () => {
  const header = fc.tuple(fc.string(), fc.string({ unit: "binary" }));
  fc.assert(
    fc.property(fc.array(header), fc.webUrl(), (headers, url) => {
      for (const [name, value] of replayHeaders(capture(headers, url), "main")) {
        expect(name).toMatch(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/);
        expect(value).not.toMatch(/[\r\n\0]/);
        expect(name.toLowerCase()).not.toBe("set-cookie");
      }
    }),
  );
});
