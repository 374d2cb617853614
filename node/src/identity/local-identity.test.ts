import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readNodeKeys } from "./key-files.ts";
import { ensureLocalIdentity } from "./local-identity.ts";

const DAY_MS = 86_400_000;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "identity-"));
});
afterEach(() => rm(folder, { recursive: true }));

const ensure = (now: Date) => ensureLocalIdentity({ keys: folder, accessTokenFile: join(folder, "access-token") }, now);

test("is made once, and left alone until two thirds of its 90 days are over", async () => {
  const start = new Date();
  expect(await ensure(start)).toBe(true);
  const first = await readNodeKeys(folder);
  expect(await ensure(new Date(start.getTime() + 59 * DAY_MS))).toBe(false);
  expect((await readNodeKeys(folder)).tls.serial).toBe(first.tls.serial);
});

test("is renewed after that: new service key and certificate, same node", async () => {
  const start = new Date();
  await ensure(start);
  const first = await readNodeKeys(folder);
  expect(await ensure(new Date(start.getTime() + 61 * DAY_MS))).toBe(true);
  const second = await readNodeKeys(folder);
  expect(second.nodeId).toBe(first.nodeId);
  expect(second.tls.serial).not.toBe(first.tls.serial);
  expect(second.delegation.delegation.spki).not.toBe(first.delegation.delegation.spki);
  expect(second.delegation.delegation.not_after - start.getTime()).toBe(151 * DAY_MS);
});

test("an access token that a person chose is kept", async () => {
  await writeFile(join(folder, "access-token"), "chosen by a person\n");
  await ensure(new Date());
  expect(await readFile(join(folder, "access-token"), "utf8")).toBe("chosen by a person\n");
});
