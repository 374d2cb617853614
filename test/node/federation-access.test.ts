/** Who learns of files and may copy them: every kind of collection, every kind of caller, both modes. */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Archive } from "../../node/src/archive/open-archive.ts";
import type { NodeConfig } from "../../node/src/contract/config-schema.ts";
import { CALLERS, configOf, federationApp, startedArchive, store } from "../testkit/archive-in-process.ts";
import { type TempDir, tempDir } from "../testkit/temp-dir.ts";
import { type SampleFile, sampleFile } from "../testkit/uploads.ts";

const OPEN = { embargoSeconds: 0, exclude: [] };
const COLLECTIONS = [
  { name: "public", access: "Public", ...OPEN },
  { name: "federation", access: "Federation", ...OPEN },
  { name: "private", access: "Private", ...OPEN },
  { name: "embargoed", access: "Public", embargoSeconds: 3_600, exclude: [] },
  { name: "excluding", access: "Federation", embargoSeconds: 0, exclude: ["org,example)/"] },
] as const satisfies NodeConfig["collections"];
type Name = (typeof COLLECTIONS)[number]["name"];
const ALL = COLLECTIONS.map(({ name }) => name);

/** Collections whose files each caller may copy. */
const COPIES: Readonly<Record<keyof typeof CALLERS, readonly Name[]>> = {
  anonymous: ["public"],
  stranger: ["public"],
  trusted: ["public", "federation"],
  token: ALL,
};
const CALLER_NAMES = Object.keys(COPIES) as readonly (keyof typeof CALLERS)[];
const BASE = "/api/v1/federation";

let dir: TempDir;
let archive: Archive;
const config = () => configOf(dir.path, COLLECTIONS);
const files = new Map<Name, SampleFile>(ALL.map((name) => [name, sampleFile({ name, pages: 1 })]));
const shared = sampleFile({ name: "shared", pages: 1 });
const hashOf = (name: Name): string => files.get(name)?.sha256 ?? "";

beforeAll(async () => {
  dir = await tempDir("federation-access");
  archive = await startedArchive(config());
  for (const [name, file] of files) await store(archive, name, file.bytes, `${name}.warc.gz`);
  for (const name of ["private", "public"]) await store(archive, name, shared.bytes);
});
afterAll(async () => {
  await archive.stop(AbortSignal.timeout(30_000));
  await dir.remove();
});

async function appIn(mode: "Public" | "Private", hasStore = true) {
  const offers = { offered: async () => [hashOf("public")] };
  const sent = { blob: () => {}, bytes: () => {} };
  return federationApp(archive, config(), { isPrivate: () => mode === "Private", hasStore, offers, sent });
}

const CASES = (["Public", "Private"] as const).flatMap((mode) => CALLER_NAMES.map((caller) => ({ mode, caller })));

test.each(CASES)("lists for $caller of a node in mode $mode", async ({ mode, caller }) => {
  const app = await appIn(mode);
  const get = (path: string) => app.inject({ url: `${BASE}${path}`, headers: CALLERS[caller] });
  const mayList = mode === "Public" || caller === "trusted" || caller === "token";
  const collections = await get("/collections");
  const listed = mayList && collections.json<{ collections: { name: string }[] }>().collections.map(({ name }) => name);
  expect([collections.statusCode, listed]).toEqual(mayList ? [200, COPIES[caller]] : [401, false]);
  for (const name of ALL) {
    const changes = await get(`/sync/changes?collection=${name}`);
    const mayCopy = COPIES[caller].includes(name);
    expect([name, changes.statusCode]).toEqual([name, !mayList ? 401 : mayCopy ? 200 : 404]);
    // Nothing of a collection that may not be copied shows in any answer.
    expect(changes.body.includes(hashOf(name))).toBe(mayList && mayCopy);
  }
  await app.close();
});

test.each(CASES)("blobs for $caller of a node in mode $mode", async ({ mode, caller }) => {
  const app = await appIn(mode);
  const ask = (hash: string, method: "GET" | "HEAD") =>
    app.inject({ method, url: `${BASE}/blob/${hash}`, headers: CALLERS[caller] });
  for (const name of ALL) {
    const status = COPIES[caller].includes(name) ? 200 : 404;
    const blob = await ask(hashOf(name), "GET");
    expect([name, blob.statusCode]).toEqual([name, status]);
    if (status === 200) expect(blob.rawPayload).toEqual(files.get(name)?.bytes);
    expect((await ask(hashOf(name), "HEAD")).statusCode).toBe(status);
  }
  // One collection that may be copied is enough.
  expect((await ask(shared.sha256, "GET")).statusCode).toBe(200);
  await app.close();
});

