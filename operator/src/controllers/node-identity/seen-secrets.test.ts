/** When a Secret counts as known, under a cache that lags, overtakes, or never shows what was made. */
import { beforeEach, expect, test } from "vitest";
import { LAG_MS, SeenSecrets } from "./seen-secrets.ts";

const KEY = { namespace: "n", name: "alpha-keys" };
let cached: string | undefined;
let nowMs = 0;
let secrets: SeenSecrets;

beforeEach(() => {
  cached = undefined;
  nowMs = 1_000;
  secrets = new SeenSecrets({ cachedVersion: () => cached, monotonicMs: () => nowMs });
});

test("what was never looked at must be looked at", () => {
  expect(secrets.freshness(KEY)).toBe("changed");
  cached = "7";
  expect(secrets.freshness(KEY)).toBe("changed");
});

test("a Secret of ours is known while the cache does not show it yet, and once it does", () => {
  secrets.note(KEY, "7");
  expect(secrets.freshness(KEY)).toBe("lagging");
  cached = "7";
  expect(secrets.freshness(KEY)).toBe("same");
});

test("a change by somebody else is news, also before our own write was shown", () => {
  secrets.note(KEY, "7");
  cached = "8";
  expect(secrets.freshness(KEY)).toBe("changed");
});

test("a Secret that was deleted after it was shown is news at once", () => {
  secrets.note(KEY, "7");
  cached = "7";
  expect(secrets.freshness(KEY)).toBe("same");
  cached = undefined;
  expect(secrets.freshness(KEY)).toBe("changed");
});

test("a Secret that never shows up is looked at after a while", () => {
  secrets.note(KEY, "7");
  nowMs += LAG_MS;
  expect(secrets.freshness(KEY)).toBe("changed");
});

test("a renewal is known while the cache still shows the version before it", () => {
  cached = "7";
  secrets.note(KEY, "8");
  expect(secrets.freshness(KEY)).toBe("lagging");
  cached = "8";
  expect(secrets.freshness(KEY)).toBe("same");
  cached = "7"; // a cache that was filled anew from an old list
  expect(secrets.freshness(KEY)).toBe("changed");
});

test("a Secret that was found missing is news when it comes", () => {
  secrets.note(KEY, undefined);
  expect(secrets.freshness(KEY)).toBe("same");
  cached = "9";
  expect(secrets.freshness(KEY)).toBe("changed");
});

test("what is forgotten must be looked at", () => {
  cached = "7";
  secrets.note(KEY, "7");
  secrets.forget(KEY);
  expect(secrets.freshness(KEY)).toBe("changed");
});
