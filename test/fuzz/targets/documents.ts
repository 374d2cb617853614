/** JSON that others give the node: trust and federation documents, delegations, its configuration. */
import { createHash, createPublicKey, generateKeyPairSync } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { embeddedConfig, loadConfig } from "../../../node/src/config/config.ts";
import { StartError } from "../../../node/src/config/errors.ts";
import { signDelegation } from "../../../node/src/contract/delegation.ts";
import { FederationDocumentSchema, TrustDocumentSchema } from "../../../node/src/contract/documents.ts";
import { documentDigest } from "../../../node/src/contract/sequenced-documents.ts";
import { verifyDelegation } from "../../../node/src/identity/delegation.ts";
import { IdentityError } from "../../../node/src/identity/errors.ts";
import { DocumentHolder, type Sequenced } from "../../../node/src/identity/sequenced-document.ts";
import { type FuzzTarget, mustHold, plainSeeds, unlessRefused } from "../target.ts";

const identity = generateKeyPairSync("ed25519");
const service = generateKeyPairSync("ed25519");
const period = { notBefore: 0, notAfter: 4_000_000_000_000 };
const ID = "0123456789abcdef".repeat(4);
const common = { sequence: 7, issuedAt: "2026-01-02T03:04:05Z", node: "a", digest: `sha256:${ID}` };
const entry = { nodeID: ID, pins: [`sha256:${ID}`], notBefore: common.issuedAt, peerUID: "u" };
const SEEDS = [
  { ...common, mode: "Private", require: "KeyAndCA", entries: [entry], revoked: [ID] },
  { ...common, peers: [{ nodeID: ID, endpoints: ["https://a.example:8443"] }], policies: [{ name: "p" }] },
  signDelegation(identity.privateKey, service.publicKey, period),
  embeddedConfig("/data"),
];
const WORDS = [
  "[",
  "]",
  "{",
  "}",
  '"',
  ":",
  ",",
  "null",
  "1e999",
  "-0",
  '"\\ud800"',
  '"__proto__":',
  '"toJSON":{},',
  "[[[[[[[[",
];

export const documents: FuzzTarget = {
  watched: /\/node\/src\/(?:identity|config|contract)\/|\/node_modules\/(?:typebox|canonicalize)\//,
  seeds: () => plainSeeds(SEEDS.map((seed) => JSON.stringify(seed))),
  words: WORDS,
  maxCpuMs: 1_000,
  exercise: async (bytes, folder) => {
    await checkConfig(bytes, join(folder, "config.json"));
    const value = parsed(bytes);
    if (value === undefined) return;
    unlessRefused(IdentityError, () => verifyDelegation(withNodeId(value), createPublicKey(service.privateKey)));
    const kept = join(folder, "kept.json");
    for (const schema of [TrustDocumentSchema, FederationDocumentSchema]) await checkDocument(schema, value, kept);
  },
};

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return undefined;
  }
}

async function checkConfig(bytes: Uint8Array, file: string): Promise<void> {
  await writeFile(file, bytes);
  const options = {
    data: undefined,
    config: file,
    listen: undefined,
    web: undefined,
    replay: undefined,
    metrics: undefined,
  };
  await loadConfig(options).catch((error: unknown) => {
    if (!(error instanceof StartError)) throw error;
  });
}

type Holder = DocumentHolder<Sequenced>;

/** What is taken is kept, and read again as it was. */
async function checkDocument(schema: ConstructorParameters<typeof DocumentHolder>[0], value: unknown, kept: string) {
  const holder: Holder = new DocumentHolder(schema, kept);
  for (const offered of [value, withDigest(value)]) {
    await holder.offer(offered).catch((error: unknown) => {
      if (!(error instanceof IdentityError)) throw error;
    });
  }
  if (holder.current === undefined) return;
  const later: Holder = new DocumentHolder(schema, kept);
  await later.load();
  mustHold(later.observed.digest === holder.observed.digest, "a document that is another one when read again");
  await rm(kept);
}

/** With a digest that is right, so that what lies behind that check is reached too. */
function withDigest(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  try {
    return { ...value, digest: documentDigest(value) };
  } catch {
    return value;
  }
}

/** With the node id of whatever is in the place of the key. */
function withNodeId(value: unknown): unknown {
  const { delegation, sig } = (value ?? {}) as {
    readonly delegation?: Record<string, unknown>;
    readonly sig?: unknown;
  };
  if (typeof delegation?.["identity_key"] !== "string") return value;
  const spki = Buffer.from(delegation["identity_key"], "base64url");
  return { delegation: { ...delegation, node_id: createHash("sha256").update(spki).digest("hex") }, sig };
}
