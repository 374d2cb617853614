/** Every form of an exclusion hides what it says, and no form that is taken hides nothing. */
import { expect, test } from "vitest";
import { exclusionProblem } from "../contract/exclusions.ts";
import { excludedPrefixes } from "./exclusion.ts";
import { surt } from "./surt.ts";

const isHidden = (exclusion: string, url: string) =>
  excludedPrefixes(exclusion).some((prefix) => surt(url).startsWith(prefix));

test.each<[exclusion: string, hidden: readonly string[], shown: readonly string[]]>([
  [
    "https://example.org/private",
    ["http://www.example.org/private/a", "https://example.org/Private/"],
    ["https://example.org/", "https://a.example.org/private"],
  ],
  [
    "https://example.org/private/",
    ["https://example.org/private/", "https://example.org/private/a"],
    ["https://example.org/pri"],
  ],
  [
    "https://example.org/private/*",
    ["https://example.org/private/", "https://example.org/private/a"],
    ["https://example.org/"],
  ],
  ["https://example.org:8443/a", ["https://example.org:8443/a/b"], ["https://example.org/a"]],
  ["https://[::1]/a", ["https://[::1]/a"], ["https://example.org/a"]],
  ["example.org:443/a", ["https://example.org/a", "http://example.org:443/a"], ["https://example.org/b"]],
  ["example.org:8443?a=1", ["https://example.org:8443/?a=1"], ["https://example.org/?a=1"]],
  ["org,example:443)/a", ["https://example.org/a"], ["https://example.org/b"]],
  ["org,example:8443", ["https://example.org:8443/a"], ["https://example.org/a"]],
  ["example.org/private", ["https://example.org/private?a=1"], ["https://example.org/"]],
  ["www.example.org", ["https://example.org/", "https://www.example.org/a"], ["https://a.example.org/"]],
  [
    "*.example.org",
    ["https://example.org/", "https://example.org:8443/", "https://a.b.example.org/x"],
    ["https://example.org.uk/", "https://example.organic/"],
  ],
  ["https://*.example.org/", ["https://a.example.org/x"], ["https://other.org/"]],
  ["org,example)/private", ["https://example.org/private/a"], ["https://example.org/"]],
  [
    "org,example)/Private/",
    ["https://example.org/private/", "https://example.org/private/a"],
    ["https://example.org/"],
  ],
  ["org,Example,www)/", ["https://www.example.org/a"], ["https://a.example.org/"]],
  ["org,example,hidden)", ["https://hidden.example.org/"], ["https://example.org/"]],
  ["org,example,", ["https://a.example.org/"], ["https://example.org/"]],
  [
    "org,example,www",
    [
      "https://www.example.org/",
      "https://www.example.org:8443/",
      "https://www-2.example.org/",
      "https://a.www.example.org/",
    ],
    ["https://a.example.org/", "https://examples.org/"],
  ],
  ["org,", ["https://example.org/"], ["https://example.com/"]],
  ["localhost)/a", ["http://localhost/a"], ["http://localhost/b"]],
  ["org,example:8443)/a", ["https://example.org:8443/a"], ["https://example.org/a"]],
  ["http://(org,example,)/private", ["https://example.org/private"], ["https://example.org/"]],
  ["http://(org,example,", ["https://a.example.org/"], ["https://example.com/"]],
  ["127.0.0.1/a", ["http://127.0.0.1/a"], ["http://127.0.0.1/"]],
  ["https://пример.рф/a", ["https://пример.рф/a"], ["https://example.org/a"]],
  ["dns:example.org", ["dns:example.org"], ["https://example.org/"]],
])("%s", (exclusion, hidden, shown) => {
  expect(exclusionProblem(exclusion)).toBeUndefined();
  expect(hidden.filter((url) => !isHidden(exclusion, url))).toEqual([]);
  expect(shown.filter((url) => isHidden(exclusion, url))).toEqual([]);
});

test.each([
  "private",
  "/private",
  "org,example)private",
  "org,example/private",
  "(org,example)",
  "https://",
  "https:///private",
  "https://org,example)/private",
  "https://example.org/a*b",
  "*.example.org/private",
  "*",
  ".*private.*",
  "^https?://example\\.org",
  "https://example.org/ private",
  "https://example.org/#private",
  " https://example.org/",
  "mailto:a@example.org",
])("%s is refused", (exclusion) => {
  expect(exclusionProblem(exclusion)).toMatch(/would exclude nothing: write a URL/);
});
