/**
 * Both ways through every CEL rule: objects it lets pass and objects it refuses. Read by the unit tests (CEL in
 * JavaScript) and by the tests against a real API server; both fail when a rule has no case.
 */
import type { KindName } from "../src/kinds.ts";

export interface CelCase {
  readonly why: string;
  readonly name?: string;
  /** The stored spec that is updated; absent: the object is created. */
  readonly old?: Spec;
  readonly spec: Spec;
}

export interface RuleCases {
  readonly kind: KindName;
  readonly accepts: readonly CelCase[];
  readonly refuses: readonly CelCase[];
}

type Spec = Readonly<Record<string, unknown>>;

const ref = (name: string) => ({ name });
const engines = {
  storage: { objectStore: { endpoint: "https://s3.example", bucket: "warcs" } },
  index: { openSearch: { endpoints: ["https://search.example:9200"] } },
  coordination: { redis: { urlRef: ref("redis") } },
};
const ID = "0123456789abcdef".repeat(4);
const OTHER_ID = "fedcba9876543210".repeat(4);
const collection = (name: string): Spec => ({ collections: [{ name, access: "Public" }] });
const envOf = (variable: object): Spec => ({ podTemplate: { env: [{ name: "A", ...variable }] } });
const ingestOf = (source: object): Spec => ({ ingest: [{ name: "a", ...source }] });
const policy = (fields: object): Spec => ({ nodeSelector: {}, peerSelector: {}, interval: "1h", ...fields });
const peer = (fields: object): Spec => ({ nodeID: ID, ...fields });

function node(accepts: readonly CelCase[], refuses: readonly CelCase[]): RuleCases {
  return { kind: "ArchiveNode", accepts, refuses };
}
function fpeer(accepts: readonly CelCase[], refuses: readonly CelCase[]): RuleCases {
  return { kind: "FederationPeer", accepts, refuses };
}
function spol(accepts: readonly CelCase[], refuses: readonly CelCase[]): RuleCases {
  return { kind: "SyncPolicy", accepts, refuses };
}

