/** `archive-node policy add|list|remove`: what this node copies from which peer. */
import { StartError } from "../config/errors.ts";
import type { PolicyEntry } from "../contract/documents.ts";
import { EXIT_CODES } from "../contract/exit-codes.ts";
import type { PolicyRow } from "../control/reports.ts";
import { commandOn, dataFolderOf } from "./data-folder.ts";
import { parseCommandArgs } from "./options.ts";
import { nodeIdOf } from "./peer.ts";
import { tableOf } from "./table.ts";

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };
const MAX_SECONDS = 365 * 86_400;
const DEFAULT_INTERVAL = "5m";
const COLLECTION = /^[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;

const COLUMNS: Readonly<Record<string, (row: PolicyRow) => string>> = {
  POLICY: (row) => row.name,
  PEER: (row) => row.peer,
  COLLECTION: (row) => row.collection,
  WANTED: (row) => String(row.wanted ?? "-"),
  HELD: (row) => String(row.held ?? "-"),
  MISSING: (row) => missingOf(row),
};

export async function policyAdd(args: readonly string[]): Promise<number> {
  const { values, operands } = parseCommandArgs(args, {
    values: ["data", "peer", "collection", "interval"],
    operands: ["NAME"],
  });
  const dataDir = dataFolderOf(values.data);
  const [name = ""] = operands;
  if (name === "" || name.length > 253) throw badUsage("NAME: expected 1 to 253 characters");
  const { peer = "all", collection } = values;
  const policy: PolicyEntry = {
    name,
    ...(peer === "all" ? {} : { peers: [nodeIdOf(peer)] }),
    ...(collection === undefined ? {} : { include: [collectionOf(collection)] }),
    intervalSeconds: secondsOf(values.interval ?? DEFAULT_INTERVAL),
  };
  await commandOn(dataDir, "policy-add", policy);
  process.stdout.write(`policy ${name} added\n`);
  return EXIT_CODES.ok;
}

export async function policyList(args: readonly string[]): Promise<number> {
  const { values, flags } = parseCommandArgs(args, { values: ["data"], flags: ["json"] });
  const rows = await commandOn(dataFolderOf(values.data), "policy-list", {});
  process.stdout.write(flags.json ? `${JSON.stringify(rows)}\n` : tableOf(rows, COLUMNS));
  return EXIT_CODES.ok;
}

export async function policyRemove(args: readonly string[]): Promise<number> {
  const { values, operands } = parseCommandArgs(args, { values: ["data"], operands: ["NAME"] });
  const [name = ""] = operands;
  await commandOn(dataFolderOf(values.data), "policy-remove", { name });
  process.stdout.write(`policy ${name} removed\n`);
  return EXIT_CODES.ok;
}

/** `3 (2 queued, 1 too-large)`. */
function missingOf({ wanted, missing }: PolicyRow): string {
  if (missing.length === 0) return wanted === null ? "-" : "0";
  const counts = new Map<string, number>();
  for (const { reason } of missing) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return `${missing.length} (${[...counts].map(([reason, count]) => `${count} ${reason}`).join(", ")})`;
}

function secondsOf(text: string): number {
  const [, count = "", unit = ""] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * (SECONDS[unit] ?? 0);
  if (seconds >= 1 && seconds <= MAX_SECONDS) return seconds;
  throw badUsage("--interval: expected a time such as 10s, 5m, 1h or 1d, at most 365d");
}

function collectionOf(name: string): string {
  if (COLLECTION.test(name) && name.length <= 63) return name;
  throw badUsage(`--collection: "${name}" is no name of a collection`);
}

function badUsage(reason: string): StartError {
  return new StartError("BAD_USAGE", { reason });
}
