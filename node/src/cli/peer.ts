/** `archive-node peer add|list|remove|approve|block`: who may peer with this node, and where they are. */
import { StartError } from "../config/errors.ts";
import { EXIT_CODES } from "../contract/exit-codes.ts";
import { federationUrl } from "../contract/federation-url.ts";
import type { PeerRow } from "../control/reports.ts";
import { commandOn, dataFolderOf } from "./data-folder.ts";
import { parseCommandArgs } from "./options.ts";
import { tableOf } from "./table.ts";

const NODE_ID = /^[0-9a-f]{64}$/;

const COLUMNS: Readonly<Record<string, (row: PeerRow) => string>> = {
  "NODE ID": (row) => row.node_id,
  ENDPOINT: (row) => row.endpoint ?? "-",
  ORIGIN: (row) => row.origin,
  ADMISSION: (row) => row.admission,
  STATE: (row) => row.state,
  TRUST: (row) => row.trust,
};

export async function peerAdd(args: readonly string[]): Promise<number> {
  const { values, operands } = parseCommandArgs(args, { values: ["data", "node-id"], operands: ["URL"] });
  const dataDir = dataFolderOf(values.data);
  const endpoint = federationUrl(operands[0] ?? "");
  if (endpoint === undefined) {
    throw new StartError("BAD_USAGE", { reason: "URL: expected an address such as https://archive.example.org:8443" });
  }
  const nodeId = values["node-id"];
  await commandOn(dataDir, "peer-add", { endpoint, ...(nodeId === undefined ? {} : { nodeId: nodeIdOf(nodeId) }) });
  process.stdout.write(`peer ${nodeId ?? ""} added\n`);
  return EXIT_CODES.ok;
}

export async function peerList(args: readonly string[]): Promise<number> {
  const { values, flags } = parseCommandArgs(args, { values: ["data"], flags: ["json"] });
  const rows = await commandOn(dataFolderOf(values.data), "peer-list", {});
  process.stdout.write(flags.json ? `${JSON.stringify(rows)}\n` : tableOf(rows, COLUMNS));
  return EXIT_CODES.ok;
}

const CHANGES = { "peer-remove": "removed", "peer-approve": "approved", "peer-block": "blocked" } as const;

const changePeer =
  (name: keyof typeof CHANGES) =>
  async (args: readonly string[]): Promise<number> => {
    const { values, operands } = parseCommandArgs(args, { values: ["data"], operands: ["ID"] });
    const nodeId = nodeIdOf(operands[0] ?? "");
    await commandOn(dataFolderOf(values.data), name, { nodeId });
    process.stdout.write(`peer ${nodeId} ${CHANGES[name]}\n`);
    return EXIT_CODES.ok;
  };

export const peerRemove = changePeer("peer-remove");
export const peerApprove = changePeer("peer-approve");
export const peerBlock = changePeer("peer-block");

export function nodeIdOf(text: string): string {
  if (NODE_ID.test(text)) return text;
  throw new StartError("BAD_USAGE", {
    reason: `"${text}" is no node id: 64 characters of 0-9 and a-f, as archive-node identity prints them`,
  });
}