/** Cases by the rule's id. */
export const CEL_CASES: Readonly<Record<string, RuleCases>> = {
  "node-name-form": node(
    [
      { why: "letters, digits, hyphens", name: "a-1", spec: {} },
      { why: "one letter", name: "z", spec: {} },
    ],
    [
      { why: "begins with a digit", name: "1a", spec: {} },
      { why: "has a dot, which object names may have", name: "a.b", spec: {} },
    ],
  ),
  "node-name-length": node(
    [{ why: "40 characters", name: "a".repeat(40), spec: {} }],
    [{ why: "41 characters", name: "a".repeat(41), spec: {} }],
  ),
  "shared-engines-all-or-none": node(
    [
      { why: "none", spec: {} },
      { why: "none, parents present", spec: { storage: { size: "1Gi" }, index: {}, coordination: {} } },
      { why: "all", spec: engines },
    ],
    [
      { why: "only S3", spec: { storage: engines.storage } },
      { why: "no Redis", spec: { storage: engines.storage, index: engines.index } },
      { why: "only Redis", spec: { coordination: engines.coordination } },
    ],
  ),
  "shared-engines-as-at-creation": node(
    [
      { why: "embedded stays", old: {}, spec: { suspend: true } },
      { why: "shared stays", old: engines, spec: { ...engines, suspend: true } },
    ],
    [
      { why: "embedded to shared", old: {}, spec: engines },
      { why: "shared to embedded", old: engines, spec: {} },
    ],
  ),
  "replicas-need-shared-engines": node(
    [
      { why: "one pod", spec: { replicas: 1 } },
      { why: "hibernated", spec: { replicas: 0 } },
      { why: "three pods with engines", spec: { ...engines, replicas: 3 } },
    ],
    [
      { why: "two pods, embedded", spec: { replicas: 2 } },
      { why: "scaled up, embedded", old: { replicas: 1 }, spec: { replicas: 3 } },
    ],
  ),
  "storage-class-name-immutable": node(
    [
      {
        why: "unchanged",
        old: { storage: { className: "fast" } },
        spec: { storage: { className: "fast", size: "2Gi" } },
      },
      { why: "set for the first time", old: {}, spec: { storage: { className: "fast" } } },
    ],
    [
      { why: "changed", old: { storage: { className: "fast" } }, spec: { storage: { className: "slow" } } },
      { why: "removed", old: { storage: { className: "fast" } }, spec: { storage: {} } },
      { why: "removed with its parent", old: { storage: { className: "fast" } }, spec: {} },
    ],
  ),
  "storage-access-mode-immutable": node(
    [
      {
        why: "unchanged",
        old: { storage: { accessMode: "ReadWriteOnce" } },
        spec: { storage: { accessMode: "ReadWriteOnce", size: "2Gi" } },
      },
    ],
    [
      {
        why: "changed",
        old: { storage: { accessMode: "ReadWriteOnce" } },
        spec: { storage: { accessMode: "ReadWriteMany" } },
      },
      { why: "removed with its parent", old: { storage: { accessMode: "ReadWriteOnce" } }, spec: {} },
    ],
  ),
  "identity-choice-immutable": node(
    [
      { why: "operator's key stays", old: {}, spec: { identity: {} } },
      {
        why: "own key stays",
        old: { identity: { secretRef: ref("key") } },
        spec: { identity: { secretRef: ref("key2") } },
      },
    ],
    [
      { why: "own key comes later", old: {}, spec: { identity: { secretRef: ref("key") } } },
      { why: "own key goes", old: { identity: { secretRef: ref("key") } }, spec: {} },
    ],
  ),
  "restore-only-at-creation": node(
    [
      { why: "at creation", spec: { restoreFrom: { backupRef: ref("b") } } },
      {
        why: "unchanged",
        old: { restoreFrom: { backupRef: ref("b") } },
        spec: { restoreFrom: { backupRef: ref("b") }, suspend: true },
      },
      { why: "removed when done", old: { restoreFrom: { backupRef: ref("b") } }, spec: {} },
    ],
    [
      { why: "added later", old: {}, spec: { restoreFrom: { backupRef: ref("b") } } },
      { why: "changed", old: { restoreFrom: { backupRef: ref("b") } }, spec: { restoreFrom: { peerRef: ref("p") } } },
    ],
  ),
  "restore-one-source": node(
    [
      { why: "a backup", spec: { restoreFrom: { backupRef: ref("b") } } },
      { why: "a peer", spec: { restoreFrom: { peerRef: ref("p") } } },
    ],
    [
      { why: "both", spec: { restoreFrom: { backupRef: ref("b"), peerRef: ref("p") } } },
      { why: "none", spec: { restoreFrom: {} } },
    ],
  ),
  "backup-schedule-needs-destination": node(
    [
      { why: "both", spec: { backup: { schedule: "@daily", destinationRef: ref("d") } } },
      { why: "only on request", spec: { backup: { destinationRef: ref("d") } } },
    ],
    [{ why: "nowhere to write", spec: { backup: { schedule: "0 3 * * *" } } }],
  ),
  "collection-name-form": node(
    [
      { why: "all kinds of characters", spec: collection("web_2026-a") },
      { why: "one character", spec: collection("7") },
    ],
    [
      { why: "upper case", spec: collection("Web") },
      { why: "ends with a hyphen", spec: collection("web-") },
      { why: "a dot", spec: collection("web.site") },
    ],
  ),
  "collection-name-reserved": node(
    [{ why: "begins like a reserved one", spec: collection("api2") }],
    ["api", "cdx", "wasapi", "timegate", "timemap", "memento", "healthz", "readyz", "metrics", "console"].map(
      (name) => ({
        why: name,
        spec: collection(name),
      }),
    ),
  ),
  "ingest-one-source": node(
    [
      { why: "a volume", spec: ingestOf({ volume: { claimName: "warcs" } }) },
      { why: "URLs", spec: ingestOf({ http: { urls: ["https://a.example/a.warc.gz"] } }) },
    ],
    [
      { why: "none", spec: ingestOf({}) },
      {
        why: "two",
        spec: ingestOf({ volume: { claimName: "warcs" }, http: { urls: ["https://a.example/a.warc.gz"] } }),
      },
    ],
  ),
  "tls-one-source": node(
    [
      { why: "none", spec: { tls: {} } },
      { why: "a Secret", spec: { tls: { secretRef: ref("t") } } },
    ],
    [{ why: "two", spec: { tls: { secretRef: ref("t"), certManager: { issuerRef: ref("i") } } } }],
  ),
  "discovery-auto-admit-needs-selector": node(
    [
      { why: "with selector", spec: { discovery: { mode: "AutoAdmit", admitSelector: { matchLabels: { a: "b" } } } } },
      { why: "no mode", spec: { discovery: {} } },
      { why: "another mode", spec: { discovery: { mode: "Propose" } } },
    ],
    [{ why: "without selector", spec: { discovery: { mode: "AutoAdmit" } } }],
  ),
  "discovery-seed-https": node(
    [{ why: "https", spec: { discovery: { seeds: ["https://a.example:8443"] } } }],
    [{ why: "http", spec: { discovery: { seeds: ["http://a.example:8443"] } } }],
  ),
  "discovery-ttl-minimum": node(
    [
      { why: "an hour", spec: { discovery: { ttl: "60m" } } },
      { why: "three days", spec: { discovery: { ttl: "72h" } } },
    ],
    [{ why: "a second less", spec: { discovery: { ttl: "59m59s" } } }],
  ),
  "endpoint-advertised-https": node(
    [{ why: "https", spec: { endpoint: { advertised: "https://archive.example" } } }],
    [
      { why: "http", spec: { endpoint: { advertised: "http://archive.example" } } },
      { why: "no scheme", spec: { endpoint: { advertised: "archive.example" } } },
    ],
  ),
  "image-digest-or-tag": node(
    [
      { why: "a tag", spec: { image: { tag: "1.0" } } },
      { why: "a digest", spec: { image: { digest: `sha256:${ID}` } } },
    ],
    [{ why: "both", spec: { image: { tag: "1.0", digest: `sha256:${ID}` } } }],
  ),
  "topology-spread-custom": node(
    [
      { why: "no constraints", spec: { scheduling: { topologySpread: { mode: "Auto" } } } },
      {
        why: "own constraints",
        spec: { scheduling: { topologySpread: { mode: "Custom", constraints: [spread("zone")] } } },
      },
    ],
    [
      { why: "Custom without", spec: { scheduling: { topologySpread: { mode: "Custom" } } } },
      {
        why: "constraints without Custom",
        spec: { scheduling: { topologySpread: { constraints: [spread("zone")] } } },
      },
    ],
  ),
  "env-value-or-source": node(
    [
      { why: "a value", spec: envOf({ value: "1" }) },
      { why: "a source", spec: envOf({ valueFrom: { secretKeyRef: { name: "s", key: "k" } } }) },
    ],
    [{ why: "both", spec: envOf({ value: "1", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }) }],
  ),
  "env-one-source": node(
    [{ why: "a ConfigMap", spec: envOf({ valueFrom: { configMapKeyRef: { name: "c", key: "k" } } }) }],
    [
      { why: "none", spec: envOf({ valueFrom: {} }) },
      {
        why: "two",
        spec: envOf({ valueFrom: { configMapKeyRef: { name: "c", key: "k" }, secretKeyRef: { name: "s", key: "k" } } }),
      },
    ],
  ),
  "deletion-announce-maximum": node(
    [{ why: "ten minutes", spec: { deletion: { announce: "10m" } } }],
    [{ why: "a second more", spec: { deletion: { announce: "10m1s" } } }],
  ),
  "peer-id-or-ref": fpeer(
    [
      { why: "an id", spec: { nodeID: ID } },
      { why: "a reference", spec: { nodeRef: ref("a") } },
    ],
    [{ why: "both", spec: { nodeID: ID, nodeRef: ref("a") } }],
  ),
  "peer-ref-has-no-endpoints": fpeer(
    [{ why: "id and address", spec: peer({ endpoints: [{ name: "a", url: "https://a.example" }] }) }],
    [
      {
        why: "reference and address",
        spec: { nodeRef: ref("a"), endpoints: [{ name: "a", url: "https://a.example" }] },
      },
    ],
  ),
  "peer-node-id-immutable": fpeer(
    [
      { why: "unchanged", old: { nodeID: ID }, spec: peer({ weight: 5 }) },
      { why: "set for the first time", old: { admission: "Pending" }, spec: { nodeID: ID, admission: "Pending" } },
    ],
    [
      { why: "changed", old: { nodeID: ID }, spec: { nodeID: OTHER_ID } },
      { why: "removed", old: { nodeID: ID }, spec: { admission: "Pending" } },
    ],
  ),
  "peer-origin-immutable": fpeer(
    [
      {
        why: "unchanged",
        old: peer({ origin: "Discovered" }),
        spec: peer({ origin: "Discovered", admission: "Approved" }),
      },
      { why: "absent means Authored", old: peer({}), spec: peer({ origin: "Authored" }) },
    ],
    [
      { why: "promoted in place", old: peer({ origin: "Discovered" }), spec: peer({ origin: "Authored" }) },
      { why: "demoted", old: peer({}), spec: peer({ origin: "Discovered" }) },
    ],
  ),
  "discovered-sets-no-suspend": fpeer(
    [
      { why: "authored", spec: peer({ suspend: true }) },
      { why: "discovered without", spec: peer({ origin: "Discovered" }) },
    ],
    [{ why: "discovered", spec: peer({ origin: "Discovered", suspend: false }) }],
  ),
  "discovered-sets-no-node-selector": fpeer(
    [{ why: "authored", spec: peer({ nodeSelector: {} }) }],
    [{ why: "discovered", spec: peer({ origin: "Discovered", nodeSelector: {} }) }],
  ),
  "approved-needs-identity": fpeer(
    [
      {
        why: "pending, address only",
        spec: { admission: "Pending", endpoints: [{ name: "a", url: "https://a.example" }] },
      },
      { why: "discovered is pending", spec: { origin: "Discovered" } },
      { why: "approved by reference", spec: { nodeRef: ref("a"), admission: "Approved" } },
    ],
    [
      { why: "authored is approved", spec: { endpoints: [{ name: "a", url: "https://a.example" }] } },
      { why: "said so", spec: { admission: "Approved", origin: "Discovered" } },
    ],
  ),
  "peer-endpoint-https": fpeer(
    [{ why: "https", spec: peer({ endpoints: [{ name: "a", url: "https://a.example" }] }) }],
    [{ why: "http", spec: peer({ endpoints: [{ name: "a", url: "http://a.example" }] }) }],
  ),
  "peer-pin-form": fpeer(
    [{ why: "a digest", spec: peer({ trust: { pins: [`sha256:${ID}`] } }) }],
    [
      { why: "no algorithm", spec: peer({ trust: { pins: [ID] } }) },
      { why: "too long", spec: peer({ trust: { pins: [`sha256:${ID}0`] } }) },
    ],
  ),
  "policy-node-selector-required": spol(
    [{ why: "empty matches all", spec: policy({}) }],
    [{ why: "absent", spec: { peerSelector: {}, interval: "1h" } }],
  ),
  "policy-peer-selector-required": spol(
    [{ why: "empty matches all", spec: policy({}) }],
    [{ why: "absent", spec: { nodeSelector: {}, interval: "1h" } }],
  ),
  "policy-schedule-or-interval": spol(
    [
      { why: "interval", spec: policy({}) },
      { why: "schedule", spec: { nodeSelector: {}, peerSelector: {}, schedule: "@hourly" } },
    ],
    [
      { why: "both", spec: policy({ schedule: "@hourly" }) },
      { why: "none", spec: { nodeSelector: {}, peerSelector: {} } },
    ],
  ),
  "policy-interval-minimum": spol(
    [{ why: "ten seconds", spec: policy({ interval: "10s" }) }],
    [{ why: "just under", spec: policy({ interval: "9999ms" }) }],
  ),
  "policy-backoff-order": spol(
    [
      { why: "grows", spec: policy({ failure: { backoff: { min: "1s", max: "1m" } } }) },
      { why: "only one", spec: policy({ failure: { backoff: { min: "1h" } } }) },
    ],
    [{ why: "falls", spec: policy({ failure: { backoff: { min: "61s", max: "1m" } } }) }],
  ),
  "policy-copies-order": spol(
    [
      { why: "all", spec: policy({ replication: { minCopies: 2, targetCopies: 3, maxCopies: 5 } }) },
      { why: "equal", spec: policy({ replication: { minCopies: 2, targetCopies: 2, maxCopies: 2 } }) },
      { why: "one", spec: policy({ replication: { maxCopies: 1 } }) },
    ],
    [
      { why: "target under min", spec: policy({ replication: { minCopies: 3, targetCopies: 2 } }) },
      { why: "max under target", spec: policy({ replication: { targetCopies: 3, maxCopies: 2 } }) },
      { why: "max under min", spec: policy({ replication: { minCopies: 3, maxCopies: 2 } }) },
    ],
  ),
};

function spread(topologyKey: string): object {
  return { topologyKey, maxSkew: 1, whenUnsatisfiable: "ScheduleAnyway" };
}
