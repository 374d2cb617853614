import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { freePorts } from "./free-port.ts";
import { WaitTimeoutError, waitUntil } from "./wait-until.ts";

test("returns the first value that is not undefined, null or false", async () => {
  const looks = [undefined, null, false, 0];
  expect(await waitUntil("a number", () => looks.shift(), { deadlineMs: 5_000, everyMs: 1 })).toBe(0);
});

test("names what it waited for and why the last look failed", async () => {
  const refused = () => Promise.reject(new Error("connection refused"));
  const waiting = waitUntil("the API server", refused, { deadlineMs: 20, everyMs: 1 });
  await expect(waiting).rejects.toThrow(WaitTimeoutError);
  await expect(waiting).rejects.toThrow("for the API server; last failure: connection refused");
});

test("a look that never ends does not hold up the deadline", async () => {
  const waiting = waitUntil("an answer", () => new Promise<string>(() => {}), { deadlineMs: 20 });
  await expect(waiting).rejects.toThrow("for an answer");
});

test("stops with the signal's reason", async () => {
  const stop = new AbortController();
  const waiting = waitUntil("nothing", () => undefined, { deadlineMs: 60_000, signal: stop.signal });
  stop.abort(new Error("test over"));
  await expect(waiting).rejects.toThrow("test over");
});

test("no port is returned twice, nor one that another worker or an outgoing connection could take", async () => {
  const ports = [...(await freePorts(20)), ...(await freePorts(20))];
  expect(new Set(ports).size).toBe(40);
  expect(new Set(ports.map((port) => port % 8))).toEqual(new Set([Number(process.env["VITEST_POOL_ID"]) % 8]));
  // Outgoing connections take theirs from here up, and would take one of these before its server does.
  const [firstOfSystem = ""] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split("\t");
  expect(Math.max(...ports)).toBeLessThan(Number(firstOfSystem));
});
