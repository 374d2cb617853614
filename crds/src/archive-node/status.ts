/** Status of an ArchiveNode: facts that change rarely. What drifts all the time (items, bytes, latencies) is metrics. */
import { ARCHIVE_NODE_CONDITIONS, type ArchiveNodeConditionType } from "../conditions.ts";
import {
  address,
  conditions,
  count,
  generation,
  nodeID,
  objectName,
  quantity,
  sequence,
  time,
} from "../schema/formats.ts";
import { boolean, enumOf, mapList, object, string } from "../schema/structure.ts";

const CONDITION_TYPES = Object.keys(ARCHIVE_NODE_CONDITIONS) as ArchiveNodeConditionType[];
const release = (description: string) => string({ description }, { maxLength: 64 });

const effective = object(
  { description: "Values in force, also where the spec leaves them open." },
  {
    optional: {
      version: release("Release of the node program."),
      image: string({ description: "Image as the pods run it." }, { maxLength: 1024 }),
      replicas: count({ description: "Pods wanted." }),
      updateStrategy: enumOf({ description: "How pods are replaced." }, ["RollingUpdate", "OnDelete"]),
    },
  },
);

const version = object(
  { description: "Progress of a roll-out." },
  {
    optional: {
      current: release("Release that every pod ran last."),
      target: release("Release being rolled out."),
      updatedReplicas: count({ description: "Pods that run the target." }),
    },
  },
);

const certificate = object(
  { description: "The federation port's certificate as served now." },
  {
    optional: {
      notAfter: time({ description: "When it ends." }),
      renewAfter: time({ description: "When the operator renews it." }),
      serial: string({ description: "Serial number, hexadecimal." }, { maxLength: 64 }),
    },
  },
);

const trust = object(
  { description: "The trust document: who may peer." },
  {
    optional: {
      sequence: sequence({ description: "Sequence of the current document." }),
      observedSequence: sequence({ description: "Lowest sequence that any pod enforces." }),
      entries: count({ description: "Peers in it." }),
      lastPropagatedTime: time({ description: "When every pod had taken the current document." }),
    },
  },
);

const federation = object(
  { description: "The federation document: peers and policies." },
  {
    optional: {
      configSequence: sequence({ description: "Sequence of the current document." }),
      observedConfigSequence: sequence({ description: "Lowest sequence that any pod uses." }),
      peers: object(
        { description: "Peers of this node." },
        {
          optional: {
            total: count({ description: "All of them." }),
            ready: count({ description: "Trusted and reachable." }),
            blocked: count({ description: "Blocked by a person." }),
            discovered: count({ description: "Learnt by gossip." }),
          },
        },
      ),
    },
  },
);

const storage = object(
  { description: "Volumes of the pods." },
  {
    optional: {
      requested: quantity({ description: "Size asked for." }),
      capacity: quantity({ description: "Smallest capacity of any volume." }),
      resizing: boolean({ description: "Whether a volume is growing." }),
    },
  },
);

const backup = object(
  { description: "The last backup." },
  {
    optional: {
      lastSuccessTime: time({ description: "When a backup succeeded last." }),
      lastResult: enumOf({ description: "How the last one ended." }, ["Succeeded", "Failed"]),
    },
  },
);

export const ArchiveNodeStatusSchema = object(
  { description: "What the operator observed." },
  {
    optional: {
      observedGeneration: generation({ description: "The generation this status is about." }),
      effective,
      replicas: count({ description: "Pods that exist." }),
      readyReplicas: count({ description: "Pods that are ready." }),
      selector: string({ description: "Label selector of the pods, for the scale subresource." }, { maxLength: 1024 }),
      version,
      nodeID: nodeID({ description: "The identity that peers know: SHA-256 of the identity key." }),
      endpoints: mapList(
        { description: "Where the node answers." },
        "name",
        object(
          { description: "One address." },
          {
            required: {
              name: objectName({ description: "What is there: `federation`, `web`, `replay`, `advertised`." }),
              url: address({ description: "URL." }),
            },
          },
        ),
        { maxItems: 4 },
      ),
      certificate,
      trust,
      federation,
      policies: mapList(
        { description: "SyncPolicies that select this node; the first 16." },
        "name",
        object(
          { description: "One policy." },
          {
            required: { name: objectName({ description: "Name of the SyncPolicy." }) },
            optional: { uid: string({ description: "Its UID." }, { maxLength: 64 }) },
          },
        ),
        { maxItems: 16 },
      ),
      policiesTotal: count({ description: "All SyncPolicies that select this node." }),
      storage,
      backup,
      conditions: conditions(CONDITION_TYPES),
    },
  },
);
