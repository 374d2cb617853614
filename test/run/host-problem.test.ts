import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { hostProblem } from "../cluster/host-problem.mjs";
import { serveSite } from "../demo/documentation-site.mjs";
import { PlainError } from "./steps.mjs";

const GIB = 2 ** 30;
const READY = {
  platform: "linux",
  userId: 0,
  isWarm: false,
  hasGit: true,
  goVersion: "go1.26.1",
  freeBytes: 50 * GIB,
  cache: "/big/disk",
};

describe("a machine that cannot run clusters is told what to do", () => {
  test.each([
    ["not Linux", { platform: "darwin" }, /needs Linux/],
    ["not root", { userId: 1000 }, /needs root.*sudo/],
    ["no git", { hasGit: false }, /git was not found.*apt-get install git/],
    ["no Go", { goVersion: undefined }, /Go was not found.*Install Go 1\.26/],
    ["old Go", { goVersion: "go1.25.9" }, /go1\.25\.9, too old.*Install Go 1\.26/],
    ["disk full", { freeBytes: 3.21 * GIB }, /Only 3\.2 GiB are free at \/big\/disk, 12 are needed.*ARCHIVE_CACHE/],
    ["disk full, all built", { freeBytes: 3.21 * GIB, isWarm: true }, /4 are needed/],
  ])("%s", (_name, change, message) => {
    const problem = hostProblem({ ...READY, ...change });
    expect(problem).toMatch(message);
    expect(problem).not.toContain("\n");
  });

  test.each([
    ["everything there", {}],
    ["newer Go", { goVersion: "go1.30" }],
    ["all built: Go is not needed", { isWarm: true, goVersion: undefined, freeBytes: 5 * GIB }],
  ])("no complaint: %s", (_name, change) => expect(hostProblem({ ...READY, ...change })).toBeUndefined());
});

test("a taken port is named, with the command that shows who has it", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const address = other.address();
  const port = typeof address === "object" ? address?.port : undefined;
  try {
    const error: unknown = await serveSite(port).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PlainError);
    expect(String(error)).toContain(`ss -ltnp 'sport = :${port}'`);
  } finally {
    other.close();
  }
});
