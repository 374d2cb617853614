/** One of everything that operator and node hand each other, with every member set: what compatibility is tried with. */
import type { AdminStatus } from "../../node/src/contract/admin-api.ts";
import { DEFAULT_LIMITS, type NodeConfig } from "../../node/src/contract/config-schema.ts";
import type { FederationDocument, TrustDocument } from "../../node/src/contract/documents.ts";
import { documentDigest } from "../../node/src/contract/sequenced-documents.ts";

const ID = "a".repeat(64);
const PIN = `sha256:${"b".repeat(64)}`;
const URL_OF_PEER = "https://archive.example.org/api/v1/federation";
const ISSUE = { sequence: 7, issuedAt: "2026-11-24T00:00:00Z" };

export const NODE_CONFIG_SAMPLE: NodeConfig = {
  schemaVersion: 1,
  name: "library",
  dataDir: "/data",
  capabilities: ["crawl", "store", "search", "index"],
  collections: [{ name: "default", access: "Federation", embargoSeconds: 60, exclude: ["org,example)/private"] }],
  listen: {
    federation: "0.0.0.0:8443",
    web: "0.0.0.0:8080",
    replay: "0.0.0.0:8081",
    admin: "0.0.0.0:8444",
    metrics: "0.0.0.0:9090",
  },
  files: { keys: "/keys", access: "/access", trust: "/trust", federation: "/federation", adminTls: "/admin" },
  limits: DEFAULT_LIMITS,
  logLevel: "info",
};

function issued<T extends object>(content: T) {
  return { ...ISSUE, ...content, digest: documentDigest(content) };
}

export const SAMPLE_DOCUMENTS: { readonly trust: TrustDocument; readonly federation: FederationDocument } = {
  trust: issued({
    node: "library",
    mode: "Private" as const,
    require: "KeyOrCA" as const,
    entries: [{ nodeID: ID, pins: [PIN], notBefore: ISSUE.issuedAt, notAfter: ISSUE.issuedAt, peerUID: "uid" }],
    revoked: [ID],
  }),
  federation: issued({
    node: "library",
    peers: [{ nodeID: ID, endpoints: [URL_OF_PEER], pins: [PIN], weight: 100, suspend: true }],
    policies: [
      {
        ...{ name: "copies", uid: "uid", peers: [ID], include: ["default"], exclude: ["private"] },
        ...{ intervalSeconds: 60, schedule: "0 3 * * *", timeZone: "Europe/Berlin", maxItemBytes: 1_000 },
      },
    ],
    seeds: [URL_OF_PEER],
    addresses: [URL_OF_PEER],
    advertised: URL_OF_PEER,
    discovery: { mode: "Propose" as const, maxPeers: 200, deny: [ID] },
    search: { maxPeers: 16, timeoutMs: 2_000 },
  }),
};

export const SAMPLE_STATUS: AdminStatus = {
  nodeID: ID,
  version: "0.1.0",
  configDigest: PIN,
  phase: "Serving",
  message: "",
  trust: { sequence: 7, digest: PIN },
  federation: { sequence: 7, digest: PIN },
  certificate: { notAfter: ISSUE.issuedAt, serial: "01" },
  delegationNotAfter: ISSUE.issuedAt,
};
