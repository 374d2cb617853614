/** Every ending of a watch leads to the right next step. */
import { expect, test } from "vitest";
import { KubeError, type KubeErrorCode } from "../kube/api-errors.ts";
import { afterEnding, REFLECTOR_TIMINGS } from "./reflector-policy.ts";

const next = (code: KubeErrorCode | undefined, { livedMs = 0, failures = 3, retryAfterMs = 0 } = {}) => {
  const error = code === undefined ? undefined : new KubeError(code, { method: "WATCH", path: "/", retryAfterMs });
  return afterEnding({ error, livedMs }, failures, REFLECTOR_TIMINGS, () => 0.5);
};

test("a clean close goes on at once at the same version", () => {
  expect(next(undefined, { livedMs: 5_000 })).toEqual({ relist: false, delayMs: 0, failures: 3 });
});
test("a close right after opening counts as a failure", () => {
  expect(next(undefined, { livedMs: 10 })).toEqual({ relist: false, delayMs: 3_200, failures: 4 });
});
test("an expired version asks for a list, at once the first time", () => {
  expect(next("GONE", { failures: 0 })).toEqual({ relist: true, delayMs: 0, failures: 1 });
  expect(next("GONE")).toEqual({ relist: true, delayMs: 3_200, failures: 4 });
});
test("Retry-After is a lower bound", () => {
  expect(next("TOO_MANY_REQUESTS", { retryAfterMs: 60_000 }).delayMs).toBe(60_000);
});
test("a broken line asks for a list", () => expect(next("MALFORMED").relist).toBe(true));
test.each(["NOT_FOUND", "FORBIDDEN"] as const)("after %s the next looks are soon, then seldom", (code) => {
  expect([0, 1, 2, 5, 6, 1e9].map((failures) => next(code, { failures }))).toEqual(
    [1_000, 2_000, 4_000, 32_000, 60_000, 60_000].map((delayMs, index) => ({
      relist: true,
      delayMs,
      failures: [1, 2, 3, 6, 7, 1e9 + 1][index],
    })),
  );
});
test("only a long stable connection resets the back-off", () => {
  expect(next("CONNECTION", { livedMs: 119_000 }).failures).toBe(4);
  expect(next("CONNECTION", { livedMs: 120_000 }).failures).toBe(1);
});
test("the back-off stays under its cap", () => expect(next("CONNECTION", { failures: 1e9 }).delayMs).toBe(15_000));
