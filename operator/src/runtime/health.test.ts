/** When a process says that it is not ready or not alive: by the age of its watches, under an injected clock. */
import { expect, test } from "vitest";
import { createFakeClock } from "../../../test/testkit/fake-clock.ts";
import { liveness, readiness } from "./health.ts";
import { startHealthServer } from "./health-server.ts";

type Watched = Parameters<typeof readiness>[0][number];

const FRESH_MS = 600_000;

function watched(parts: Partial<Omit<Watched, "cache">> & { readonly hasSynced?: boolean } = {}): Watched {
  const { hasSynced = true, ...rest } = parts;
  return {
    resource: { group: "", version: "v1", kind: "Pod", plural: "pods", namespaced: true },
    optional: false,
    cache: { hasSynced } as Watched["cache"], // the rest of a cache is not looked at
    lastContactMs: 0,
    freshForMs: FRESH_MS,
    state: "watching",
    ...rest,
  };
}

test("not ready before the first list, and it says of what", () => {
  const report = readiness([watched({ hasSynced: false, state: "forbidden" })], createFakeClock());
  expect(report).toEqual({ ok: false, problems: ["pods: not listed yet (forbidden)"] });
});

test("not ready after twice, not alive after three times the silence of a healthy watch", () => {
  const clock = createFakeClock();
  const reflectors = [watched()];
  clock.advance(2 * FRESH_MS);
  expect(readiness(reflectors, clock).ok).toBe(true);
  clock.advance(1);
  expect(readiness(reflectors, clock)).toEqual({ ok: false, problems: ["pods: no contact for 1200 s"] });
  expect(liveness(reflectors, clock, false).ok).toBe(true);
  clock.advance(FRESH_MS);
  expect(liveness(reflectors, clock, false).ok).toBe(false);
});

test("optional kinds are not waited for", () => {
  const clock = createFakeClock();
  clock.advance(10 * FRESH_MS);
  const reflectors = [watched({ optional: true, hasSynced: false, state: "absent" })];
  expect(readiness(reflectors, clock).ok).toBe(true);
  expect(liveness(reflectors, clock, false).ok).toBe(true);
});

test("a wedged elector is not alive", () => {
  expect(liveness([], createFakeClock(), true)).toEqual({ ok: false, problems: ["leader election: wedged"] });
});

test("the endpoints answer what the reports say, metrics in their own type, and nothing else", async () => {
  let ok = true;
  const report = () => ({ ok, problems: ok ? [] : ["pods: no contact for 9 s"] });
  await using server = await startHealthServer({
    host: "127.0.0.1",
    port: 0,
    live: () => ({ ok: true, problems: [] }),
    ready: report,
    metrics: { contentType: "text/plain; version=0.0.4", metrics: async () => "up 1\n" },
  });
  const ask = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`);
    return { status: answer.status, type: answer.headers.get("content-type"), text: await answer.text() };
  };
  expect(await ask("/readyz")).toMatchObject({ status: 200, text: "ok\n" });
  ok = false;
  expect(await ask("/readyz")).toMatchObject({ status: 503, text: "pods: no contact for 9 s\n" });
  expect(await ask("/healthz?verbose")).toMatchObject({ status: 200 });
  expect(await ask("/metrics")).toEqual({ status: 200, type: "text/plain; version=0.0.4", text: "up 1\n" });
  expect(await ask("/")).toMatchObject({ status: 404 });
  expect(await ask("//")).toMatchObject({ status: 404 });
  expect(await ask("/healthz")).toMatchObject({ status: 200 });
});

test("metrics that cannot be collected are an error, and the server lives", async () => {
  await using server = await startHealthServer({
    host: "127.0.0.1",
    port: 0,
    live: () => ({ ok: true, problems: [] }),
    ready: () => ({ ok: true, problems: [] }),
    metrics: {
      contentType: "text/plain",
      metrics: async () => {
        throw new Error("collector");
      },
    },
  });
  const status = async (path: string) => (await fetch(`http://127.0.0.1:${server.port}${path}`)).status;
  expect(await status("/metrics")).toBe(500);
  expect(await status("/healthz")).toBe(200);
});

test("a report that cannot be made is an error, and the server lives", async () => {
  await using server = await startHealthServer({
    host: "127.0.0.1",
    port: 0,
    live: () => ({ ok: true, problems: [] }),
    ready: () => {
      throw new Error("report");
    },
  });
  const status = async (path: string) => (await fetch(`http://127.0.0.1:${server.port}${path}`)).status;
  expect(await status("/readyz")).toBe(500);
  expect(await status("/healthz")).toBe(200);
});
