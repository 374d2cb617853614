/** Text that would stop an indexer: bombs are read under caps, a lock is waited out, and what stands aside is told. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import packageJson from "../../node/package.json" with { type: "json" };
import { startArchiveNode } from "../testkit/archive-node-process.ts";
import { type ConfiguredNode, configuredNode } from "../testkit/node-config.ts";
import { tempDir } from "../testkit/temp-dir.ts";
import { NodeArchive, sampleFile, sha256Of } from "../testkit/uploads.ts";
import { waitUntil } from "../testkit/wait-until.ts";
import { gzipEach, httpResponse, pageRecord, warcinfo, warcRecord } from "../testkit/warc-builder.ts";

const DEADLINE_MS = 240_000;
const MIB = 1024 ** 2;
const filled = (bytes: number, text: string) => text.repeat(Math.ceil(bytes / text.length));

const BOMBS: Readonly<Record<string, string>> = {
  "a million open elements": filled(5 * MIB, "<div>"),
  "half a million wrong end tags": filled(4 * MIB, "<p>x</b>"),
  "a line of 100 MB": filled(100 * MIB, "word "),
  "entities alone": filled(8 * MIB, "&amp;"),
  "broken entities": filled(8 * MIB, "&#x"),
  "the longest entity cut short": filled(8 * MIB, "&CounterClockwiseContourIntegral"),
  "angle brackets": filled(8 * MIB, "<"),
  "an element with a million attributes": `<a ${filled(8 * MIB, "a b ")}>`,
  "an attribute without an end": `<a b="${filled(8 * MIB, "x")}`,
  "a comment without an end": `<!--${filled(8 * MIB, "-")}`,
  "a script without an end": `<script>${filled(8 * MIB, "</scrip")}`,
  "one word of 8 MB": filled(8 * MIB, "a"),
  "one letter with 4 million accents": `a${filled(4 * MIB, "\u0301")}`,
};

test("pages made to stop a parser do not stop it: every file becomes searchable, and so does what lies around them", async () => {
  const bombs = Object.entries(BOMBS).map(([name, html]) =>
    pageRecord(`https://bombs.example.org/${encodeURIComponent(name)}`, `<title>fuse</title><p>boom ${html}`),
  );
  const squeezed = httpResponse({
    headers: { "Content-Encoding": "gzip" },
    body: gzipSync(Buffer.alloc(200 * MIB, "<b>boom ")),
  });
  const bytes = gzipEach([
    warcinfo(),
    pageRecord("https://bombs.example.org/first", "<p>before"),
    ...bombs,
    warcRecord({ uri: "https://bombs.example.org/squeezed", block: squeezed }),
    pageRecord("https://bombs.example.org/last", "<p>afterwards"),
  ]);
  await using node = await startArchiveNode();
  await using archive = new NodeArchive(node);
  expect((await archive.upload(bytes)).status).toBe(201);
  const hash = sha256Of(bytes);
  await waitUntil("the bombs to be searchable", async () => (await archive.state(hash)) === "searchable", {
    deadlineMs: DEADLINE_MS,
  });
  expect(await archive.search("afterwards")).toEqual(["https://bombs.example.org/last"]);
  expect((await archive.search("boom")).length).toBeGreaterThan(3);
  expect(node.log()).not.toContain("is started again");
});

test("an index that another program holds is waited for, and nothing is set aside", async () => {
  await using node = await startArchiveNode();
  await using archive = new NodeArchive(node);
  const file = sampleFile({ name: "waits", pages: 3 });
  {
    using other = new DatabaseSync(join(node.dataDir, "fulltext.db"));
    other.exec("BEGIN IMMEDIATE");
    expect((await archive.upload(file.bytes)).status).toBe(201);
    await waitUntil("the indexer to meet the lock three times", () => node.log().split("is started again").length > 3, {
      deadlineMs: DEADLINE_MS,
    });
    expect(await archive.state(file.sha256)).toBe("captured");
  }
  await archive.searchable(file.sha256);
  expect(node.log()).not.toContain("file is not searchable");
});

async function withNode(
  dataDir: string,
  check: (archive: NodeArchive, settings: ConfiguredNode, metrics: () => Promise<string>) => Promise<void>,
) {
  await using settings = await configuredNode({ dataDir });
  await using node = await startArchiveNode({ dataDir, args: ["--config", settings.configFile], metrics: true });
  await using archive = new NodeArchive(node);
  const metrics = async () => (await fetch(`${node.metricsUrl}/metrics`)).text();
  await check(archive, settings, metrics);
}

test("a file set aside is named in status, metric and its own state; another version of the program tries it again", async () => {
  await using dir = await tempDir("aside");
  const file = sampleFile({ name: "aside", pages: 2 });
  const noted = (program: string) => {
    using database = new DatabaseSync(join(dir.path, "fulltext.db"));
    database
      .prepare("INSERT OR REPLACE INTO failures(sequence, hash, reason, program) VALUES (1, ?, 'out of memory', ?)")
      .run(file.sha256, program);
  };
  await withNode(dir.path, async (archive) => {
    expect((await archive.upload(file.bytes)).status).toBe(201);
    await archive.searchable(file.sha256);
  });
  noted(packageJson.version);
  await withNode(dir.path, async (archive, settings, metrics) => {
    const info = (await archive.get(`/api/v1/collections/default/warcs/${file.sha256}`)).json;
    expect(info).toMatchObject({ state: "captured", reason: expect.stringContaining("out of memory") as string });
    expect(await settings.status()).toMatchObject({
      phase: "Serving",
      message: expect.stringMatching(new RegExp(`${file.sha256}.*archive-node rebuild`)) as string,
    });
    expect(await metrics()).toContain("archivestream_index_set_aside_files 1");
    expect((await archive.get("/readyz")).status).toBe(200);
  });
  noted("0.0.1");
  await withNode(dir.path, async (archive, settings, metrics) => {
    await archive.searchable(file.sha256);
    expect((await settings.status()).message).toBe("");
    expect(await metrics()).toContain("archivestream_index_set_aside_files 0");
  });
});
