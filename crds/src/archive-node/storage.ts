/** Spec of an ArchiveNode, part 1: where WARC files, captures and full text are kept. */
import { cron, dataKey, duration, objectName, quantity, reference, url } from "../schema/formats.ts";
import { cronRule, wholeBytesRule } from "../schema/meaning.ts";
import { cel, enumOf, integer, object, set, string } from "../schema/structure.ts";

/** Bucket of an S3 service, also used by `ingest`. */
export function bucketFields(whose: string) {
  return {
    required: {
      endpoint: url({ description: `URL of the S3 service that holds ${whose}.` }),
      bucket: string(
        { description: "Name of the bucket." },
        { minLength: 3, maxLength: 63, pattern: "^[a-z0-9][-.a-z0-9]*[a-z0-9]$" },
      ),
    },
    optional: {
      prefix: string({ description: "Key prefix inside the bucket.", absent: "The whole bucket." }, { maxLength: 512 }),
      region: string({ description: "Region to sign requests for.", absent: "`us-east-1`." }, { maxLength: 64 }),
      credentialsRef: reference({
        description: "Secret with `access-key-id` and `secret-access-key`.",
        absent: "Requests are not signed.",
      }),
    },
  };
}

export const storage = object(
  { description: "Where WARC files are kept.", absent: "A volume of 10Gi of the default StorageClass." },
  {
    optional: {
      size: quantity({
        description: "Size of each pod's volume. It may grow, never shrink.",
        absent: "`10Gi`.",
        cel: [wholeBytesRule("storage-size-whole", "storage.size")],
      }),
      className: objectName({
        description: "StorageClass of the volumes. Immutable once set; volumes that exist keep the class they have.",
        absent: "The cluster's default class.",
      }),
      accessMode: enumOf(
        {
          description: "Access mode of the volumes. Immutable once set; volumes that exist keep the one they have.",
          absent: "`ReadWriteOnce`.",
        },
        ["ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany"],
      ),
      retention: enumOf(
        {
          description:
            "What happens to volumes and identity when the ArchiveNode is deleted; what it says last counts. The operator carries `Delete` out, so they stay when no operator sees the deletion.",
          absent: "`Retain`: an ArchiveNode of the same name takes both up again.",
        },
        ["Retain", "Delete"],
      ),
      objectStore: object(
        {
          description: "WARC files in S3, shared by all pods; volumes become scratch space. Fixed at creation.",
          absent: "WARC files on the pod's volume.",
        },
        bucketFields("the WARC files"),
      ),
    },
  },
);

const caRef = object(
  { description: "CA that signed the server's certificate.", absent: "The public CAs of the image.", atomic: true },
  {
    required: { name: objectName({ description: "Secret, in this namespace." }) },
    optional: { key: dataKey({ description: "Key inside it.", absent: "`ca.crt`." }) },
  },
);

export const index = object(
  { description: "Where captures and full text are indexed.", absent: "SQLite with full text on the pod's volume." },
  {
    optional: {
      openSearch: object(
        { description: "OpenSearch, shared by all pods. Fixed at creation.", absent: "The embedded index." },
        {
          required: {
            endpoints: set({ description: "URLs of the cluster." }, url({ description: "URL." }), {
              minItems: 1,
              maxItems: 8,
            }),
          },
          optional: {
            credentialsRef: reference({
              description: "Secret with `username` and `password`.",
              absent: "No credentials are sent.",
            }),
            caRef,
          },
        },
      ),
    },
  },
);

export const coordination = object(
  { description: "What several pods of one node need to agree on.", absent: "One pod needs nothing." },
  {
    optional: {
      redis: object(
        { description: "Redis for nonces, leases, rate limits and search cache. Fixed at creation." },
        {
          required: {
            urlRef: object(
              { description: "Secret with the `rediss://` URL, which holds the password.", atomic: true },
              {
                required: { name: objectName({ description: "Secret, in this namespace." }) },
                optional: { key: dataKey({ description: "Key inside it.", absent: "`url`." }) },
              },
            ),
          },
          optional: { caRef },
        },
      ),
    },
  },
);

export const backup = object(
  {
    description: "Regular backups.",
    absent: "No backup.",
    cel: [
      cel({
        id: "backup-schedule-needs-destination",
        rule: "!has(self.schedule) || has(self.destinationRef)",
        message: "backup.schedule needs somewhere to write to: set backup.destinationRef too",
        fieldPath: ".destinationRef",
        reason: "FieldValueRequired",
      }),
    ],
  },
  {
    optional: {
      schedule: cron(cronRule("backup-schedule", "backup.schedule"), {
        description: "When to back up, in UTC.",
        absent: "Only when asked for.",
      }),
      destinationRef: reference({
        description: "Secret with `endpoint`, `bucket`, `access-key-id` and `secret-access-key`.",
      }),
      retention: object(
        { description: "Which backups are kept.", absent: "All of them." },
        {
          optional: {
            copies: integer({ description: "Newest backups kept." }, { minimum: 1, maximum: 1000 }),
            age: duration({ description: "Backups older than this are deleted." }),
          },
        },
      ),
    },
  },
);

export const restoreFrom = object(
  {
    description: "Fill a new node from elsewhere. Only at creation.",
    absent: "The node starts empty.",
    cel: [
      cel({
        id: "restore-one-source",
        rule: "has(self.backupRef) != has(self.peerRef)",
        message: "restoreFrom takes one source: set restoreFrom.backupRef or restoreFrom.peerRef, not both",
        reason: "FieldValueInvalid",
      }),
    ],
  },
  {
    optional: {
      backupRef: reference({ description: "Secret of the backup's destination, as in `backup.destinationRef`." }),
      peerRef: reference({ description: "FederationPeer to fetch everything from." }),
    },
  },
);
