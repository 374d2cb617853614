/** The operator's CA in its Secret: rotated without a pod noticing, made again when damaged, named when it is refused. */
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AuthorityKeeper } from "../../operator/src/controllers/node-identity/authority-keeper.ts";
import { AUTHORITY_SECRET } from "../../operator/src/controllers/node-identity/operator-ca.ts";
import { secretStore } from "../../operator/src/controllers/node-identity/secret-store.ts";
import { RESOURCES } from "../../operator/src/controllers/resource-types.ts";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import { type Fault, type LoggedRequest, startApiServerProxy } from "../testkit/api-server-proxy.ts";
import { type ArchiveWorld, archiveWorld } from "../testkit/archive-world.ts";
import { createFakeClock, type FakeClock } from "../testkit/fake-clock.ts";
import { OPERATOR_NAMESPACE, startOperator } from "../testkit/operator-under-test.ts";
import { proxiedKubeconfig } from "../testkit/proxied-kubeconfig.ts";
import { type ProxiedNamespace, proxiedNamespace } from "../testkit/proxied-namespace.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const DAY_MS = 24 * 3_600_000;
/** The CA lives five years and is rotated at two thirds of that, which is within the day before this. */
const ROTATION_MS = 1_217 * DAY_MS;
const CLIENT_LIFE_MS = 7 * DAY_MS;
const FORBIDDEN: Fault = { kind: "answer", status: 403 };
const cleanUp = new AsyncDisposableStack();
let archives: ArchiveWorld;

beforeAll(async () => {
  archives = cleanUp.use(await archiveWorld({ namespace: "without-ca" }));
});
afterAll(async () => {
  await cleanUp.disposeAsync();
});

const isForCa = ({ path }: LoggedRequest) => path.endsWith(`/secrets/${AUTHORITY_SECRET}`);

/** A process that keeps the CA of this namespace. */
function startKeeper({ client, namespace, signal }: ProxiedNamespace, clock: FakeClock = createFakeClock()) {
  const seen = { changed: 0, failed: [] as unknown[] };
  const keeper = new AuthorityKeeper({
    secrets: secretStore(client, clock, () => undefined),
    namespace,
    changed: () => {
      seen.changed += 1;
    },
    failed: (error) => seen.failed.push(error),
    clock,
    random: () => 0.5,
  });
  return { keeper, clock, seen, ensure: () => keeper.ensure(signal) };
}

const target = (namespace: string) => ({ resource: RESOURCES.Secret, key: { namespace, name: AUTHORITY_SECRET } });

async function damage({ past, namespace, signal }: ProxiedNamespace, data: Readonly<Record<string, string>>) {
  const encoded = Object.entries(data).map(([name, text]) => [name, Buffer.from(text).toString("base64")] as const);
  const options = { contentType: "application/merge-patch+json", fieldManager: "somebody" } as const;
  await past.patch(target(namespace), { data: Object.fromEntries(encoded) }, options, signal);
}

/** Whether who trusts this bundle believes that certificate. */
function isTrusted(certificate: string | undefined, bundle: string | undefined): boolean {
  const roots = bundle?.match(/-----BEGIN [^-]*-----[^-]*-----END [^-]*-----/g) ?? [];
  const shown = new X509Certificate(certificate ?? "");
  return roots.some((root) => shown.verify(new X509Certificate(root).publicKey));
}

test("after a rotation the operator shows what pods with the old bundle believe, and trusts old and new", async () => {
  await using world = await proxiedNamespace(archives.server);
  const { keeper, clock, seen, ensure } = startKeeper(world);
  await ensure();
  const old = keeper.authority;
  clock.advance(ROTATION_MS - CLIENT_LIFE_MS / 2);
  await ensure();
  const before = keeper.credentials;
  expect(keeper.authority).toEqual(old);
  clock.advance(CLIENT_LIFE_MS);
  await ensure();
  expect(keeper.authority?.certificate).not.toBe(old?.certificate);
  expect(seen.changed).toBe(2);
  const during = keeper.credentials;
  expect(during?.certificate).not.toBe(before?.certificate); // that one was due at the same time
  expect(isTrusted(during?.certificate, old?.bundle)).toBe(true);
  expect(isTrusted(old?.certificate, during?.ca)).toBe(true);
  expect(isTrusted(keeper.authority?.certificate, during?.ca)).toBe(true);
  await ensure();
  expect(keeper.credentials).toBe(during);
  clock.advance(CLIENT_LIFE_MS);
  await ensure();
  expect(isTrusted(keeper.credentials?.certificate, old?.bundle)).toBe(false);
  expect(isTrusted(keeper.credentials?.certificate, keeper.authority?.bundle)).toBe(true);
});

test("a process that starts when the CA is due shows what pods with the old bundle believe", async () => {
  await using world = await proxiedNamespace(archives.server);
  const { keeper: first, clock, ensure } = startKeeper(world);
  await ensure();
  clock.advance(ROTATION_MS);
  const next = startKeeper(world, clock);
  await next.ensure();
  expect(next.keeper.authority?.certificate).not.toBe(first.authority?.certificate);
  expect(isTrusted(next.keeper.credentials?.certificate, first.authority?.bundle)).toBe(true);
});