test.each([
  { caller: "anonymous", mode: "Public", answer: [200, []] },
  { caller: "token", mode: "Public", answer: [200, []] },
  { caller: "stranger", mode: "Public", answer: [200, [hashOf("public")]] },
  { caller: "trusted", mode: "Private", answer: [200, [hashOf("public")]] },
  { caller: "anonymous", mode: "Private", answer: [401, undefined] },
  { caller: "stranger", mode: "Private", answer: [401, undefined] },
] as const)(
  "only of a peer that proved its key anything is wanted: $caller, $mode",
  async ({ caller, mode, answer }) => {
    const app = await appIn(mode);
    const offer = { collection: "public", have: [`sha256:${"a".repeat(64)}`] };
    const sync = await app.inject({ method: "POST", url: `${BASE}/sync`, headers: CALLERS[caller], payload: offer });
    expect([sync.statusCode, sync.json<{ want?: string[] }>().want]).toEqual(answer);
    await app.close();
  },
);

test("a list of changes is read in pages; a cursor of another index is refused with the epoch of this one", async () => {
  const app = await appIn("Public");
  const get = (query: string) => app.inject(`${BASE}/sync/changes?collection=public&limit=1${query}`);
  const first = (await get("")).json<{ epoch: string; items: object[]; next: string; more: boolean }>();
  expect(first).toMatchObject({ more: true, next: `${first.epoch}:1` });
  const { bytes, sha256: hash } = files.get("public") as SampleFile;
  const media = "application/gzip";
  // Of the first record, as every holder of these bytes says.
  const t = Date.UTC(2026, 0, 2, 3, 4, 5) / 1000;
  expect(first.items).toEqual([{ seq: 1, op: "have", hash, size: bytes.length, t, media, filename: "public.warc.gz" }]);
  const second = (await get(`&since=${first.next}`)).json<typeof first>();
  expect(second).toMatchObject({ more: false, items: [{ hash: shared.sha256, seq: 7 }], next: `${first.epoch}:7` });
  expect((await get(`&since=${second.next}`)).json()).toMatchObject({ items: [], more: false, next: second.next });
  for (const since of ["other:1", `${first.epoch}:8`]) {
    const gone = await get(`&since=${since}`);
    expect([gone.statusCode, gone.json()]).toMatchObject([410, { code: "cursor-expired", epoch: first.epoch }]);
  }
  await app.close();
});

test("a file is sent by ranges, with its digest and a strong tag, and never twice to who has it", async () => {
  const app = await appIn("Public");
  const { bytes, sha256: hash } = files.get("public") as SampleFile;
  const get = (headers: Record<string, string>) => app.inject({ url: `${BASE}/blob/${hash}`, headers });
  const etag = `"${hash}"`;
  const whole = await get({ "accept-encoding": "gzip" });
  expect(whole.headers).toMatchObject({
    ...{ etag, "accept-ranges": "bytes", "content-length": String(bytes.length) },
    "repr-digest": `sha-256=:${Buffer.from(hash, "hex").toString("base64")}:`,
    "cache-control": expect.stringMatching(/immutable, no-transform/) as string,
  });
  expect(whole.headers["content-encoding"]).toBeUndefined();
  const part = await get({ range: "bytes=10-", "if-range": etag });
  expect([part.statusCode, part.headers["content-range"]]).toEqual([
    206,
    `bytes 10-${bytes.length - 1}/${bytes.length}`,
  ]);
  expect(part.rawPayload).toEqual(bytes.subarray(10));
  expect((await get({ range: "bytes=10-", "if-range": '"other"' })).statusCode).toBe(200);
  expect((await get({ range: `bytes=${bytes.length}-` })).statusCode).toBe(416);
  expect((await get({ "if-none-match": etag })).statusCode).toBe(304);
  await app.close();
});

test("a list that is too long, a body that is too large and a node that keeps no files are refused", async () => {
  const app = await appIn("Public");
  const offer = (have: readonly string[]) =>
    app.inject({ method: "POST", url: `${BASE}/sync`, payload: { collection: "public", have } });
  const hashes = Array.from({ length: 1_001 }, () => randomBytes(32).toString("hex"));
  expect((await offer(hashes.slice(1))).statusCode).toBe(200);
  expect((await offer(hashes)).json()).toMatchObject({ code: "too-many-items", limit: 1_000 });
  expect((await offer([...hashes, ...hashes])).json()).toMatchObject({ code: "payload-too-large" });
  await app.close();
  const bare = await appIn("Public", false);
  for (const path of ["/collections", "/sync/changes?collection=public", `/blob/${hashOf("public")}`]) {
    expect((await bare.inject(`${BASE}${path}`)).statusCode).toBe(501);
  }
  await bare.close();
});
