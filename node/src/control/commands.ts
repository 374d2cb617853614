/**
 * The commands about peers, policies and stored files, the same for a running node (asked through its socket) and for a stopped one
 * (carried out on its folder by the command line itself). Names and parameters are what goes over the socket.
 */
import Type, { type Static, type TSchema } from "typebox";
import type { WithdrawnBlob } from "../archive/withdrawals.ts";
import type { PolicyEntry } from "../contract/documents.ts";
import { NodeIdSchema, PolicyEntrySchema } from "../contract/documents.ts";
import { ControlError } from "./errors.ts";
import { type Documents, type PeerRow, type PolicyRow, peerRows, policyRows, type SeenPeer } from "./reports.ts";

/** Documents as commands change them; see `identity/local-documents.ts`. */
export interface EditableDocuments extends Documents {
  addPeer(nodeID: string, endpoints: readonly string[]): Promise<void>;
  removePeer(nodeID: string): Promise<void>;
  blockPeer(nodeID: string): Promise<void>;
  addPolicy(policy: PolicyEntry): Promise<void>;
  removePolicy(name: string): Promise<void>;
}

export interface CommandContext {
  readonly nodeId: () => string;
  readonly documents: EditableDocuments;
  /** The documents are somebody else's: commands only read. */
  readonly isManaged: boolean;
  readonly seen: () => readonly SeenPeer[];
  /** Forgets what was learnt of a peer that is removed. */
  readonly forget: (nodeId: string) => void;
  /** Takes a file out of a collection; `undefined` when it never held it. Throws `StorageError`. */
  readonly withdraw: (collection: string, hash: string, signal: AbortSignal) => Promise<WithdrawnBlob | undefined>;
  /** One row for each peer and collection that a policy applies to now. */
  readonly progress: () => Promise<readonly PolicyRow[]>;
  /**
   * The node id that whoever is at a base URL claims; nothing is proven by it.
   *
   * @throws {Error} whose message says why nobody can tell
   */
  readonly identify: (endpoint: string, signal: AbortSignal) => Promise<string>;
}

const Empty = Type.Object({});
const OfPeer = Type.Object({ nodeId: NodeIdSchema });
const NewPeer = Type.Object({
  endpoint: Type.String({ pattern: "^https://", maxLength: 2048 }),
  nodeId: Type.Optional(NodeIdSchema),
});
const OfPolicy = Type.Object({ name: Type.String({ minLength: 1, maxLength: 253 }) });

const OfFile = Type.Object({
  collection: Type.String({ minLength: 1, maxLength: 63 }),
  hash: Type.String({ pattern: "^[0-9a-f]{64}$" }),
});

export const COMMAND_SCHEMAS = {
  "peer-add": NewPeer,
  "peer-list": Empty,
  "peer-remove": OfPeer,
  "peer-approve": OfPeer,
  "peer-block": OfPeer,
  "policy-add": PolicyEntrySchema,
  "policy-list": Empty,
  "policy-remove": OfPolicy,
  withdraw: OfFile,
} as const satisfies Readonly<Record<string, TSchema>>;

export type CommandName = keyof typeof COMMAND_SCHEMAS;
export type CommandParams<C extends CommandName> = Static<(typeof COMMAND_SCHEMAS)[C]>;
export interface CommandResults {
  readonly "peer-add": null;
  readonly "peer-list": readonly PeerRow[];
  readonly "peer-remove": null;
  readonly "peer-approve": null;
  readonly "peer-block": null;
  readonly "policy-add": null;
  readonly "policy-list": readonly PolicyRow[];
  readonly "policy-remove": null;
  readonly withdraw: WithdrawnBlob;
}

type Run<C extends CommandName> = (
  context: CommandContext,
  params: CommandParams<C>,
  signal: AbortSignal,
) => Promise<CommandResults[C]>;

