/** How transfers run: when, how fast, how files are checked, what happens on failure, how many copies are kept. */
import { duration, quantity } from "../schema/formats.ts";
import { wholeBytesRule } from "../schema/meaning.ts";
import { atomicList, cel, enumOf, integer, object, set, string } from "../schema/structure.ts";

const clock = (description: string) =>
  string({ description }, { maxLength: 5, pattern: "^([01][0-9]|2[0-3]):[0-5][0-9]$" });

export const windows = atomicList(
  { description: "When transfers may run, in `timeZone`; one that began inside goes on.", absent: "Always." },
  object(
    { description: "One window." },
    {
      required: {
        start: clock("Begin, as `22:00`."),
        end: clock("End; earlier than the begin means the next day."),
      },
      optional: {
        days: set(
          { description: "Days on which it begins.", absent: "Every day." },
          enumOf({ description: "Day." }, ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]),
          { minItems: 1, maxItems: 7 },
        ),
      },
    },
  ),
  { maxItems: 16 },
);

export const limits = object(
  { description: "How much a node may do for this policy." },
  {
    optional: {
      bandwidth: quantity({
        description: "Bytes per second and node, e.g. `10Mi`.",
        absent: "No limit.",
        cel: [wholeBytesRule("policy-bandwidth-whole", "limits.bandwidth")],
      }),
      concurrency: integer({ description: "Transfers at once and node.", absent: "4." }, { minimum: 1, maximum: 64 }),
      maxItemSize: quantity({
        description: "Larger files are left out.",
        absent: "No limit.",
        cel: [wholeBytesRule("policy-max-item-size-whole", "limits.maxItemSize")],
      }),
    },
  },
);

export const verification = object(
  { description: "How received files are checked." },
  {
    optional: {
      mode: enumOf(
        {
          description: "`Digest` checks the file's hash; `Full` also reads every record and its digests.",
          absent: "`Digest`.",
        },
        ["Digest", "Full"],
      ),
    },
  },
);

export const conflict = object(
  { description: "Two different files under one file name." },
  {
    optional: {
      strategy: enumOf(
        {
          description: "Which one keeps the name; no file is lost, each is stored under its hash.",
          absent: "`KeepBoth`.",
        },
        ["KeepBoth", "KeepLocal", "KeepRemote"],
      ),
    },
  },
);

export const failure = object(
  { description: "What happens when a peer fails." },
  {
    optional: {
      backoff: object(
        {
          description: "Pauses between attempts, doubling.",
          cel: [
            cel({
              id: "policy-backoff-order",
              rule: "!has(self.min) || !has(self.max) || duration(self.min) <= duration(self.max)",
              message: "failure.backoff.min must not be longer than failure.backoff.max: change one of them",
              fieldPath: ".min",
              reason: "FieldValueInvalid",
            }),
          ],
        },
        {
          optional: {
            min: duration({ description: "First pause.", absent: "`10s`." }),
            max: duration({ description: "Longest pause.", absent: "`30m`." }),
          },
        },
      ),
      deadline: duration({
        description: "A run that takes longer is ended and counted as failed.",
        absent: "No deadline.",
      }),
    },
  },
);

const copies = (description: string, absent: string) => integer({ description, absent }, { minimum: 1, maximum: 100 });

export const replication = object(
  {
    description: "Copies of each file in the federation.",
    absent: "Files are fetched as `direction` says; copies are not counted.",
    cel: [
      cel({
        id: "policy-copies-order",
        rule: "(!has(self.minCopies) || !has(self.targetCopies) || self.minCopies <= self.targetCopies) && (!has(self.targetCopies) || !has(self.maxCopies) || self.targetCopies <= self.maxCopies) && (!has(self.minCopies) || !has(self.maxCopies) || self.minCopies <= self.maxCopies)",
        message: "replication.minCopies, targetCopies and maxCopies must not fall in this order: change one of them",
        reason: "FieldValueInvalid",
      }),
    ],
  },
  {
    optional: {
      minCopies: copies("Fewer copies are repaired at once.", "2."),
      targetCopies: copies("Copies aimed at.", "3."),
      maxCopies: copies("More copies may be dropped.", "5."),
    },
  },
);
