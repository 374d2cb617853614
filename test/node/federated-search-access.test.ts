/**
 * Who finds what by `POST /federation/search`: hits, totals, facets and frequencies of every kind of collection, for every kind
 * of caller, in both modes; and what is refused.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Archive } from "../../node/src/archive/open-archive.ts";
import type { SearchAnswerMessage, SearchRequestMessage } from "../../node/src/asfp/search-messages.ts";
import type { NodeConfig } from "../../node/src/contract/config-schema.ts";
import { CALLERS, configOf, federationApp, startedArchive, store } from "../testkit/archive-in-process.ts";
import { type TempDir, tempDir } from "../testkit/temp-dir.ts";
import { gzipEach, pageRecord, warcinfo } from "../testkit/warc-builder.ts";

const OPEN = { embargoSeconds: 0, exclude: [] };
const COLLECTIONS = [
  { name: "public", access: "Public", ...OPEN },
  { name: "federation", access: "Federation", ...OPEN },
  { name: "private", access: "Private", ...OPEN },
  { name: "excluding", access: "Public", embargoSeconds: 0, exclude: ["org,example,excluding)/"] },
] as const satisfies NodeConfig["collections"];
type CallerName = keyof typeof CALLERS;
type Audience = "public" | "member";

/** Collections whose pages each finds when it asks for the public, and for a member of its own. */
const FOUND: Readonly<Record<CallerName, Readonly<Record<Audience, readonly string[]>>>> = {
  anonymous: { public: ["public"], member: ["public"] },
  stranger: { public: ["public"], member: ["public"] },
  trusted: { public: ["public"], member: ["federation", "public"] },
  // The token opens the user's own search, not this one.
  token: { public: ["public"], member: ["public"] },
};
const CASES = (["Public", "Private"] as const).flatMap((mode) =>
  (Object.keys(FOUND) as CallerName[]).flatMap((caller) =>
    (["public", "member"] as const).map((audience) => ({ mode, caller, audience })),
  ),
);
const SEARCHABLE_MS = 60_000;

let dir: TempDir;
let archive: Archive;
const config = () => configOf(dir.path, COLLECTIONS);

beforeAll(async () => {
  dir = await tempDir("search-access");
  archive = await startedArchive(config());
  for (const { name } of COLLECTIONS) {
    const page = pageRecord(
      `https://${name}.example.org/`,
      `<html><title>${name}</title><p>common only${name}</p></html>`,
    );
    await store(archive, name, gzipEach([warcinfo(), page]));
  }
  await archive.searchable(AbortSignal.timeout(SEARCHABLE_MS));
}, SEARCHABLE_MS);
afterAll(async () => {
  await archive.stop(AbortSignal.timeout(30_000));
  await dir.remove();
});

async function appIn(mode: "Public" | "Private") {
  const offers = { offered: async () => [] };
  const sent = { blob: () => {}, bytes: () => {} };
  return federationApp(archive, config(), { isPrivate: () => mode === "Private", hasStore: true, offers, sent });
}

async function post(mode: "Public" | "Private", caller: CallerName, body: object) {
  const app = await appIn(mode);
  const answer = await app.inject({
    ...{ method: "POST", url: "/api/v1/federation/search", headers: CALLERS[caller], payload: body },
  });
  await app.close();
  return answer;
}

test.each(CASES)("$caller asks a node in mode $mode for $audience", async ({ mode, caller, audience }) => {
  const message: SearchRequestMessage = {
    ...{ query: "common onlyprivate onlyfederation", timeout_ms: 10_000, features: true, stats: true, audience },
  };
  const answer = await post(mode, caller, message);
  if (mode === "Private" && (caller === "anonymous" || caller === "stranger")) {
    expect([answer.statusCode, answer.json()]).toMatchObject([401, { code: "auth-required" }]);
    return;
  }
  const expected = FOUND[caller][audience];
  const found = answer.json<SearchAnswerMessage>();
  const hosts = expected.map((name) => `${name}.example.org`);
  expect(found.results.map(({ host }) => String(host)).toSorted()).toEqual(hosts);
  expect(found.results.map(({ collection }) => String(collection)).toSorted()).toEqual(expected);
  expect(found.total).toEqual({ value: expected.length, relation: "eq" });
  expect(
    found.levels
      ?.at(-1)
      ?.facets.host.map(({ value }) => value)
      .toSorted(),
  ).toEqual(hosts);
  expect(found.stats?.docs).toBe(expected.length);
  const frequency = (unit: number) => Math.max(0, ...(found.stats?.units[unit] ?? []).map(({ df }) => df));
  expect([frequency(0), frequency(1), frequency(2)]).toEqual([
    ...[expected.length, 0, expected.includes("federation") ? 1 : 0],
  ]);
  expect(found.stats?.units[1]).toEqual([]);
  // No word of a page that may not be seen, in any part of the answer.
  for (const { name } of COLLECTIONS) {
    if (!expected.includes(name)) expect(answer.body).not.toContain(`${name}.example.org`);
  }
});

test("the beginning of a word names no word of a hidden page", async () => {
  const found = await post("Public", "anonymous", { query: "only*", stats: true, features: true, timeout_ms: 10_000 });
  const { stats, results } = found.json<SearchAnswerMessage>();
  expect(results).toHaveLength(1);
  expect(stats?.units.flat().map(({ term }) => term)).toEqual(["onlypubl"]);
});

test("the document's two members get ranked results and nothing else", async () => {
  const answer = await post("Public", "anonymous", { query: "common", timeout_ms: 10_000 });
  const found = answer.json<SearchAnswerMessage>();
  expect(Object.keys(found).toSorted()).toEqual(["results", "timed_out", "took_ms", "total"]);
  expect(found.results).toMatchObject([
    {
      url: "https://public.example.org/",
      title: "public",
      snippet: expect.stringContaining("<mark>common</mark>") as string,
    },
  ]);
  expect(found.results[0]).not.toHaveProperty("features");
});

test.each([
  [508, "loop-detected", { query: "common", hops: 1 }],
  [400, "bad-query", { query: "é".repeat(600) }],
  [400, "bad-query", { query: '""' }],
  [400, "bad-query", { query: "common", size: 101 }],
  [413, "payload-too-large", { query: "common", padding: "x".repeat(4_096) }],
])("%i %s", async (status, code, body) => {
  const answer = await post("Public", "anonymous", body);
  expect([answer.statusCode, answer.json()]).toMatchObject([status, { code }]);
});

test("one caller has its burst, and is then told how long to wait; another is not concerned", async () => {
  const app = await appIn("Public");
  const ask = (headers: object) =>
    app.inject({
      method: "POST",
      url: "/api/v1/federation/search",
      headers: { ...headers },
      payload: { query: "common" },
    });
  const answers = await Promise.all(Array.from({ length: 60 }, () => ask(CALLERS.stranger)));
  const limited = answers.filter(({ statusCode }) => statusCode === 429);
  expect(limited.length).toBeGreaterThan(0);
  expect(answers.filter(({ statusCode }) => statusCode === 200).length).toBeGreaterThanOrEqual(20);
  expect(limited[0]?.json()).toMatchObject({ code: "rate-limited", retry_after_ms: expect.any(Number) as number });
  expect((await ask(CALLERS.trusted)).statusCode).toBe(200);
  await app.close();
});
