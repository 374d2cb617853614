/**
 * The identity of a node without an operator: made at first start under the data folder, its service key, delegation
 * and certificate renewed at two thirds of their life. Files are written to a temporary name, synced and renamed, so
 * that a crash leaves either the old or the new one. An identity key that is there is never replaced.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { DELEGATION_LIFETIME_MS, signDelegation } from "../contract/delegation.ts";
import { KEY_FILES } from "../contract/documents.ts";
import { nodeIdOf } from "../contract/node-id.ts";
import { selfSigned } from "./certificate.ts";
import { writeDurably } from "./durable-file.ts";
import { IdentityError } from "./errors.ts";
import { readNodeKeys } from "./key-files.ts";

const RENEW_AFTER = 2 / 3;
/** Clocks of peers may be behind ours by this much. */
const CLOCK_SLACK_MS = 5 * 60 * 1000;
const IDENTITY_KEY_FILE = "identity.key";

/** Where `curl --cacert` finds the certificate to trust. */
export function certificateFile(keysFolder: string): string {
  return join(keysFolder, KEY_FILES.tlsCert);
}

/**
 * Makes whatever is missing or due for renewal in `keysFolder`, and the access token in `accessFolder`.
 *
 * @returns true when something was written
 * @throws {IdentityError} `BAD_KEY_FILE` when a key that must not be replaced cannot be read
 */
export async function ensureLocalIdentity(
  folders: { readonly keys: string; readonly accessTokenFile: string },
  now: Date,
): Promise<boolean> {
  await mkdir(folders.keys, { recursive: true, mode: 0o700 });
  const identityKey = await loadOrMakeIdentityKey(join(folders.keys, IDENTITY_KEY_FILE));
  const madeToken = await ensureAccessToken(folders.accessTokenFile);
  if (!(await isDue(folders.keys, nodeIdOf(createPublicKey(identityKey)), now))) return madeToken;
  await writeServiceFiles(folders.keys, identityKey, now);
  return true;
}

/** Node id of the identity in `keysFolder`; `undefined` when there is none yet. */
export async function localNodeId(keysFolder: string): Promise<string | undefined> {
  const key = await readIdentityKey(join(keysFolder, IDENTITY_KEY_FILE));
  return key === undefined ? undefined : nodeIdOf(createPublicKey(key));
}

async function readIdentityKey(file: string): Promise<KeyObject | undefined> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new IdentityError("BAD_KEY_FILE", { file, reason: "cannot be read" }, { cause: error });
  });
  if (text === undefined) return undefined;
  try {
    return createPrivateKey(text);
  } catch (error) {
    throw new IdentityError("BAD_KEY_FILE", { file, reason: "is not a PEM private key" }, { cause: error });
  }
}

async function loadOrMakeIdentityKey(file: string): Promise<KeyObject> {
  const held = await readIdentityKey(file);
  if (held !== undefined) return held;
  const { privateKey } = generateKeyPairSync("ed25519");
  await writeDurably(file, pemOf(privateKey));
  return privateKey;
}

async function ensureAccessToken(file: string): Promise<boolean> {
  const held = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw new IdentityError("BAD_KEY_FILE", { file, reason: "cannot be read" }, { cause: error });
  });
  if (held.trim() !== "") return false;
  await writeDurably(file, `${randomBytes(32).toString("base64url")}\n`);
  return true;
}

/** Due: not there, not readable, of another identity, or past two thirds of its life. */
async function isDue(keysFolder: string, nodeId: string, now: Date): Promise<boolean> {
  try {
    const keys = await readNodeKeys(keysFolder);
    if (keys.nodeId !== nodeId) return true;
    const renewAtMs = (notAfterMs: number) => notAfterMs - DELEGATION_LIFETIME_MS * (1 - RENEW_AFTER);
    const first = Math.min(keys.delegation.delegation.not_after, keys.tls.notAfter.getTime());
    return now.getTime() >= renewAtMs(first);
  } catch (error) {
    if (error instanceof IdentityError) return true;
    throw error;
  }
}

async function writeServiceFiles(keysFolder: string, identityKey: KeyObject, now: Date): Promise<void> {
  const service = generateKeyPairSync("ed25519");
  const period = { notBefore: now.getTime() - CLOCK_SLACK_MS, notAfter: now.getTime() + DELEGATION_LIFETIME_MS };
  const delegation = signDelegation(identityKey, service.publicKey, period);
  const host = hostname();
  const tls = await selfSigned({
    commonName: delegation.delegation.node_id,
    dnsNames: host === "" || host === "localhost" ? ["localhost"] : ["localhost", host],
    ipAddresses: ["127.0.0.1", "::1"],
    notBefore: new Date(period.notBefore),
    notAfter: new Date(period.notAfter),
  });
  await writeDurably(join(keysFolder, KEY_FILES.serviceKey), pemOf(service.privateKey));
  await writeDurably(join(keysFolder, KEY_FILES.delegation), `${JSON.stringify(delegation)}\n`);
  await writeDurably(join(keysFolder, KEY_FILES.tlsKey), tls.key);
  await writeDurably(join(keysFolder, KEY_FILES.tlsCert), tls.certificate);
}

function pemOf(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}
