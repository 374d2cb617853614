/** Python's warcio and cdxj-indexer beside ours over the same files: the same records, and index lines equal to the byte. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { openFileSource } from "../../node/src/warc/byte-source.ts";
import type { DamagedRange } from "../../node/src/warc/record.ts";
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

/** One record of every kind, by their writer. */
const PEER_WRITER = `
import io, sys
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter
path, version = sys.argv[1:]
with open(path, "wb") as stream:
    writer = WARCWriter(stream, gzip=path.endswith(".gz"), warc_version=version)
    writer.write_record(writer.create_warcinfo_record("peer.warc", {"software": "peer"}))
    def http(status, *headers):
        return StatusAndHeaders(status, list(headers), protocol="HTTP/1.1", is_http_request=not status[0].isdigit())
    def record(uri, kind, body, http_headers=None, **more):
        made = writer.create_warc_record(uri, kind, payload=io.BytesIO(body), http_headers=http_headers, **more)
        writer.write_record(made)
        return made
    chunked = b"4\\r\\nwiki\\r\\n0\\r\\n\\r\\n"
    record("http://example.com/\u00fc?b=2&a=1", "response", b"<p>text</p>", http("200 OK", ("Content-Type", "text/html")))
    record("http://example.com/chunked", "response", chunked, http("200 OK", ("Transfer-Encoding", "chunked")))
    empty = record("http://example.com/empty", "response", b"", http("204 No Content"))
    concurrent = {"WARC-Concurrent-To": empty.rec_headers.get_header("WARC-Record-ID")}
    post = http("POST /empty HTTP/1.1", ("Content-Type", "application/json"), ("Content-Length", "7"))
    record("http://example.com/empty", "request", b'{"a":1}', post, warc_headers_dict=concurrent)
    record("http://example.com/file.bin", "resource", bytes(range(256)) * 40, warc_content_type="application/octet-stream")
    record("http://example.com/notes", "metadata", b"via: x", warc_content_type="text/plain")
    writer.write_record(writer.create_revisit_record("http://example.com/again", "sha1:B6QJ6BNJ3R4B23XXMRKZKHLPGJY2VE4O",
        "http://example.com/", "2026-01-02T03:04:05Z", http_headers=http("200 OK", ("Content-Type", "text/html"))))
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

interface OurReading {
  readonly records: readonly RecordFacts[];
  readonly damaged: readonly DamagedRange[];
}

async function ourReading(path: string): Promise<OurReading> {
  await using source = await openFileSource(path);
  const records: RecordFacts[] = [];
  const damaged: DamagedRange[] = [];
  for await (const entry of readArchive(source)) {
    if (entry.kind === "damage") {
      damaged.push(entry.damage);
      continue;
    }
    const { type, targetUri, date, block } = entry.record;
    const hash = createHash("sha1");
    let length = 0;
    for await (const chunk of block.chunks()) {
      hash.update(chunk);
      length += chunk.length;
    }
    records.push([type, targetUri ?? null, date ?? null, length, hash.digest("hex")]);
  }
  return { records, damaged };
}

async function theirLines(path: string): Promise<string> {
  const args = ["--sort", "--post-append", path];
  const options = { timeout: RUN_MS, maxBuffer: MAX_OUTPUT_BYTES, env: { ...process.env, LC_ALL: "C" } };
  return (await run(join(python.bin, "cdxj-indexer"), args, options)).stdout;
}

/** @param expected - exit code, 1 when something in the file is damaged; the rest is indexed all the same */
async function ourLines(path: string, expected: 0 | 1): Promise<string> {
  const { stdout, exitCode, stderr } = await runWarcProgram(["warc", "index", path], AbortSignal.timeout(RUN_MS));
  if (exitCode !== expected) throw new Error(stderr);
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

/** The same records and the same index lines. @param stray - ranges that theirs reads over and ours names */
async function expectSame(path: string, stray: readonly Partial<DamagedRange>[] = []): Promise<void> {
  const { records, damaged } = await ourReading(path);
  expect(damaged).toMatchObject(stray);
  expect(comparable(records)).toEqual(comparable(await theirRecords(path)));
  expectSameLines(await ourLines(path, stray.length === 0 ? 0 : 1), await theirLines(path));
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
  ...[
    "http://example.com/",
    "https://www.example.com:8443/A/B?z&y=1",
    "http://bücher.example/%7Ea?q=%C3%A9",
    "urn:A%20b%41#c",
    "screenshot:http://x/A%20b/?c%20d&a",
  ].map((uri) => pageRecord(uri)),
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
    await expectSame(path);
  });

  test.each([
    ["peer.warc", "WARC/1.0"],
    ["peer.warc.gz", "WARC/1.0"],
    ["peer.warc", "WARC/1.1"],
    ["peer.warc.gz", "WARC/1.1"],
  ])("%s of their writer, %s: same records, same index lines", async (name, version) => {
    await using folder = await tempDir("interop");
    const path = join(folder.path, name);
    await run(python.python, ["-c", PEER_WRITER, path, version], { timeout: RUN_MS });
    expect((await ourReading(path)).records.length).toBe(8);
    await expectSame(path);
  });

  test("a file in one member: theirs refuses it, ours reads it", async () => {
    await using folder = await tempDir("interop");
    const path = join(folder.path, "one.warc.gz");
    await writeFile(path, gzipSync(Buffer.concat(PAGES)));
    await expect(theirRecords(path)).rejects.toThrow(/non-chunked gzip/);
    expect(await ourReading(path)).toMatchObject({ records: { length: PAGES.length }, damaged: [] });
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
  "pywb/example.warc",
  "pywb/example2.warc.gz",
  "pywb/example-wget-1-14.warc.gz",
  "warcio/example.warc",
  "warcio/example.warc.gz",
  "warcio/post-test.warc.gz",
  "warcio-js/post-test-more.warc",
  "jwat/1-1-20110922131213-00000-svc-VirtualBox.arc",
  "webarchive-discovery/flashfrozen-jwat-recompressed.warc.gz",
];

/** One of its records is longer than it says. */
const STRAY: Readonly<Record<string, readonly Partial<DamagedRange>[]>> = {
  "pywb/example.warc": [{ offset: 4764, length: 7 }],
};

describe("fixtures", () => {
  for (const name of FIXTURES) {
    const path = fixturePath(name);
    test.skipIf(path === undefined)(`fixture ${name}: same records, same index lines`, async () => {
      await expectSame(path ?? "", STRAY[name]);
    });
  }

  const folder = fixturePath("");
  test.skipIf(folder === undefined)("every archive file among the fixtures is one of these", async () => {
    const files = await readdir(folder ?? "", { recursive: true });
    expect(files.filter((name) => /\.w?arc(?:\.gz)?$/.test(name)).toSorted()).toEqual(FIXTURES.toSorted());
  });

  const index = fixturePath("pywb/iana.cdxj");
  const archive = fixturePath("pywb/iana.warc.gz");
  test.skipIf(index === undefined || archive === undefined)("fixture pywb/iana.cdxj, as pywb wrote it", async () => {
    const stored = (await readFile(index ?? "", "utf8")).replaceAll("\r\n", "\n");
    // This index was written before digests had their prefix, and before revisits showed the status in their own head.
    const asThen = (await ourLines(archive ?? "", 0))
      .replaceAll('"sha1:', '"')
      .replaceAll(/("mime": "warc\/revisit"), "status": "\d+"/g, "$1");
    expect(asThen).toBe(stored);
  });
});