test("a CA that may not be rotated is used on, and so is what it signs anew", async () => {
  await using world = await proxiedNamespace(archives.server);
  const { keeper, clock, ensure } = startKeeper(world);
  await ensure();
  const [authority, client] = [keeper.authority, keeper.credentials];
  clock.advance(ROTATION_MS);
  world.proxy.addFault({ matches: ({ method }) => method === "PATCH", fault: FORBIDDEN });
  await expect(ensure()).rejects.toMatchObject({ code: "FORBIDDEN" });
  expect(keeper.authority).toEqual(authority);
  expect(keeper.credentials?.certificate).not.toBe(client?.certificate);
  expect(isTrusted(keeper.credentials?.certificate, authority?.bundle)).toBe(true);
  expect(keeper.blocked).toBeUndefined();
});

const otherKey = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" });

test.each([
  ["an emptied key", { "ca.key": "" }],
  ["a key that is none", { "ca.key": "garbage" }],
  ["another CA's key", { "ca.key": otherKey.toString() }],
  ["a bundle without the certificate", { "bundle.crt": "" }],
])("%s makes a new CA once, and pods are still believed", async (_what, data) => {
  await using world = await proxiedNamespace(archives.server);
  const { keeper, ensure } = startKeeper(world);
  await ensure();
  const [old, client] = [keeper.authority, keeper.credentials];
  await damage(world, data);
  const restarted = startKeeper(world);
  await restarted.ensure();
  const made = restarted.keeper.authority;
  expect(made?.certificate).not.toBe(old?.certificate);
  expect(isTrusted(restarted.keeper.credentials?.certificate, made?.bundle)).toBe(true);
  expect(isTrusted(old?.certificate, made?.bundle)).toBe(true);
  await ensure();
  expect(keeper.authority).toEqual(made);
  expect(keeper.credentials).toEqual({ ...client, ca: made?.bundle });
});

test("an emptied certificate makes a new CA too", async () => {
  await using world = await proxiedNamespace(archives.server);
  await startKeeper(world).ensure();
  await damage(world, { "ca.crt": "" });
  const { keeper, ensure } = startKeeper(world);
  await ensure();
  expect(isTrusted(keeper.credentials?.certificate, keeper.authority?.bundle)).toBe(true);
});

test("a refusal is tried again after a minute at the earliest and then more rarely, and is told of until it ends", async () => {
  await using world = await proxiedNamespace(archives.server);
  const { keeper, clock, seen } = startKeeper(world);
  world.proxy.addFault({ matches: isForCa, fault: FORBIDDEN, times: 2 });
  const stop = new AbortController();
  const running = keeper.run(stop.signal);
  const tried = (times: number) =>
    waitUntil(`try ${times}`, () => world.proxy.requests.length >= times && clock.waiting > 0, { deadlineMs: 20_000 });
  await tried(1);
  expect(keeper.blocked).toMatchObject({ state: "blocked", reason: "Forbidden" });
  expect(keeper.blocked?.message).toContain(`${world.namespace}/${AUTHORITY_SECRET}`);
  clock.advance(59_000);
  expect(world.proxy.requests).toHaveLength(1);
  clock.advance(1_000);
  await tried(2);
  clock.advance(119_000);
  expect(world.proxy.requests).toHaveLength(2);
  clock.advance(1_000);
  await waitUntil("the CA to be made", () => keeper.credentials, { deadlineMs: 20_000 });
  expect(keeper.blocked).toBeUndefined();
  expect(seen).toMatchObject({ changed: 1, failed: [{ code: "FORBIDDEN" }, { code: "FORBIDDEN" }] });
  stop.abort();
  await running;
});

test("nodes say what the operator lacks to ask their pods", async () => {
  await using proxy = await startApiServerProxy(archives.server);
  const kubeconfigPath = await proxiedKubeconfig(archives.server, proxy.url);
  proxy.addFault({ matches: isForCa, fault: FORBIDDEN, times: 100 });
  await using _operator = await startOperator({ ...archives, config: { kubeconfigPath } });
  await archives.create("alpha");
  const stalled = await archives.until("alpha", "Stalled", "True");
  expect(stalled).toMatchObject({ reason: "Forbidden" });
  expect(stalled.message).toContain(`${OPERATOR_NAMESPACE}/${AUTHORITY_SECRET}`);
  const looks = () => proxy.requests.filter(({ path }) => path.endsWith("/secrets/alpha-keys")).length;
  const looksMore = async (times: number) => {
    const before = looks();
    await waitUntil("the keys to be looked at again", () => looks() >= before + times, { deadlineMs: 60_000 });
    return (await archives.get<KubeObject>("ArchiveNode", "alpha"))?.metadata.resourceVersion;
  };
  // The node's first minute brings news of its children too; what stays is that a look writes nothing.
  const isLeftAlone = async () => (await looksMore(1)) === (await looksMore(2));
  await waitUntil("looks that write nothing", isLeftAlone, { deadlineMs: 120_000 });
});
