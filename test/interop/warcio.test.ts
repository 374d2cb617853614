/** Python's warcio and cdxj-indexer beside ours over the same files: the same records, and index lines equal to the byte. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { openFileSource } from "../../node/src/warc/byte-source.ts";
import { readArchive } from "../../node/src/warc/record-reader.ts";
import { fixturePath } from "../testkit/fixtures.ts";
import { tempDir } from "../testkit/temp-dir.ts";
import {
  arcHeader,
  arcRecord,
  gzipEach,
  httpResponse,
  pageRecord,
  warcinfo,
  warcRecord,
} from "../testkit/warc-builder.ts";
import { runWarcProgram } from "../testkit/warc-program.ts";
import { type PythonEnv, pythonEnv } from "./python-env.ts";

const run = promisify(execFile);
const RUN_MS = 120_000;
const MAX_OUTPUT_BYTES = 64 << 20;

/** Type, address, date, and the block by length and digest, of every record. */
const PEER = `
import hashlib, json, sys
from warcio.archiveiterator import ArchiveIterator
out = []
with open(sys.argv[1], "rb") as stream:
    for record in ArchiveIterator(stream, no_record_parse=True):
        block = record.raw_stream.read()
        head = record.rec_headers
        out.append([record.rec_type, head.get_header("WARC-Target-URI") or head.get_header("uri"),
            head.get_header("WARC-Date") or head.get_header("archive-date"), len(block), hashlib.sha1(block).hexdigest()])
json.dump(out, sys.stdout)
`;

type RecordFacts = readonly [string, string | null, string | null, number, string];

let python: PythonEnv;
beforeAll(async () => {
  python = await pythonEnv();
});

async function theirRecords(path: string): Promise<RecordFacts[]> {
  const { stdout } = await run(python.python, ["-c", PEER, path], { timeout: RUN_MS, maxBuffer: MAX_OUTPUT_BYTES });
  return JSON.parse(stdout) as RecordFacts[];
}

async function ourRecords(path: string): Promise<RecordFacts[]> {
  await using source = await openFileSource(path);
  const facts: RecordFacts[] = [];
  for await (const entry of readArchive(source)) {
    if (entry.kind === "damage") throw new Error(`${path}: ${JSON.stringify(entry.damage)}`);
    const { type, targetUri, date, block } = entry.record;
    const hash = createHash("sha1");
    let length = 0;
    for await (const chunk of block.chunks()) {
      hash.update(chunk);
      length += chunk.length;
    }
    facts.push([type, targetUri ?? null, date ?? null, length, hash.digest("hex")]);
  }
  return facts;
}

async function theirLines(path: string): Promise<string> {
  const args = ["--sort", "--post-append", path];
  const options = { timeout: RUN_MS, maxBuffer: MAX_OUTPUT_BYTES, env: { ...process.env, LC_ALL: "C" } };
  return (await run(join(python.bin, "cdxj-indexer"), args, options)).stdout;
}

async function ourLines(path: string): Promise<string> {
  const { stdout, exitCode, stderr } = await runWarcProgram(["warc", "index", path], AbortSignal.timeout(RUN_MS));
  if (exitCode !== 0) throw new Error(stderr);
  return stdout;
}

/** A date the peer writes for ARC is RFC 3339; ours are as written. */
function sameDate([type, uri, date, length, digest]: RecordFacts): RecordFacts {
  return [type, uri, date?.replaceAll(/\D/g, "").slice(0, 14) ?? null, length, digest];
}

/** The peer gives the first record of an ARC file without address and block. */
function comparable(records: readonly RecordFacts[]): RecordFacts[] {
  return records.filter(([type]) => type !== "arc_header").map(sameDate);
}

const EMPTY_DIGEST = "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ";

/** Where no payload digest is declared, the peer hashes a payload it has read already; ours is of the payload. */
function expectSameLines(ours: string, theirs: string): void {
  const expected = theirs.split("\n");
  const digest = /"digest": "([^"]*)"/;
  const lines = ours.split("\n").map((line, index) => {
    const isEmpty = digest.exec(expected[index] ?? "")?.[1] === EMPTY_DIGEST;
    return isEmpty ? line.replace(digest, `"digest": "${EMPTY_DIGEST}"`) : line;
  });
  expect(lines).toEqual(expected);
}

