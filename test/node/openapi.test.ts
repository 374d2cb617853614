/** The OpenAPI document keeps its word: schemathesis (MIT) makes requests from it and checks every answer against it. */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { PROBLEMS } from "../../node/src/http/problem.ts";
import { pythonEnv } from "../interop/python-env.ts";
import { type ArchiveNodeProcess, startArchiveNode } from "../testkit/archive-node-process.ts";
import { nodeClient } from "../testkit/node-client.ts";
import { tempDir } from "../testkit/temp-dir.ts";
import { gzipEach, pageRecord, warcinfo } from "../testkit/warc-builder.ts";

const SCHEMATHESIS = ["schemathesis==4.32.5"];
const FULL = process.env["ARCHIVE_TEST_FULL"] === "1";
const EXAMPLES = FULL ? 500 : 20;
const RUN_MS = FULL ? 1_800_000 : 280_000;
const SEED = process.env["ARCHIVE_TEST_SEED"] ?? "20261124";

/**
 * Real values for the paths, so that not every answer is a 404. What makes a body a WARC, or words a question, no schema
 * can say: there a refusal of data that fit the schema is right.
 */
async function settings(node: ArchiveNodeProcess): Promise<string> {
  await using client = nodeClient(node.url, { ca: node.caPem });
  const store = async (url: string): Promise<string> => {
    const stored = await client.call("/api/v1/collections/default/warcs", {
      method: "POST",
      headers: { authorization: `Bearer ${node.token}`, "content-type": "application/warc" },
      body: gzipEach([warcinfo(), pageRecord(url)]),
    });
    return (stored.json as { hash: string }).hash;
  };
  const hash = await store("http://example.org/");
  const refusing = [
    ...["POST /api/v1/collections/{name}/warcs", "GET /api/v1/search", "GET /{collection}/cdx"],
    // A cursor that was never given, and a list that is too long, are no matter of the schema.
    ...["GET /api/v1/federation/sync/changes", "POST /api/v1/federation/sync", "POST /api/v1/federation/search"],
    // Further members make it a handshake of both rounds, with rules that no schema can say.
    "POST /api/v1/federation/handshake",
  ];
  const lenient = refusing.map(
    (name) => `[[operations]]\ninclude-name = "${name}"\nchecks.positive_data_acceptance.enabled = false\n`,
  );
  // 508 is the protocol's word for a question that was asked on. A federation's answer is there however short the time is;
  // whoever asks this archive alone may be told that it was too short, so that is not asked here.
  const statuses = [
    `[[operations]]\ninclude-name = "POST /api/v1/federation/search"\nchecks.not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", "508"]\nchecks.negative_data_rejection.expected-statuses = ["400", "401", "403", "404", "406", "413", "422", "428", "429", "508"]\n`,
    '[[operations]]\ninclude-name = "GET /api/v1/search"\nparameters = { "query.scope" = "federation" }\n',
    // The file that the others ask for stays.
    `[[operations]]\ninclude-name = "DELETE /api/v1/collections/{name}/warcs/{hash}"\nparameters = { "path.hash" = "${await store("http://example.net/")}" }\n`,
  ];
  return `[parameters]\nname = "default"\ncollection = "default"\nhash = "${hash}"\n\n${[...lenient, ...statuses].join("\n")}`;
}

interface Operation {
  readonly parameters?: readonly { readonly required?: boolean; readonly schema: object }[];
  readonly responses: Record<string, { readonly content?: Record<string, unknown> }>;
}

test("documents every path, with problems for the refusals", async () => {
  await using node = await startArchiveNode();
  await using client = nodeClient(node.url, { ca: node.caPem });
  const document = (await client.call("/api/v1/openapi.json")).json as {
    openapi: string;
    paths: Record<string, Record<string, Operation>>;
  };
  expect(document.openapi).toBe("3.1.0");
  expect(Object.keys(document.paths).sort()).toEqual([
    "/api/v1/collections",
    "/api/v1/collections/{name}/warcs",
    "/api/v1/collections/{name}/warcs/{hash}",
    "/api/v1/collections/{name}/warcs/{hash}/content",
    "/api/v1/federation/blob/{hash}",
    "/api/v1/federation/collections",
    "/api/v1/federation/handshake",
    "/api/v1/federation/peers",
    "/api/v1/federation/search",
    "/api/v1/federation/sync",
    "/api/v1/federation/sync/changes",
    "/api/v1/search",
    "/{collection}/cdx",
    "/{collection}/{stamp}/{*}",
  ]);
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, { responses, parameters = [] }] of Object.entries(methods)) {
      const withDefault = parameters.filter(({ schema }) => "default" in schema);
      expect(withDefault.filter(({ required }) => required === true)).toEqual([]);
      expect(responses["4XX"]?.content, `${method} ${path}`).toHaveProperty(["application/problem+json"]);
    }
  }
});

test("names every problem code that an answer may carry", async () => {
  await using node = await startArchiveNode();
  await using client = nodeClient(node.url, { ca: node.caPem });
  const { text } = await client.call("/api/v1/openapi.json");
  const lists = [...text.matchAll(/"enum":(\[[^\]]*"bad-request"[^\]]*\])/g)].map(
    ([, list]) => JSON.parse(list ?? "[]") as string[],
  );
  expect(lists.length).toBeGreaterThan(0);
  for (const list of lists) expect(list).toEqual(Object.keys(PROBLEMS));
});

test(
  `a live server answers ${EXAMPLES} generated requests a path as documented`,
  async () => {
    const { bin } = await pythonEnv(SCHEMATHESIS);
    await using node = await startArchiveNode();
    await using cwd = await tempDir("schemathesis");
    await writeFile(join(cwd.path, "schemathesis.toml"), await settings(node));
    const args = ["run", `${node.url}/api/v1/openapi.json`, "--tls-verify", node.caFile, "--no-color"];
    const limits = ["--max-examples", String(EXAMPLES), "--seed", SEED, "--phases", "examples,coverage,fuzzing"];
    // A slow machine is no finding.
    const patience = ["--request-timeout", "60", "--suppress-health-check", "too_slow"];
    // With the token, so that the rate limit for strangers is not what is tested.
    const token = ["--header", `Authorization: Bearer ${node.token}`, "--exclude-checks", "ignored_auth"];
    const run = await promisify(execFile)(join(bin, "schemathesis"), [...args, ...limits, ...patience, ...token], {
      cwd: cwd.path,
      timeout: RUN_MS,
      maxBuffer: 64 * 1024 * 1024,
    }).catch((error: { stdout?: string; stderr?: string }) => ({
      stdout: `FAILED\n${error.stdout ?? ""}`,
      stderr: error.stderr ?? "",
    }));
    expect(run.stdout, `${run.stdout}\n${run.stderr}\n${node.log().slice(-4_000)}`).not.toContain("FAILED");
    expect(run.stdout).toMatch(/Tested: 16/);
  },
  RUN_MS + 20_000,
);
