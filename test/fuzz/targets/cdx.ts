/** Parameters of look-ups in pywb's dialect, over a few captures: refused with a reason, or answered line by line. */
import { text } from "node:stream/consumers";
import { CdxError } from "../../../node/src/cdx/errors.ts";
import { createCdxService } from "../../../node/src/cdx/pywb-dialect.ts";
import { captureOf, memoryCaptures } from "../../testkit/memory-captures.ts";
import { type FuzzTarget, mustHold, plainSeeds } from "../target.ts";

const SEEDS = [
  "url=http://example.com/&limit=3&sort=reverse&output=json",
  "url=*.example.com&from=2014&to=201512&fields=url,timestamp,status&output=text",
  "url=example.com/*&filter=!~status:(2|3)..&filter==mime:text/html&filter=a b&collapseTime=10",
  "url=example.com&matchType=domain&resolveRevisits=true&closest=now&output=link",
  "url=example.com/a&showNumPages=true&pageSize=1&page=0",
  "url=example.com&filter=~url:^((a*)*)*$&fl=orig.length,digest,unknown",
];
const WORDS = [
  "&filter=~url:",
  "&filter=!=status:",
  "&output=text",
  "&output=link",
  "&fields=",
  "&closest=99999999999999",
  "&limit=0",
  "&matchType=host",
  "&page=1&pageSize=2",
  "(?i)[\\p{L}&&a]",
  "{1,1000}",
  "%00",
  "%",
  "+",
];

const captures = Array.from({ length: 12 }, (_, index) =>
  captureOf({
    urlkey: `com,example)/${"a b\u00e9"[index % 4] ?? ""}`,
    url: `http://example.com/${index} "<ü>\n`,
    timestamp: String(20140101000000 + index * 9_000_000),
    status: index % 5 === 0 ? undefined : 200 + index * 17,
    mime: index % 3 === 2 ? "warc/revisit" : "text/html",
    type: index % 3 === 2 ? "revisit" : "response",
  }),
);
const service = createCdxService({
  captures: memoryCaptures(captures),
  scopeOf: (name) => ({ name, cutoff: undefined, exclude: [] }),
});
const DEADLINE_MS = 60_000;

export const cdx: FuzzTarget = {
  watched: /\/node\/src\/cdx\/|\/node_modules\/re2js\//,
  seeds: () => plainSeeds(SEEDS),
  words: WORDS,
  maxCpuMs: 2_000,
  exercise: async (bytes) => {
    const params = new URLSearchParams(Buffer.from(bytes).toString("utf8"));
    try {
      const { contentType, lines } = await service.query("default", params, AbortSignal.timeout(DEADLINE_MS));
      const answer = await text(lines);
      mustHold(answer === "" || answer.endsWith("\n"), "an answer without an end of line");
      if (contentType === "text/x-ndjson") for (const line of answer.split("\n").slice(0, -1)) JSON.parse(line);
    } catch (error) {
      if (!(error instanceof CdxError)) throw error;
    }
  },
};
