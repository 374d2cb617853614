/** The admin client against real HTTPS servers with mutual TLS, good ones and broken ones. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server, type ServerOptions } from "node:https";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import type { TLSSocket } from "node:tls";
import { ADMIN_CLIENT_NAME, ADMIN_PATHS } from "@archivestream/node/contract";
import { afterEach, beforeAll, expect, test } from "vitest";
import { ANSWER } from "../../../test/testkit/archive-node-status.ts";
import { type IssuedPair, type TestAuthority, testAuthority } from "../../../test/testkit/certificate-authority.ts";
import { AdminClient, type AdminTarget } from "./client.ts";
import { AdminError, explain } from "./errors.ts";

const SERVER_NAME = "library-0.library-headless.archives.svc";
/** Short, where a test waits for it to end. */
const SHORT_MS = 300;

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

let authority: TestAuthority;
let good: IssuedPair;
let operator: IssuedPair;
const cleanUp: (() => void | Promise<void>)[] = [];

beforeAll(async () => {
  authority = await testAuthority();
  good = await authority.issue({ commonName: SERVER_NAME, usage: "serverAuth" });
  operator = await authority.issue({ commonName: ADMIN_CLIENT_NAME, usage: "clientAuth" });
});
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

/** A pod's admin port that does as told. */
async function pod(handler: Handler, tls: ServerOptions = good): Promise<AdminTarget> {
  const mutual = { ca: authority.ca, requestCert: true, rejectUnauthorized: true, minVersion: "TLSv1.3" } as const;
  return listening(createServer({ ...mutual, ...tls }, handler));
}

async function listening(server: Server): Promise<AdminTarget> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUp.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return target((server.address() as AddressInfo).port);
}

function target(port: number): AdminTarget {
  return { pod: "archives/library-0", address: "127.0.0.1", port, serverName: SERVER_NAME };
}

function client({ shows = operator, deadlineMs = 10_000 }: { shows?: IssuedPair; deadlineMs?: number } = {}) {
  const credentials = { key: shows.key, certificate: shows.cert, ca: authority.ca };
  const made = new AdminClient(() => credentials, deadlineMs);
  cleanUp.push(() => made.close());
  return made;
}

async function failure(asked: AdminTarget, from = client()): Promise<AdminError> {
  const outcome = await from.status(asked, undefined, AbortSignal.timeout(20_000)).catch((error: unknown) => error);
  if (!(outcome instanceof AdminError)) throw new Error(`expected an AdminError, got ${String(outcome)}`);
  return outcome;
}

const answerStatus: Handler = (request, response) => {
  const etag = '"one"';
  if (request.headers["if-none-match"] === etag) response.writeHead(304, { etag }).end();
  else response.writeHead(200, { etag, "content-type": "application/json" }).end(JSON.stringify(ANSWER));
};

test("a status comes with its ETag, and is unchanged when asked for with it", async () => {
  const asked = await pod(answerStatus);
  const from = client();
  const signal = AbortSignal.timeout(10_000);
  expect(await from.status(asked, undefined, signal)).toEqual({ etag: '"one"', status: ANSWER });
  expect(await from.status(asked, '"one"', signal)).toBe("unchanged");
  expect(await from.status(asked, '"older"', signal)).toEqual({ etag: '"one"', status: ANSWER });
});

test("a 304 that nobody asked for is no status", async () => {
  const error = await failure(await pod((_request, response) => response.writeHead(304).end()));
  expect(error).toMatchObject({ code: "BAD_ANSWER", details: { status: 304 } });
});

test("a document is sent as it is; what became of it is told apart", async () => {
  const bodies: string[] = [];
  const answers = [200, 409, 422];
  const asked = await pod((request, response) => {
    let body = "";
    request.on("data", (part: Buffer) => {
      body += part.toString();
    });
    request.on("end", () => {
      bodies.push(`${request.method} ${request.url} ${body}`);
      response.writeHead(answers[bodies.length - 1] ?? 500).end("{}");
    });
  });
  const from = client();
  const push = () => from.push(asked, ADMIN_PATHS.trust, '{"sequence":7}', AbortSignal.timeout(10_000));
  expect([await push(), await push(), await push()]).toEqual(["taken", "not-newer", "refused"]);
  expect(bodies[0]).toBe(`PUT ${ADMIN_PATHS.trust} {"sequence":7}`);
  await expect(push()).rejects.toMatchObject({ code: "BAD_ANSWER", details: { status: 500 } });
});

test("new credentials are shown at the next call", async () => {
  const other = await authority.issue({ commonName: "renewed", usage: "clientAuth" });
  const names: (string | undefined)[] = [];
  const asked = await pod((request, response) => {
    const { subject } = (request.socket as TLSSocket).getPeerCertificate();
    names.push(subject.CN as string);
    answerStatus(request, response);
  });
  let current = { key: operator.key, certificate: operator.cert, ca: authority.ca };
  const from = new AdminClient(() => current);
  cleanUp.push(() => from.close());
  await from.status(asked, undefined, AbortSignal.timeout(10_000));
  current = { key: other.key, certificate: other.cert, ca: authority.ca };
  await from.status(asked, undefined, AbortSignal.timeout(10_000));
  expect(names).toEqual([ADMIN_CLIENT_NAME, "renewed"]);
});

