/** Status of a SyncPolicy: what it matches, which nodes have taken it, how its runs end. Counters of files are metrics. */
import { SYNC_POLICY_CONDITIONS, type SyncPolicyConditionType } from "../conditions.ts";
import { conditions, count, generation, objectName, sequence, time } from "../schema/formats.ts";
import { enumOf, mapList, object, string } from "../schema/structure.ts";

const CONDITION_TYPES = Object.keys(SYNC_POLICY_CONDITIONS) as SyncPolicyConditionType[];

export const SyncPolicyStatusSchema = object(
  { description: "What the operator observed." },
  {
    optional: {
      observedGeneration: generation({ description: "The generation this status is about." }),
      matched: object(
        { description: "What the selectors match." },
        {
          optional: {
            nodes: count({ description: "ArchiveNodes." }),
            peers: count({ description: "FederationPeers." }),
            pairs: count({ description: "Pairs of both." }),
          },
        },
      ),
      programmed: object(
        { description: "Nodes that have taken the policy." },
        { optional: { nodes: count({ description: "How many." }) } },
      ),
      conflicts: object(
        { description: "Where another policy wins." },
        { optional: { pairs: count({ description: "Pairs." }) } },
      ),
      targets: mapList(
        { description: "Matched nodes, those with a problem first; at most 32." },
        "node",
        object(
          { description: "One node." },
          {
            required: { node: objectName({ description: "ArchiveNode." }) },
            optional: {
              sequence: sequence({ description: "Sequence of the federation document that brought the policy." }),
              observed: sequence({ description: "Lowest sequence that any of its pods uses." }),
              state: enumOf({ description: "The gravest state of its peers and collections." }, [
                "Failed",
                "Incomplete",
                "Syncing",
                "Pending",
                "Synced",
              ]),
              reason: string(
                { description: "Why something wanted is not there, as one word; of the gravest one." },
                { maxLength: 64 },
              ),
            },
          },
        ),
        { maxItems: 32 },
      ),
      targetsOmitted: count({ description: "Matched nodes that are not in `targets`." }),
      lastRun: object(
        { description: "Written when the result changes; the times of runs are metrics." },
        {
          optional: {
            result: enumOf({ description: "How runs end." }, ["Succeeded", "Partial", "Failed"]),
            since: time({ description: "Since when they end so." }),
          },
        },
      ),
      conditions: conditions(CONDITION_TYPES),
    },
  },
);
