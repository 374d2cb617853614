/** Who gets metrics over HTTPS and who does not, how often the API server is asked, and renewed certificates. */
import { request } from "node:https";
import { afterEach, beforeAll, expect, test } from "vitest";
import { type IssuedPair, testAuthority } from "../../../test/testkit/certificate-authority.ts";
import { waitUntil } from "../../../test/testkit/wait-until.ts";
import { KubeError } from "../kube/api-errors.ts";
import { type Access, createAccessReview } from "./access-review.ts";
import { type MetricsServer, startMetricsServer } from "./metrics-server.ts";

const METRICS = { contentType: "text/plain", metrics: async () => "up 1\n" };
let pairs: readonly IssuedPair[];
const servers: MetricsServer[] = [];

beforeAll(async () => {
  const authority = await testAuthority();
  const issue = () => authority.issue({ commonName: "metrics", usage: "serverAuth" });
  pairs = [await issue(), await issue()];
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server[Symbol.asyncDispose]();
});

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: NodeJS.Dict<string | string[]>;
  /** SHA-256 of the certificate. */
  readonly fingerprint: string;
}

interface Ask {
  readonly path?: string;
  readonly method?: string;
  readonly authorization?: string;
}

function ask(server: MetricsServer, { path = "/metrics", method = "GET", authorization }: Ask = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = authorization === undefined ? {} : { authorization };
    const options = { host: "127.0.0.1", port: server.port, path, method, headers, agent: false };
    const sent = request({ ...options, rejectUnauthorized: false }, (response) => {
      const { fingerprint256 } = (response.socket as import("node:tls").TLSSocket).getPeerCertificate();
      let body = "";
      response.on("data", (part: Buffer) => {
        body += part.toString();
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, body, headers: response.headers, fingerprint: fingerprint256 }),
      );
    });
    sent.on("error", reject);
    sent.end();
  });
}

async function serve(review: (token: string) => Promise<Access>, certificate?: () => Promise<IssuedPair>) {
  const server = await startMetricsServer({
    host: "127.0.0.1",
    port: 0,
    metrics: METRICS,
    review,
    certificate: async () => {
      const pair = await (certificate ?? (async () => pairs[0]))();
      if (pair === undefined) throw new Error("no certificate");
      return { key: pair.key, certificate: pair.cert };
    },
    certificateFailed: () => undefined,
    certificateLookMs: 20,
  });
  servers.push(server);
  return server;
}

test.each<[Access, number]>([
  ["allowed", 200],
  ["unauthenticated", 401],
  ["forbidden", 403],
  ["unavailable", 503],
])("a token that is judged %s gets %i", async (access, status) => {
  const server = await serve(async (token) => (token === "t" ? access : "allowed"));
  const answer = await ask(server, { authorization: "Bearer t" });
  expect(answer.status).toBe(status);
  expect(answer.body).toBe(status === 200 ? "up 1\n" : "");
});

test.each([undefined, "Bearer", "Bearer  ", "Basic dXNlcjpwYXNz", `Bearer ${"x".repeat(9_000)}`])(
  "without a token (%s) nobody is asked",
  async (authorization) => {
    let asked = 0;
    const server = await serve(async () => {
      asked++;
      return "allowed";
    });
    const answer = await ask(server, authorization === undefined ? {} : { authorization });
    expect([answer.status, answer.headers["www-authenticate"], asked]).toEqual([401, "Bearer", 0]);
  },
);

test("nothing else is served, and nothing but GET", async () => {
  const server = await serve(async () => "allowed");
  const authorization = "Bearer t";
  expect((await ask(server, { path: "/healthz", authorization })).status).toBe(404);
  expect((await ask(server, { path: "/metrics/../x", authorization })).status).toBe(404);
  expect((await ask(server, { path: "//", authorization })).status).toBe(404);
  expect((await ask(server, { method: "POST", authorization })).status).toBe(405);
  expect((await ask(server, { path: "/metrics?x=1", authorization })).status).toBe(200);
});

test("a review that throws is not a yes", async () => {
  const server = await serve(async () => {
    throw new Error("bug");
  });
  expect((await ask(server, { authorization: "Bearer t" })).status).toBe(500);
});

test("a renewed certificate is shown without a restart; one that cannot be read leaves the old one", async () => {
  let now: IssuedPair | undefined = pairs[0];
  const server = await serve(
    async () => "allowed",
    async () => {
      if (now === undefined) throw new Error("no file");
      return now;
    },
  );
  const first = (await ask(server)).fingerprint;
  now = undefined;
  expect((await ask(server)).fingerprint).toBe(first);
  now = pairs[1];
  await waitUntil("the other certificate", async () => (await ask(server)).fingerprint !== first, {
    deadlineMs: 10_000,
  });
});

/** An API server that knows the tokens `reader` and `other`, and what it was asked. */
function apiServer() {
  const state = { asked: [] as string[], failed: [] as string[], down: false, nowMs: 0 };
  const review = createAccessReview({
    clock: { monotonicMs: () => state.nowMs },
    failed: ({ code }) => state.failed.push(code),
    client: {
      request: async ({ path, body, unfenced }) => {
        if (state.down) throw new KubeError("CONNECTION", { method: "POST", path });
        state.asked.push(`${path}${unfenced === true ? "" : " fenced"}`);
        const { spec } = body as { spec: { token?: string; user?: string } };
        if (spec.token === undefined) return { status: { allowed: spec.user === "reader" } };
        const authenticated = ["reader", "other"].includes(spec.token);
        return { status: { authenticated, user: authenticated ? { username: spec.token } : undefined } };
      },
    },
  });
  return { state, judge: (token: string) => review(token, "/metrics", AbortSignal.timeout(1_000)) };
}

test("the API server says who it is and whether that user may; its word holds for a minute", async () => {
  const { state, judge } = apiServer();
  expect([await judge("reader"), await judge("other"), await judge("nobody")]).toEqual([
    "allowed",
    "forbidden",
    "unauthenticated",
  ]);
  const reviews = ["/apis/authentication.k8s.io/v1/tokenreviews", "/apis/authorization.k8s.io/v1/subjectaccessreviews"];
  expect(state.asked).toEqual([...reviews, ...reviews, reviews[0]]);
  state.down = true;
  state.nowMs = 59_999;
  expect(await judge("reader")).toBe("allowed");
  state.nowMs = 60_000;
  expect(await judge("reader")).toBe("unavailable");
  expect(state.failed).toEqual(["CONNECTION"]);
  state.down = false;
  expect(await judge("reader")).toBe("allowed");
});

test("a flood of tokens asks eight at a time", async () => {
  const { judge } = apiServer();
  const answers = await Promise.all(Array.from({ length: 20 }, (_, number) => judge(`t${number}`)));
  expect(answers.filter((one) => one === "unavailable")).toHaveLength(12);
});
