import { describe, expect, test } from "vitest";
import { failureHint, nodeProblem } from "./failure-hint.mjs";

const GIB = 2 ** 30;

test("a Node too old is told which one to install; the first and the coming ones that do are not", () => {
  expect(nodeProblem("18.20.4")).toMatch(/^Node is 18\.20\.4, too old\. Install Node 20 or newer/);
  for (const version of ["20.0.0", "24.21.0", "100.1.0"]) expect(nodeProblem(version)).toBeUndefined();
});

describe("a failure that has nothing to do with the sources says what to do", () => {
  test.each([
    ["a full cache, whatever the program said", "exit code 1", 3 * 2 ** 20, /full at \/cache.*ARCHIVE_CACHE/],
    ["another full disk", "write /other/x: no space left on device", 50 * GIB, /df -h/],
    ["the same in Node's words", "ENOSPC: no space left", 50 * GIB, /df -h/],
    ["no network, by Go", "dial tcp: lookup proxy.golang.org: no such host", 50 * GIB, /needs the network/],
    ["no network, by apt", "Temporary failure resolving 'deb.debian.org'", 50 * GIB, /needs the network/],
    ["no network, by npm", "getaddrinfo ENOTFOUND registry.npmjs.org", 50 * GIB, /needs the network/],
  ])("%s", (_name, message, bytes, hint) => {
    const line = failureHint(message, [
      ["/none", undefined],
      ["/cache", bytes],
    ]);
    expect(line).toMatch(hint);
    expect(line).not.toContain("\n");
  });

  test("and nothing about others, or about one that has said it", () => {
    expect(
      failureHint("Free some, or set ARCHIVE_CACHE to a folder on a larger disk.", [["/cache", 0]]),
    ).toBeUndefined();
    expect(failureHint("3 tests failed", [["/cache", 50 * GIB]])).toBeUndefined();
  });
});
