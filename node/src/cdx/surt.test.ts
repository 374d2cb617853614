import { expect, test } from "vitest";
import { surt } from "./surt.ts";

test.each([
  ["http://www.Example.com/a?b=1", "com,example)/a?b=1"],
  ["http://www2.example.com/", "com,example)/"],
  ["https://example.com:443/", "com,example)/"],
  ["http://example.com:8080/x/", "com,example:8080)/x"],
  ["http://bücher.example/%7Ea", "example,xn--bcher-kva)/~a"],
  ["http://example.com/?z=1&a=2", "com,example)/?a=2&z=1"],
  ["http://example.com/?sid=0123456789abcdef0123456789abcdef&a=2", "com,example)/?a=2"],
  ["http://example.com/a;jsessionid=0123456789abcdef0123456789abcdef", "com,example)/a"],
  ["dns:example.com", "dns:example.com"],
])("%s becomes %s", (url, key) => {
  expect(surt(url)).toBe(key);
});

test("the repaired rules keep www2 and names that only start like www", () => {
  expect(surt("http://www2.example.com/", "ia-2")).toBe("com,example,www2)/");
  expect(surt("http://www.example.com/", "ia-2")).toBe("com,example)/");
});
