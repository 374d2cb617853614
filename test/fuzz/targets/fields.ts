/** HTTP header fields: of requests to the node, and of recorded answers that are sent again. One `Name: value` a line. */
import { validateHeaderName, validateHeaderValue } from "node:http";
import { earliestMoment } from "../../../node/src/cdx/timestamp.ts";
import { parseRange } from "../../../node/src/http/byte-range.ts";
import { replayHeaders } from "../../../node/src/http/capture-headers.ts";
import { promisedSha256 } from "../../../node/src/http/digest-fields.ts";
import { HttpProblem } from "../../../node/src/http/problem.ts";
import { type FuzzTarget, mustHold, plainSeeds, unlessRefused } from "../target.ts";

const HASH = "a".repeat(64);
const DIGEST = "sha-256=:qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=:";
const SEEDS = [
  `Range: bytes=0-99\nRepr-Digest: ${DIGEST}\nX-Checksum-Sha256: sha256:${HASH}`,
  `Range: bytes=-5\nContent-Digest: sha-512=:YQ==:, ${DIGEST}`,
  "Range: bytes=9-\nLocation: ../other?x=ü#f\nContent-Type: text/html; charset=utf-8\nSet-Cookie: a=b",
  "Location: http://[::1]:99999/\nContent-Encoding: gzip\nBad Name: x\nX: \u0001\u00ff\u20ac\r",
  "20260102030405\nhttp://example.com/a b\u0000\nLocation: //example.org/\\..",
];

export const fields: FuzzTarget = {
  watched: /\/node\/src\/http\//,
  seeds: () => plainSeeds(SEEDS),
  words: [
    "Range: bytes=",
    "Repr-Digest: ",
    "Location: ",
    "Content-Type: ",
    "sha-256=:",
    "javascript:",
    "//",
    "\\",
    "\r\n",
    "\u0000",
    ": ",
  ],
  maxCpuMs: 250,
  exercise: (bytes) => {
    const lines = Buffer.from(bytes).toString("utf8").split("\n");
    const headers = lines.map((line) => [line.split(":", 1)[0] ?? "", line.replace(/^[^:]*:\s?/, "")] as const);
    checkRequest(Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])));
    checkAnswer(lines, headers);
  },
};

function checkRequest(headers: Readonly<Record<string, string>>): void {
  for (const size of [0, 1, 100, 2 ** 40]) {
    const range = parseRange(headers["range"], size);
    if (typeof range !== "object") continue;
    mustHold(range.start >= 0 && range.start <= range.end && range.end < size, "a range outside the file");
  }
  const promised = unlessRefused(HttpProblem, () => promisedSha256(headers));
  mustHold(promised === undefined || /^[0-9a-f]{64}$/.test(promised), "a hash that is none");
}

/** Node throws when an answer is sent with a field it cannot write. */
function checkAnswer(lines: readonly string[], headers: readonly (readonly [string, string])[]): void {
  const [digits = "", url = ""] = lines;
  const timestamp = earliestMoment(digits.replace(/\D/g, "").slice(0, 14));
  const body = (async function* () {})();
  const capture = { url, timestamp, status: 200, headers, length: 0, body, [Symbol.asyncDispose]: async () => {} };
  for (const [name, value] of replayHeaders(capture, "default")) {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    mustHold(name.toLowerCase() !== "set-cookie", "a recorded cookie under its own name");
  }
}
