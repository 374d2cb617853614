/** Spec of an ArchiveNode, part 2: collections and what fills them. */
import { cron, duration, labelName, objectName, quantity, reference, url } from "../schema/formats.ts";
import { cronRule, wholeBytesRule } from "../schema/meaning.ts";
import { atomicList, cel, enumOf, integer, mapList, object, set, string } from "../schema/structure.ts";
import { bucketFields } from "./storage.ts";

/**
 * Names that the node serves itself at the root of its URLs. The node's contract has the same list; a test keeps the two
 * equal, since neither side may import the other.
 */
export const RESERVED_COLLECTION_NAMES = [
  "api",
  "cdx",
  "wasapi",
  "timegate",
  "timemap",
  "memento",
  "healthz",
  "readyz",
  "metrics",
  "console",
] as const;

const reserved = RESERVED_COLLECTION_NAMES.map((name) => `'${name}'`).join(", ");

const collectionName = string(
  {
    description: "Name, also the first part of the collection's URLs.",
    cel: [
      cel({
        id: "collection-name-form",
        rule: "self.matches('^[a-z0-9]([-_a-z0-9]*[a-z0-9])?$')",
        message:
          "collections[].name takes lower-case letters, digits, - and _, and begins and ends with a letter or digit",
        reason: "FieldValueInvalid",
      }),
      cel({
        id: "collection-name-reserved",
        rule: `!(self in [${reserved}])`,
        message: `collections[].name must be none of ${RESERVED_COLLECTION_NAMES.join(" ")}: the node serves those paths itself`,
        reason: "FieldValueInvalid",
      }),
    ],
  },
  { minLength: 1, maxLength: 63 },
);

/** Reference to a collection from ingest and crawl. */
const intoCollection = string(
  { description: "Collection that receives the files.", absent: "The first collection." },
  { minLength: 1, maxLength: 63 },
);

export const collections = mapList(
  {
    description: "Named sets of WARC files: the unit of sync and of access. The first takes uploads that name none.",
    absent: "One collection `default` with `Public` access.",
  },
  "name",
  object(
    { description: "One collection." },
    {
      required: {
        name: collectionName,
        access: enumOf(
          {
            description:
              "Who may read: `Public` anyone, `Federation` trusted peers and holders of the access token, `Private` holders of the access token only.",
          },
          ["Public", "Federation", "Private"],
        ),
      },
      optional: {
        embargo: duration({
          description: "Captures younger than this are not shown. Whole files then need the access token.",
          absent: "None.",
        }),
        exclude: atomicList(
          {
            description:
              "What no read path shows: URLs or their beginnings (`https://example.org/private`), hosts (`example.org`, `*.example.org` with all below it), SURT prefixes (`org,example)/private`). In a query the arguments count in alphabetical order. Anything else is refused by the condition Accepted. Whole files then need the access token.",
          },
          string({ description: "URL, host or SURT prefix." }, { minLength: 1, maxLength: 2048 }),
          { maxItems: 1000 },
        ),
      },
    },
  ),
  { minItems: 1, maxItems: 256 },
);

export const ingest = mapList(
  { description: "Where the node takes WARC and WACZ files from by itself.", absent: "Uploads only." },
  "name",
  object(
    {
      description: "One source.",
      cel: [
        cel({
          id: "ingest-one-source",
          rule: "[has(self.s3), has(self.volume), has(self.wasapi), has(self.http)].exists_one(one, one)",
          message: "ingest[] takes one source each: set exactly one of s3, volume, wasapi, http",
          reason: "FieldValueInvalid",
        }),
      ],
    },
    {
      required: { name: labelName({ description: "Name of the source, as metrics and conditions call it." }) },
      optional: {
        collection: intoCollection,
        schedule: cron(cronRule("ingest-schedule", "ingest[].schedule"), {
          description: "When to look for new files, in UTC.",
          absent: "Every five minutes.",
        }),
        s3: object({ description: "A bucket." }, bucketFields("the files")),
        volume: object(
          { description: "A volume mounted read-only." },
          {
            required: { claimName: objectName({ description: "PersistentVolumeClaim." }) },
            optional: {
              path: string({ description: "Folder inside the volume.", absent: "Its root." }, { maxLength: 1024 }),
            },
          },
        ),
        wasapi: object(
          { description: "A WASAPI service, such as Archive-It." },
          {
            required: { url: url({ description: "URL of its `webdata` endpoint." }) },
            optional: {
              sourceCollection: string(
                { description: "Collection there.", absent: "All that the credentials reach." },
                { maxLength: 253 },
              ),
              credentialsRef: reference({ description: "Secret with `username` and `password`, or `token`." }),
            },
          },
        ),
        http: object(
          { description: "Files behind URLs." },
          {
            required: {
              urls: set({ description: "URLs of the files." }, url({ description: "URL." }), {
                minItems: 1,
                maxItems: 64,
              }),
            },
          },
        ),
      },
    },
  ),
  { maxItems: 16 },
);

const crawlLimits = object(
  { description: "A crawl ends at the first of these.", absent: "10,000 pages, 10 GiB, 24 hours." },
  {
    optional: {
      pages: integer({ description: "Pages fetched." }, { minimum: 1, maximum: 100_000_000 }),
      bytes: quantity({
        description: "Bytes received.",
        cel: [wholeBytesRule("crawl-bytes-whole", "crawl[].limits.bytes")],
      }),
      duration: duration({ description: "Time since the start." }),
    },
  },
);

const politeness = object(
  { description: "How gently hosts are treated; robots.txt is always honoured.", absent: "1s, one at a time." },
  {
    optional: {
      delay: duration({ description: "Pause between two requests to a host." }),
      perHost: integer({ description: "Requests at once to a host." }, { minimum: 1, maximum: 16 }),
    },
  },
);

export const crawl = mapList(
  { description: "Crawls that the node runs.", absent: "None." },
  "name",
  object(
    { description: "One crawl." },
    {
      required: {
        name: labelName({ description: "Name of the crawl." }),
        seeds: set({ description: "URLs to begin with." }, url({ description: "URL." }), {
          minItems: 1,
          maxItems: 1000,
        }),
      },
      optional: {
        collection: intoCollection,
        scope: enumOf(
          {
            description: "Which links are followed: none, below the seed's path, its host, its domain.",
            absent: "`Prefix`.",
          },
          ["Page", "Prefix", "Host", "Domain"],
        ),
        depth: integer({ description: "Links away from a seed.", absent: "No limit." }, { minimum: 0, maximum: 1000 }),
        limits: crawlLimits,
        politeness,
        schedule: cron(cronRule("crawl-schedule", "crawl[].schedule"), {
          description: "When to crawl, in UTC.",
          absent: "Once.",
        }),
        share: enumOf(
          { description: "`Federation` splits the hosts among willing peers by leases.", absent: "`Local`." },
          ["Local", "Federation"],
        ),
      },
    },
  ),
  { maxItems: 32 },
);
