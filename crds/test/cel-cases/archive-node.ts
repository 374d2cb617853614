/** Both ways through the rules of ArchiveNode, by the rule's id. */
import { type CelCase, ID, type RuleCases, ref, type Spec } from "./case.ts";

const engines = {
  storage: { objectStore: { endpoint: "https://s3.example", bucket: "warcs" } },
  index: { openSearch: { endpoints: ["https://search.example:9200"] } },
  coordination: { redis: { urlRef: ref("redis") } },
};
const collection = (name: string): Spec => ({ collections: [{ name, access: "Public" }] });
const envOf = (variable: object): Spec => ({ podTemplate: { env: [{ name: "A", ...variable }] } });
const ingestOf = (source: object): Spec => ({ ingest: [{ name: "a", ...source }] });

function spread(topologyKey: string): object {
  return { topologyKey, maxSkew: 1, whenUnsatisfiable: "ScheduleAnyway" };
}

function node(accepts: readonly CelCase[], refuses: readonly CelCase[]): RuleCases {
  return { kind: "ArchiveNode", accepts, refuses };
}

export const ARCHIVE_NODE_CASES: Readonly<Record<string, RuleCases>> = {
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
};
