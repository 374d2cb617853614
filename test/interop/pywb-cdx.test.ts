/** The same questions to pywb's CDX server and to ours, over the same index lines: the answers are equal byte for byte. */
import { execFile } from "node:child_process";
import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { createCdxService } from "../../node/src/cdx/pywb-dialect.ts";
import { cdxjCaptures, memoryCaptures } from "../testkit/memory-captures.ts";
import { pythonEnv } from "./python-env.ts";

const run = promisify(execFile);
const PIN = "pywb==2.10.0";
const FIXTURES = process.env["ARCHIVE_FIXTURES"] ?? join(import.meta.dirname, "../../../shared/fixtures");
const INDEX = join(FIXTURES, "pywb", "iana.cdxj");
const COLLECTION = "iana";

/** Asks pywb's own handler; fuzzy matching belongs to its replay and is off. */
const PEER = `
import json, sys
from pywb.utils.format import query_to_dict
from pywb.warcserver.handlers import IndexHandler
from pywb.warcserver.index.aggregator import SimpleAggregator
from pywb.warcserver.index.indexsource import FileIndexSource
from pywb.warcserver.inputrequest import DirectWSGIInputRequest
handler = IndexHandler(SimpleAggregator({"${COLLECTION}": FileIndexSource(sys.argv[1])}))
answers = []
for query in json.load(open(sys.argv[2])):
    params = query_to_dict(query + "&allowFuzzy=false", multi=["filter"])
    if params.get("output") != "link":
        params["nosource"] = "true"
    params["_input_req"] = DirectWSGIInputRequest({"REQUEST_METHOD": "GET"})
    headers, lines, errors = handler(params)
    if headers is None:
        answers.append({"error": True})
    else:
        answers.append({"type": headers["Content-Type"], "text": b"".join(lines).decode("utf-8")})
json.dump(answers, sys.stdout)
`;

const FONT = "url=http://iana.org/_css/2013.1/fonts/opensans-bold.ttf";
const DOMAINS = "url=http://iana.org/domains&matchType=prefix";
const TEXT = "output=text&fields=urlkey,timestamp,url,mime,status,digest,length,offset,filename";
const QUERIES: readonly string[] = [
  "url=iana.org",
  "url=http://www.iana.org/&output=json",
  "url=iana.org/*",
  "url=*.iana.org&limit=7",
  "url=org&matchType=domain&limit=5",
  "url=iana.org&matchType=host&limit=3&output=json",
  "url=iana.org/domains/&matchType=prefix",
  "url=iana.org/_css/2013.1/fonts/*&output=json",
  "url=iana.org/dom*",
  "url=iana.org/nothing-here",
  "url=example.com/*",
  FONT,
  `${FONT}&limit=3`,
  `${FONT}&limit=0`,
  `${FONT}&sort=reverse`,
  `${FONT}&sort=reverse&limit=3`,
  `${FONT}&reverse=true&limit=1`,
  `${FONT}&resolveRevisits=true`,
  `${FONT}&resolveRevisits=true&reverse=1&limit=3`,
  `${FONT}&resolveRevisits=true&output=json&from=20140126201`,
  `${FONT}&resolveRevisits=true&filter=status:200`,
  `${FONT}&resolveRevisits=true&collapseTime=11&output=json`,
  `${FONT}&${TEXT},orig.length,orig.offset,orig.filename&resolveRevisits=true`,
  `${FONT}&closest=20140126200930`,
  `${FONT}&closest=20140126200930&sort=closest&limit=4`,
  `${FONT}&closest=201401262009&limit=1`,
  `${FONT}&closest=2013&limit=2`,
  `${FONT}&closest=2019&limit=2`,
  `${FONT}&closest=20140126200930&limit=3&resolveRevisits=true`,
  `${FONT}&closest=20140126200930&limit=3&from=20140126200930`,
  `${FONT}&closest=20140126200930&reverse=true&limit=3`,
  `${FONT}&sort=closest&closest=`,
  `${FONT}&collapseTime=10`,
  `${FONT}&collapseTime=11`,
  `${FONT}&collapseTime=12&sort=reverse&limit=2`,
  `${FONT}&from=2014&to=2014&limit=2`,
  `${FONT}&from_ts=2015`,
  `${FONT}&from=201401262008&to=20140126201000`,
  `${FONT}&to=2013`,
  `${FONT}&output=link`,
  "url=iana.org/domains/root/*&output=link",
  `${DOMAINS}&filter=mimetype:html`,
  `${DOMAINS}&filter=~mimetype:.*/html$`,
  `${DOMAINS}&filter=~mime:html`,
  `${DOMAINS}&filter==mimetype:text/html&filter==statuscode:200`,
  `${DOMAINS}&filter=!=status:200`,
  `${DOMAINS}&filter=!~status:2..&output=json`,
  `${DOMAINS}&filter=!mime:html`,
  `${DOMAINS}&filter=~urlkey:.*root`,
  `${DOMAINS}&filter=root`,
  `${DOMAINS}&filter=!servers&filter==o:672225`,
  `${DOMAINS}&filter=status:`,
  `${DOMAINS}&filter=nothing:x`,
  `${DOMAINS}&filter==nothing:`,
  `${DOMAINS}&${TEXT}`,
  `${DOMAINS}&output=json&fields=url,timestamp,status`,
  `${DOMAINS}&output=json&fl=timestamp,unknown`,
  `${DOMAINS}&fields=status,mime`,
  `${DOMAINS}&sort=reverse&limit=4`,
  `${DOMAINS}&closest=20140126201000&limit=5`,
  `${DOMAINS}&output=text&fields=url,status,unknown`,
  "output=json",
  "url=",
  "url=iana.org&output=unknown",
];