test("the next connection to a pod resumes the session; new credentials make a new one", async () => {
  const resumed: boolean[] = [];
  const asked = await pod((request, response) => {
    resumed.push((request.socket as TLSSocket).isSessionReused());
    response.setHeader("connection", "close");
    answerStatus(request, response);
  });
  let current = { key: operator.key, certificate: operator.cert, ca: authority.ca };
  const from = new AdminClient(() => current);
  cleanUp.push(() => from.close());
  for (let call = 0; call < 2; call++) await from.status(asked, undefined, AbortSignal.timeout(10_000));
  current = { ...current };
  await from.status(asked, undefined, AbortSignal.timeout(10_000));
  expect(resumed).toEqual([false, true, false]);
});

test("without credentials nothing is dialled", async () => {
  const error = await failure(target(1), new AdminClient(() => undefined));
  expect(error.code).toBe("NO_CREDENTIALS");
  expect(explain(error)).toContain("the operator has no certificate yet");
});

test("a certificate for another name is refused", async () => {
  const wrong = await authority.issue({ commonName: "library-1.library-headless.archives.svc", usage: "serverAuth" });
  const error = await failure(await pod(answerStatus, wrong));
  expect(error).toMatchObject({ code: "TLS_FAILED", details: { reason: "ERR_TLS_CERT_ALTNAME_INVALID" } });
  expect(explain(error)).toMatch(/refuse each other's certificates .*delete the pod if this lasts/);
});

test("an expired certificate is refused", async () => {
  const error = await failure(
    await pod(answerStatus, await authority.issue({ commonName: SERVER_NAME, usage: "serverAuth", days: -1 })),
  );
  expect(error).toMatchObject({ code: "TLS_FAILED", details: { reason: "CERT_HAS_EXPIRED" } });
});

test("a certificate of another CA is refused", async () => {
  const stranger = await testAuthority("another-ca");
  const error = await failure(
    await pod(answerStatus, await stranger.issue({ commonName: SERVER_NAME, usage: "serverAuth" })),
  );
  expect(error.code).toBe("TLS_FAILED");
});

test("a server that knows no TLS 1.3 is refused", async () => {
  const error = await failure(await pod(answerStatus, { ...good, minVersion: "TLSv1.2", maxVersion: "TLSv1.2" }));
  expect(error.code).toBe("TLS_FAILED");
});

test("a pod that does not accept the operator's certificate is told apart from a silent one", async () => {
  const stranger = await (await testAuthority("another-ca")).issue({ commonName: "x", usage: "clientAuth" });
  const error = await failure(await pod(answerStatus), client({ shows: stranger }));
  expect(["TLS_FAILED", "CUT"]).toContain(error.code); // TLS 1.3 servers judge after the client may send
});

test("nobody listening is unreachable", async () => {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const error = await failure(target(port));
  expect(error).toMatchObject({ code: "UNREACHABLE", details: { reason: "ECONNREFUSED" } });
  expect(explain(error)).toBe("cannot be reached (ECONNREFUSED); check the pod's log and NetworkPolicies");
});

test.each<[string, Handler]>([
  ["before the answer", (request) => request.socket.destroy()],
  [
    "in the middle of the body",
    (request, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write('{"nodeID":', () => request.socket.destroy());
    },
  ],
])("a connection that is cut %s", async (_name, handler) => {
  const error = await failure(await pod(handler));
  expect(error.code).toBe("CUT");
  expect(explain(error)).toContain("closes the connection before its answer is complete");
});

test.each<[string, Handler]>([
  ["no answer at all", () => undefined],
  [
    "a body that never ends",
    (_request, response) => {
      response.writeHead(200);
      response.write(" ");
    },
  ],
])("%s ends at the deadline", async (_name, handler) => {
  const error = await failure(await pod(handler), client({ deadlineMs: SHORT_MS }));
  expect(error).toMatchObject({ code: "TIMEOUT", details: { afterMs: SHORT_MS } });
  expect(explain(error)).toBe("does not answer within 0.3 s; check the pod's log, CPU and disk");
});

test("a huge body is not read to its end", async () => {
  let sent = 0;
  const error = await failure(
    await pod((_request, response) => {
      response.writeHead(200);
      const more = () => {
        while (!response.destroyed && response.write("x".repeat(16_384))) sent += 16_384;
      };
      response.on("drain", more);
      more();
    }),
  );
  expect(error).toMatchObject({ code: "TOO_LARGE", details: { limitBytes: 65_536 } });
  expect(sent).toBeLessThan(64 * 2 ** 20);
});

test.each([
  [500, "answers 500 (status was asked for); check the pod's log"],
  [503, "answers 503 (status was asked for); check the pod's log"],
  [403, "refuses the operator's certificate; delete the pod if this lasts two minutes"],
  [404, "answers 404 (status was asked for); check that spec.image is an archive node of this release"],
])("an answer %i says what to look at", async (status, sentence) => {
  const error = await failure(await pod((_request, response) => response.writeHead(status).end("no")));
  expect(error).toMatchObject({ code: "BAD_ANSWER", details: { status } });
  expect(explain(error)).toBe(sentence);
});

test.each([
  ["not JSON", "<html>"],
  ["another document", '{"phase":"Serving"}'],
  ["nothing", ""],
])("%s is no status", async (_name, body) => {
  const error = await failure(await pod((_request, response) => response.writeHead(200).end(body)));
  expect(error).toMatchObject({ code: "BAD_ANSWER", details: { reason: "not a status document" } });
});

test("the caller's end ends a call at once", async () => {
  const stop = new AbortController();
  const asked = await pod(() => stop.abort());
  await expect(client().status(asked, undefined, stop.signal)).rejects.toBeInstanceOf(AdminError);
});
