import { expect, test } from "vitest";
import { federationUrl } from "./federation-url.ts";

test.each([
  ["https://127.0.0.1:9443", "https://127.0.0.1:9443/api/v1/federation"],
  ["https://Example.org:443/", "https://example.org/api/v1/federation"],
  ["https://example.org/api/v1/federation/", "https://example.org/api/v1/federation"],
  ["https://example.org/archive/federation", "https://example.org/archive/federation"],
  ["https://[::1]:8443", "https://[::1]:8443/api/v1/federation"],
])("%s means %s", (address, url) => {
  expect(federationUrl(address)).toBe(url);
});

test.each([
  "http://example.org",
  "example.org:8443",
  "https://user:word@example.org",
  "https://example.org/?a=1",
  "https://example.org/#a",
  "",
  `https://example.org/${"a".repeat(2048)}`,
])("%s is no base URL of a peer", (address) => {
  expect(federationUrl(address)).toBeUndefined();
});
