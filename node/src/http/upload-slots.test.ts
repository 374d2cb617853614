import { expect, test } from "vitest";
import { UploadSlots } from "./upload-slots.ts";

test("gives no more slots than there are, and takes them back", () => {
  const slots = new UploadSlots(2);
  const first = slots.tryTake();
  expect(slots.tryTake()).toBeDefined();
  expect(slots.tryTake()).toBeUndefined();
  first?.();
  expect(slots.tryTake()).toBeDefined();
});

test("is idle when the last upload is over", async () => {
  const slots = new UploadSlots(2);
  const release = slots.tryTake();
  const idle = slots.idle(AbortSignal.timeout(5_000));
  release?.();
  expect(await idle).toBe(true);
});

test("says that something still runs when the wait is over", async () => {
  const slots = new UploadSlots(1);
  slots.tryTake();
  expect(await slots.idle(AbortSignal.abort())).toBe(false);
});
