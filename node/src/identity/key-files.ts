/** The keys a running node holds, read from its mounted (or own) key folder. */
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Delegation } from "../contract/delegation.ts";
import { KEY_FILES } from "../contract/documents.ts";
import { verifyDelegation } from "./delegation.ts";
import { IdentityError } from "./errors.ts";

export interface TlsPair {
  /** PEM. */
  readonly key: string;
  /** PEM, leaf first. */
  readonly cert: string;
  readonly notAfter: Date;
  /** Hex. */
  readonly serial: string;
}

export interface NodeKeys {
  readonly nodeId: string;
  /** Ed25519; signs requests, gossip and receipts. */
  readonly serviceKey: KeyObject;
  readonly delegation: Delegation;
  readonly tls: TlsPair;
}

/** @throws {IdentityError} `BAD_KEY_FILE` */
export async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new IdentityError("BAD_KEY_FILE", { file, reason: "cannot be read" }, { cause: error });
  }
}

/**
 * Reads a TLS key and certificate and checks that they belong together.
 *
 * @throws {IdentityError} `BAD_KEY_FILE`
 */
export async function readTlsPair(folder: string): Promise<TlsPair> {
  const [key, cert] = await Promise.all([
    readPem(join(folder, KEY_FILES.tlsKey)),
    readPem(join(folder, KEY_FILES.tlsCert)),
  ]);
  const file = join(folder, KEY_FILES.tlsCert);
  try {
    const leaf = new X509Certificate(cert);
    if (!leaf.checkPrivateKey(createPrivateKey(key))) {
      throw new IdentityError("BAD_KEY_FILE", { file, reason: `is not for the key in ${KEY_FILES.tlsKey}` });
    }
    return { key, cert, notAfter: leaf.validToDate, serial: leaf.serialNumber };
  } catch (error) {
    if (error instanceof IdentityError) throw error;
    throw new IdentityError("BAD_KEY_FILE", { file, reason: "is not a PEM key and certificate" }, { cause: error });
  }
}

/**
 * Reads service key, delegation and TLS pair.
 *
 * @throws {IdentityError} `BAD_KEY_FILE`, `BAD_DELEGATION`
 */
export async function readNodeKeys(folder: string): Promise<NodeKeys> {
  const [keyText, delegationText, tls] = await Promise.all([
    readPem(join(folder, KEY_FILES.serviceKey)),
    readPem(join(folder, KEY_FILES.delegation)),
    readTlsPair(folder),
  ]);
  const serviceKey = parseServiceKey(keyText, join(folder, KEY_FILES.serviceKey));
  const delegation = parseJson(delegationText, join(folder, KEY_FILES.delegation));
  const body = verifyDelegation(delegation, createPublicKey(serviceKey));
  return { nodeId: body.node_id, serviceKey, delegation: delegation as Delegation, tls };
}

function parseServiceKey(text: string, file: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch (error) {
    throw new IdentityError("BAD_KEY_FILE", { file, reason: "is not a PEM private key" }, { cause: error });
  }
  if (key.asymmetricKeyType !== "ed25519") throw new IdentityError("BAD_KEY_FILE", { file, reason: "is not Ed25519" });
  return key;
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new IdentityError("BAD_KEY_FILE", { file, reason: "is not JSON" }, { cause: error });
  }
}
