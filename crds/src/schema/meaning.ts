/**
 * Rules for texts that a pattern lets pass and that would do nothing, or something else than they say: schedules, time
 * zones, addresses, selectors, amounts of bytes. A rule has a message of its own, which tells what to write.
 */
import { type CelRule, cel } from "./structure.ts";

const DAYS = "sun|mon|tue|wed|thu|fri|sat";
const MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec";
const DAY_OF_MONTH = "(0?[1-9]|[12][0-9]|3[01])";
const DAY_OF_WEEK = `(0?[0-7]|${DAYS})`;

/** One field of cron: a comma between items, each `*`, a value or a range, with a step where it has several values. */
function cronField(value: string, others = ""): string {
  const step = "(/[1-9][0-9]?)?";
  const item = `([*?]${step}|${value}(-${value}${step})?${others})`;
  return `${item}(,${item})*`;
}

/** As the node's cron library reads them; `L`, `W` and `#` mean last, nearest weekday and nth. */
const CRON_FIELDS = [
  cronField("[0-5]?[0-9]"),
  cronField("([01]?[0-9]|2[0-3])"),
  cronField(DAY_OF_MONTH, `|LW?|${DAY_OF_MONTH}W`),
  cronField(`(0?[1-9]|1[0-2]|${MONTHS})`),
  cronField(DAY_OF_WEEK, `|${DAY_OF_WEEK}(#[1-5L]|L)`),
].join(" +");
const CRON = `^(@(hourly|daily|midnight|weekly|monthly|yearly|annually)|(?i:${CRON_FIELDS}))$`;

export function cronRule(id: string, field: string): CelRule {
  return cel({
    id,
    rule: `self.matches('${CRON}')`,
    message: `${field} takes minute (0-59), hour (0-23), day of month (1-31), month (1-12) and day of week (0-7), as in 30 2 * * *, or one of @hourly @daily @weekly @monthly @yearly`,
    reason: "FieldValueInvalid",
  });
}

/** The API server asks its own time zone database, as it does for CronJobs: an unknown name makes the rule fail. */
export function timeZoneRule(id: string, field: string): CelRule {
  return cel({
    id,
    rule: "self != 'Local' && timestamp('2026-01-01T00:00:00Z').getHours(self) >= 0",
    message: `${field} takes a name of the IANA time zone database, as Europe/Berlin or UTC`,
    reason: "FieldValueInvalid",
  });
}

const PORT = "([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])";
/** In a CEL string, where a backslash is written twice. */
const PEER_ADDRESS = String.raw`^https://([^\\[\\]/?#@:\\s]+|\\[[0-9A-Fa-f:.]+\\])(:${PORT})?(/[^?#\\s]*)?$`;

/** Rules for the address of a peer or of this node. */
export function peerAddressRules(id: string, field: string): readonly CelRule[] {
  return [
    cel({
      id: `${id}-https`,
      rule: "self.startsWith('https://')",
      message: `${field} must start with https://: nodes speak TLS 1.3 only`,
      reason: "FieldValueInvalid",
    }),
    cel({
      id: `${id}-form`,
      rule: `!self.startsWith('https://') || self.matches('${PEER_ADDRESS}')`,
      message: `${field} takes https://, a host, and a port if it is not 443: no user, query, fragment or space`,
      reason: "FieldValueInvalid",
    }),
  ];
}

/** As Kubernetes holds its own selectors: `NotIn` without values would match everything. */
export function selectorRule(id: string, field: string): CelRule {
  const key = "^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$";
  return cel({
    id,
    rule: `!has(self.matchExpressions) || self.matchExpressions.all(one, one.key.matches('${key}') && (one.operator in ['In', 'NotIn']) == (has(one.values) && one.values.size() > 0))`,
    message: `${field}.matchExpressions[] takes the key of a label; values go with In and NotIn, and must be left out with Exists and DoesNotExist`,
    reason: "FieldValueInvalid",
  });
}

/** `100m` is a tenth of a byte to Kubernetes, and hundred megabytes to most people who write it. */
export function wholeBytesRule(id: string, field: string): CelRule {
  return cel({
    id,
    rule: "!string(self).matches('[num]$')",
    message: `${field} is an amount of bytes, of which n, u and m are parts: write M or Mi for megabytes`,
    reason: "FieldValueInvalid",
  });
}

/** Same for the memory and disk among a container's resources. */
export function wholeBytesOfRule(id: string, field: string): CelRule {
  const whole = ["memory", "ephemeral-storage"].map(
    (name) => `(!('${name}' in self) || !string(self['${name}']).matches('[num]$'))`,
  );
  return cel({
    id,
    rule: whole.join(" && "),
    message: `${field} has an amount of bytes that ends in n, u or m, which are parts of a byte: write M or Mi for megabytes`,
    reason: "FieldValueInvalid",
  });
}

/** Labels and annotations that the operator sets itself, so that those of the spec would be ignored. */
export function notOursRule(id: string, field: string, names: readonly string[]): CelRule {
  return cel({
    id,
    rule: names.map((name) => `!('${name}' in self)`).join(" && "),
    message: `${field} must leave out what the operator sets itself: ${names.join(" ")}`,
    reason: "FieldValueForbidden",
  });
}

export function durationRangeRule(id: string, field: string, range: { min?: string; max?: string }): CelRule {
  const { min, max } = range;
  const bounds = [
    ...(min === undefined ? [] : [{ rule: `duration(self) >= duration('${min}')`, text: `at least ${min}` }]),
    ...(max === undefined ? [] : [{ rule: `duration(self) <= duration('${max}')`, text: `at most ${max}` }]),
  ];
  return cel({
    id,
    rule: bounds.map(({ rule }) => rule).join(" && "),
    message: `${field} must be ${bounds.map(({ text }) => text).join(" and ")}`,
    reason: "FieldValueInvalid",
  });
}