type Answer = { readonly type: string; readonly text: string } | { readonly error: true };

/** Ours names the character set of plain text, which pywb leaves to the reader, and has a link to the page in every line. */
function withoutAdditions({ type, text: lines }: Extract<Answer, { readonly type: string }>): Answer {
  return { type: type.replace("; charset=utf-8", ""), text: lines.replace(/, "replay": "[^"]*"(?=\}$)/gm, "") };
}

async function ours(query: string, index: string): Promise<Answer> {
  const service = createCdxService({
    captures: memoryCaptures(cdxjCaptures(index)),
    scopeOf: (name) => ({ name, cutoff: undefined, exclude: [] }),
  });
  try {
    const answer = await service.query(COLLECTION, new URLSearchParams(query), AbortSignal.timeout(10_000));
    return { type: answer.contentType, text: await text(answer.lines) };
  } catch {
    return { error: true };
  }
}

const hasFixtures = await access(INDEX).then(
  () => true,
  () => false,
);
const peer = hasFixtures ? await pythonEnv([PIN]).catch(() => undefined) : undefined;

describe.skipIf(peer === undefined)(`answers of ${PIN} over pywb/iana.cdxj (needs PyPI and the fixtures)`, () => {
  const theirs = new Map<string, Answer>();

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), "pywb-cdx-"));
    try {
      const questions = join(folder, "questions.json");
      await writeFile(questions, JSON.stringify(QUERIES));
      const { stdout } = await run(peer?.python ?? "", ["-c", PEER, INDEX, questions], { maxBuffer: 64 << 20 });
      const answers = JSON.parse(stdout) as Answer[];
      QUERIES.forEach((query, index) => void theirs.set(query, answers[index] ?? { error: true }));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test.each(QUERIES)("%s", async (query) => {
    const answer = await ours(query, await readFile(INDEX, "utf8"));
    const expected = theirs.get(query);
    expect("type" in answer ? withoutAdditions(answer) : answer).toEqual(expected);
  });

  test("the questions are answered with something", () => {
    const filled = [...theirs.values()].filter((answer) => "text" in answer && answer.text !== "");
    expect(filled.length).toBeGreaterThan(45);
  });
});
