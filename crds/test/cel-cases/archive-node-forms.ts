/** Both ways through those rules of ArchiveNode that are about the form of one field, by the rule's id. */
import { ADDRESSES, BYTES, type RuleCases, SCHEDULES, type Spec, selectors, texts } from "./case.ts";

type Texts = Parameters<typeof texts>[2];

const node = (specOf: (text: string) => Spec, given: Texts) => texts("ArchiveNode", specOf, given);
const pods = (metadata: object): Spec => ({ podTemplate: { metadata } });
const crawl = (fields: object): Spec => ({ crawl: [{ name: "a", seeds: ["https://a.example"], ...fields }] });
const source = { http: { urls: ["https://a.example/a.warc.gz"] } };
const [MEMORY, CPU] = [(memory: string) => ({ memory }), { cpu: "100m" }];

export const ARCHIVE_NODE_FORM_CASES: Readonly<Record<string, RuleCases>> = {
  "ingest-schedule": node((schedule) => ({ ingest: [{ name: "a", schedule, ...source }] }), SCHEDULES),
  "crawl-schedule": node((schedule) => crawl({ schedule }), SCHEDULES),
  "backup-schedule": node((schedule) => ({ backup: { schedule, destinationRef: { name: "b" } } }), SCHEDULES),
  "crawl-bytes-whole": node((bytes) => crawl({ limits: { bytes } }), BYTES),
  "storage-size-whole": node((size) => ({ storage: { size } }), BYTES),
  "resources-requests-whole": node((text) => ({ resources: { requests: { ...CPU, ...MEMORY(text) } } }), BYTES),
  "resources-limits-whole": node((text) => ({ resources: { limits: { ...CPU, "ephemeral-storage": text } } }), BYTES),
  "discovery-seed-form": node((seed) => ({ discovery: { seeds: [seed] } }), ADDRESSES),
  "endpoint-advertised-form": node((advertised) => ({ endpoint: { advertised } }), ADDRESSES),
  "admit-selector-expressions": selectors("ArchiveNode", (admitSelector) => ({ discovery: { admitSelector } })),
  "search-timeout-range": node((timeout) => ({ search: { timeout } }), {
    good: ["50ms", "2s", "10s"],
    bad: ["49ms", "10s1ms"],
  }),
  "pod-labels-not-ours": node((label) => pods({ labels: { team: "web", [label]: "a" } }), {
    good: ["app.kubernetes.io/component", "example.org/part-of"],
    bad: [
      "app.kubernetes.io/name",
      "app.kubernetes.io/instance",
      "app.kubernetes.io/managed-by",
      "app.kubernetes.io/part-of",
      "archivestream.io/node",
    ],
  }),
  "pod-annotations-not-ours": node((annotation) => pods({ annotations: { [annotation]: "a" } }), {
    good: ["example.org/config-hash"],
    bad: ["archivestream.io/config-hash"],
  }),
};