const URI = "http://www.example.com/path?b=2&a=1";
const post = (type: string, body: string): Buffer[] => {
  const head = `POST /path HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  const response = warcRecord({ uri: URI, block: httpResponse(), fields: { "WARC-Record-ID": "<urn:uuid:1>" } });
  const request = { type: "request", uri: URI, block: head + body, fields: { "WARC-Concurrent-To": "<urn:uuid:1>" } };
  return [response, warcRecord(request)];
};
const PAGES = [
  warcinfo(),
  ...["http://example.com/", "https://www.example.com:8443/A/B?z&y=1", "http://bücher.example/%7Ea?q=%C3%A9"].map(
    (uri) => pageRecord(uri),
  ),
  warcRecord({ type: "revisit", uri: URI, block: "HTTP/1.1 304 Not Modified\r\n\r\n" }),
  warcRecord({ type: "resource", uri: "dns:example.com", contentType: "text/dns", block: "20260102\n" }),
  ...post("application/x-www-form-urlencoded", "a=1&b=x+y"),
];
const BUILT: readonly (readonly [string, Buffer])[] = [
  ["plain.warc", Buffer.concat(PAGES)],
  ["members.warc.gz", gzipEach(PAGES)],
  ["json.warc.gz", gzipEach([warcinfo(), ...post("application/json", '{"q":[1,true,null,{"r":"s t"}],"q2":1.5}')])],
  ["binary.warc.gz", gzipEach([warcinfo(), ...post("application/octet-stream", "\u0001\u0002abc")])],
  ["old.arc", Buffer.concat([arcHeader(), arcRecord("http://example.com/a", httpResponse())])],
  ["old.arc.gz", gzipEach([arcHeader(), arcRecord("http://example.com/a", httpResponse())])],
];

describe("files built here", () => {
  test.each(BUILT)("%s: same records, same index lines", async (name, bytes) => {
    await using folder = await tempDir("interop");
    const path = join(folder.path, name);
    await writeFile(path, bytes);
    expect(comparable(await ourRecords(path))).toEqual(comparable(await theirRecords(path)));
    expectSameLines(await ourLines(path), await theirLines(path));
  });

  test("a file in one member: theirs refuses it, ours reads it", async () => {
    await using folder = await tempDir("interop");
    const path = join(folder.path, "one.warc.gz");
    await writeFile(path, gzipSync(Buffer.concat(PAGES)));
    await expect(theirRecords(path)).rejects.toThrow(/non-chunked gzip/);
    expect((await ourRecords(path)).length).toBe(PAGES.length);
  });
});

const FIXTURES = [
  "pywb/iana.warc.gz",
  "pywb/dupes.warc.gz",
  "pywb/example.warc.gz",
  "pywb/example-wpull.warc.gz",
  "pywb/httpbin-resource.warc.gz",
  "pywb/post-test.warc.gz",
  "warcio/example.arc",
  "warcio/example.arc.gz",
  "warcio/example-resource.warc.gz",
  "warcio/example-iana.org-chunked.warc",
  "warcio-js/redirect.warc",
  "jwarc/cc.warc.gz",
  "outbackcdx/test1.warc.gz",
  "outbackcdx/test2.warc.gz",
  "js-wacz/lil-projects.warc.gz",
  "aut/example.docs.warc.gz",
  "aut/example.pdf.warc.gz",
  "aut/example.txt.warc.gz",
];

describe("fixtures", () => {
  for (const name of FIXTURES) {
    const path = fixturePath(name);
    test.skipIf(path === undefined)(`fixture ${name}: same records, same index lines`, async () => {
      const file = path ?? "";
      expect(comparable(await ourRecords(file))).toEqual(comparable(await theirRecords(file)));
      expectSameLines(await ourLines(file), await theirLines(file));
    });
  }

  const index = fixturePath("pywb/iana.cdxj");
  const archive = fixturePath("pywb/iana.warc.gz");
  test.skipIf(index === undefined || archive === undefined)("fixture pywb/iana.cdxj, as pywb wrote it", async () => {
    const stored = (await readFile(index ?? "", "utf8")).replaceAll("\r\n", "\n");
    // This index was written before digests had their prefix, and before revisits showed the status in their own head.
    const asThen = (await ourLines(archive ?? ""))
      .replaceAll('"sha1:', '"')
      .replaceAll(/("mime": "warc\/revisit"), "status": "\d+"/g, "$1");
    expect(asThen).toBe(stored);
  });
});
