/** What a failing volume is said to be, failure by failure. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { StorageError } from "../storage/errors.ts";
import { VolumeWatch } from "./volume-watch.ts";

const FULL = new StorageError("DISK_FULL", { reason: "ENOSPC" });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watched(probe: () => Promise<void>) {
  const said: (string | undefined)[] = [];
  const watch = new VolumeWatch({ probe, onChange: (message) => said.push(message) });
  watch.start();
  return { watch, said };
}

test("a failed write is said, and that writes work again when a probe does", async () => {
  const { watch, said } = watched(async () => undefined);
  watch.failed(FULL);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(said).toEqual([FULL.message, undefined]);
  watch.stop();
});

test("a probe that began before a write failed does not say that all is well", async () => {
  const found = Promise.withResolvers<void>();
  const { watch, said } = watched(() => found.promise);
  await vi.advanceTimersByTimeAsync(5_000);
  watch.failed(FULL);
  found.resolve();
  await vi.advanceTimersByTimeAsync(1);
  expect(said).toEqual([FULL.message]);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(said).toEqual([FULL.message, undefined]);
  watch.stop();
});

test("a failure that is not the volume's changes nothing", () => {
  const { watch, said } = watched(async () => undefined);
  watch.failed(new Error("not of the volume"));
  watch.stop();
  expect(said).toEqual([]);
});