const COMMANDS: { readonly [C in CommandName]: Run<C> } = {
  "peer-add": addPeer,
  "peer-list": async ({ documents, seen }) => peerRows(documents, seen()),
  "peer-remove": async (context, { nodeId }) => {
    editable(context);
    rowOf(context, nodeId);
    await context.documents.removePeer(nodeId);
    context.forget(nodeId);
    return null;
  },
  "peer-approve": approvePeer,
  "peer-block": async (context, { nodeId }) => {
    editable(context, nodeId);
    await context.documents.blockPeer(nodeId);
    return null;
  },
  "policy-add": addPolicy,
  "policy-list": async ({ documents, progress }) => policyRows(documents.federation?.policies ?? [], await progress()),
  "policy-remove": async (context, { name }) => {
    editable(context);
    if (policyOf(context, name) === undefined) throw new ControlError("POLICY_UNKNOWN", { name });
    await context.documents.removePolicy(name);
    return null;
  },
  withdraw: async (context, { collection, hash }, signal) => {
    const withdrawn = await context.withdraw(collection, hash, signal);
    if (withdrawn === undefined) throw new ControlError("FILE_UNKNOWN", { collection, hash });
    return withdrawn;
  },
};

/** @throws {ControlError} @throws {IdentityError} a document cannot be written */
export function runControlCommand<C extends CommandName>(
  name: C,
  context: CommandContext,
  params: CommandParams<C>,
  signal: AbortSignal,
): Promise<CommandResults[C]> {
  return COMMANDS[name](context, params, signal);
}

function editable({ isManaged, nodeId }: CommandContext, peer?: string): void {
  if (isManaged) throw new ControlError("DOCUMENTS_MANAGED", {});
  if (peer === nodeId()) throw new ControlError("OWN_NODE_ID", { nodeId: peer });
}

function rowOf({ documents, seen }: CommandContext, nodeId: string): PeerRow {
  const row = peerRows(documents, seen()).find(({ node_id }) => node_id === nodeId);
  if (row === undefined) throw new ControlError("PEER_UNKNOWN", { nodeId });
  return row;
}

function policyOf({ documents }: CommandContext, name: string): PolicyEntry | undefined {
  return documents.federation?.policies.find((policy) => policy.name === name);
}

async function addPeer(context: CommandContext, params: CommandParams<"peer-add">, signal: AbortSignal): Promise<null> {
  const { endpoint, nodeId } = params;
  editable(context, nodeId);
  if (nodeId === undefined) throw await nodeIdMissing(context, endpoint, signal);
  if (context.documents.trust?.revoked.includes(nodeId) === true) throw new ControlError("PEER_BLOCKED", { nodeId });
  await context.documents.addPeer(nodeId, [endpoint]);
  return null;
}

async function nodeIdMissing(context: CommandContext, address: string, signal: AbortSignal): Promise<ControlError> {
  try {
    const claims = await context.identify(address, signal);
    if (claims === context.nodeId()) return new ControlError("OWN_NODE_ID", { nodeId: claims });
    return new ControlError("NODE_ID_MISSING", { address, claims, reason: "" });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return new ControlError("NODE_ID_MISSING", { address, claims: undefined, reason }, { cause: error });
  }
}

/** What is known of where it is becomes what a person wants dialled. */
async function approvePeer(context: CommandContext, { nodeId }: CommandParams<"peer-approve">): Promise<null> {
  editable(context, nodeId);
  rowOf(context, nodeId);
  const authored = context.documents.federation?.peers.find(({ nodeID }) => nodeID === nodeId)?.endpoints ?? [];
  const learnt = context.seen().find((peer) => peer.nodeId === nodeId)?.endpoints ?? [];
  const endpoints = authored.length > 0 ? authored : learnt;
  if (endpoints.length === 0) throw new ControlError("ENDPOINT_UNKNOWN", { nodeId });
  await context.documents.addPeer(nodeId, endpoints);
  return null;
}

async function addPolicy(context: CommandContext, policy: PolicyEntry): Promise<null> {
  editable(
    context,
    policy.peers?.find((peer) => peer === context.nodeId()),
  );
  const held = policyOf(context, policy.name);
  if (held !== undefined && JSON.stringify(held) !== JSON.stringify(policy)) {
    throw new ControlError("POLICY_EXISTS", { name: policy.name });
  }
  if (held === undefined) await context.documents.addPolicy(policy);
  return null;
}
