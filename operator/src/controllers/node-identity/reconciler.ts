/**
 * Keeps the four Secrets with a node's keys: identity, service keys, admin TLS, access token.
 *
 * Created by create alone, so that nothing that exists is overwritten; renewed by a patch that is bound to the version
 * read. An identity that is gone or changed is a fact for the status, and nothing is made in its place.
 */
import type { ArchiveNode } from "@archivestream/crds";
import type { IdentityFact } from "../facts.ts";
import { wholeSeconds } from "../kstatus.ts";
import { adminServerName, childNames, podName } from "../names.ts";
import { keyText, type ObjectKey, type SecretObject } from "../objects.ts";
import { accessToken } from "./access-token.ts";
import { IdentityError } from "./errors.ts";
import { generateIdentity, type Identity, readIdentity, type SecretData } from "./identity-key.ts";
import { adminTlsRenewal, makeAdminTls, type OperatorAuthority } from "./operator-ca.ts";
import { childSecret, identitySecret } from "./secrets.ts";
import { inspectServiceKeys, makeServiceKeys, type ServiceKeysState } from "./service-keys.ts";

export interface NodeIdentityDeps {
  readonly archiveNodes: { get(key: ObjectKey): ArchiveNode | undefined };
  readonly secrets: SecretStore;
  /** Versions of the node's Secrets as cached: while they stay the same, nothing is read again before it is due. */
  readonly versions: (node: ArchiveNode) => string;
  /** The operator's CA; undefined until the leader has made or read it. */
  readonly authority: () => OperatorAuthority | undefined;
  readonly putIdentity: (node: string, fact: IdentityFact) => void;
  readonly now: () => Date;
}

export interface SecretStore {
  /** From the API server, unless the version last read is still the current one. */
  read(key: ObjectKey, signal: AbortSignal): Promise<SecretObject | undefined>;
  /** @returns the object, or `"exists"` when somebody else was first */
  create(secret: object, signal: AbortSignal): Promise<SecretObject | "exists">;
  /** Replaces `data`, and fails when the Secret is no longer the version given. */
  replaceData(secret: SecretObject, data: SecretData, signal: AbortSignal): Promise<SecretObject>;
  setOwner(secret: SecretObject, owner: object | undefined, signal: AbortSignal): Promise<SecretObject>;
}

/** Milliseconds until something is due; undefined when only an event can bring work. */
export type RecheckAfter = number | undefined;

/** Ordinals a node can have: its admin certificate names every one, so that scaling needs no new certificate. */
const MAX_REPLICAS = 32;
/** A lost CA or a Secret that is being made elsewhere is looked at again. */
const RETRY_MS = 5_000;

export function createNodeIdentityReconciler(deps: NodeIdentityDeps) {
  /** What was found in order, and until when it stays so. By `namespace/name`. */
  const settled = new Map<string, { readonly of: string; readonly dueMs: number }>();
  return async (key: ObjectKey, signal: AbortSignal): Promise<RecheckAfter> => {
    const node = deps.archiveNodes.get(key);
    if (node === undefined || node.metadata.deletionTimestamp !== undefined) {
      settled.delete(keyText(key));
      return undefined;
    }
    const state = fingerprint(deps, node);
    const known = settled.get(keyText(key));
    const nowMs = deps.now().getTime();
    if (known !== undefined && known.of === state && nowMs < known.dueMs) return known.dueMs - nowMs;
    settled.delete(keyText(key));
    const recheckMs = await reconcileKeys(deps, node, signal);
    // A Secret that a user named is not watched, so it is read every time.
    if (recheckMs !== undefined && node.spec.identity?.secretRef === undefined)
      settled.set(keyText(key), { of: state, dueMs: nowMs + recheckMs });
    return recheckMs;
  };
}

function fingerprint(deps: NodeIdentityDeps, node: ArchiveNode): string {
  const { metadata, status } = node;
  return JSON.stringify([
    metadata.uid,
    metadata.generation,
    status?.nodeID,
    deps.authority()?.bundle,
    deps.versions(node),
  ]);
}

async function reconcileKeys(deps: NodeIdentityDeps, node: ArchiveNode, signal: AbortSignal): Promise<RecheckAfter> {
  const key = keyText(node.metadata);
  const identity = await ensureIdentity(deps, node, signal);
  if ("lost" in identity) {
    deps.putIdentity(key, { state: "lost", message: identity.lost });
    return undefined;
  }
  const keys = await ensureServiceKeys(deps, node, identity, signal);
  deps.putIdentity(key, { state: "present", nodeID: identity.nodeID, certificate: certificateFact(keys) });
  await ensureAccess(deps, node, signal);
  const adminDue = await ensureAdminTls(deps, node, signal);
  if (adminDue === "no-authority") return RETRY_MS;
  const due = Math.min(keys.renewAfter.getTime(), adminDue.getTime());
  return Math.max(RETRY_MS, due - deps.now().getTime());
}

function certificateFact(keys: ServiceKeysState) {
  return { notAfter: wholeSeconds(keys.notAfter), renewAfter: wholeSeconds(keys.renewAfter), serial: keys.serial };
}

async function ensureIdentity(
  deps: NodeIdentityDeps,
  node: ArchiveNode,
  signal: AbortSignal,
): Promise<Identity | { readonly lost: string }> {
  const own = node.spec.identity?.secretRef === undefined;
  const name = node.spec.identity?.secretRef?.name ?? childNames(node.metadata.name).identity;
  const key = { namespace: node.metadata.namespace, name };
  const known = node.status?.nodeID;
  let secret = await deps.secrets.read(key, signal);
  if (secret === undefined) {
    if (known !== undefined || !own) return { lost: goneMessage(name, known) };
    const created = await deps.secrets.create(identitySecret(node, generateIdentity()), signal);
    secret = created === "exists" ? await deps.secrets.read(key, signal) : created;
    if (secret === undefined) return { lost: goneMessage(name, known) };
  }
  if (own) await followRetention(deps, node, secret, signal);
  return identityOf(name, secret, known);
}

function identityOf(
  name: string,
  secret: SecretObject,
  known: string | undefined,
): Identity | { readonly lost: string } {
  try {
    const identity = readIdentity(name, secret.data ?? {});
    if (known === undefined || identity.nodeID === known) return identity;
    return {
      lost: `Secret ${name} holds the key of another node (${identity.nodeID}), not of status.nodeID; restore the Secret from a backup`,
    };
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error;
    const { field, reason } = error.details as IdentityError["details"];
    return { lost: `Secret ${name}: ${field} ${reason}; restore the Secret from a backup` };
  }
}

function goneMessage(name: string, known: string | undefined): string {
  if (known === undefined)
    return `Secret ${name}, which spec.identity.secretRef names, does not exist; create it with key identity.key`;
  return `Secret ${name} is gone, and peers know this node by its key; restore the Secret from a backup. To begin anew as a stranger, delete this ArchiveNode and make another`;
}

/** With retention Retain the identity outlives the ArchiveNode, so it must not be owned by it. */
async function followRetention(deps: NodeIdentityDeps, node: ArchiveNode, secret: SecretObject, signal: AbortSignal) {
  const wanted = identitySecret(node, {}).metadata.ownerReferences?.[0];
  const owned = secret.metadata.ownerReferences?.some((owner) => owner.uid === node.metadata.uid) ?? false;
  if (owned === (wanted !== undefined)) return;
  await deps.secrets.setOwner(secret, wanted, signal);
}

async function ensureServiceKeys(
  deps: NodeIdentityDeps,
  node: ArchiveNode,
  identity: Identity,
  signal: AbortSignal,
): Promise<ServiceKeysState> {
  const name = childNames(node.metadata.name).keys;
  const { secret, state } = await ensure(deps, node, name, signal, {
    inspect: (data) => {
      const found = inspectServiceKeys(name, data, identity);
      return found === "unusable" || found.renewAfter <= deps.now() ? undefined : found;
    },
    make: () => makeServiceKeys(identity, serviceNames(node), deps.now()),
  });
  if (state !== undefined) return state;
  const made = inspectServiceKeys(name, secret.data ?? {}, identity);
  if (made === "unusable")
    throw new IdentityError("BAD_KEY", {
      secret: name,
      field: "delegation.json",
      reason: "was made and cannot be read",
    });
  return made;
}

async function ensureAccess(deps: NodeIdentityDeps, node: ArchiveNode, signal: AbortSignal): Promise<void> {
  const name = childNames(node.metadata.name).access;
  // A token that a user put there is as good as ours; only an empty one is replaced.
  await ensure(deps, node, name, signal, accessToken);
}

async function ensureAdminTls(
  deps: NodeIdentityDeps,
  node: ArchiveNode,
  signal: AbortSignal,
): Promise<Date | "no-authority"> {
  const authority = deps.authority();
  if (authority === undefined) return "no-authority";
  const { name, namespace } = node.metadata;
  const servers = Array.from({ length: MAX_REPLICAS }, (_, ordinal) =>
    adminServerName(name, podName(name, ordinal), namespace),
  );
  const { secret, state } = await ensure(deps, node, childNames(name).adminTls, signal, {
    inspect: (data) => {
      const due = adminTlsRenewal(data, authority);
      return due === "now" || due <= deps.now() ? undefined : due;
    },
    make: () => makeAdminTls(authority, servers, deps.now()),
  });
  if (state !== undefined) return state;
  const due = adminTlsRenewal(secret.data ?? {}, authority);
  return due === "now" ? deps.now() : due;
}

interface Recipe<S> {
  /** State of usable content; undefined when it has to be made. */
  readonly inspect: (data: SecretData) => S | undefined;
  readonly make: () => Promise<SecretData>;
}

/** The Secret with usable content: as found, renewed, or created. */
async function ensure<S>(
  deps: NodeIdentityDeps,
  node: ArchiveNode,
  name: string,
  signal: AbortSignal,
  recipe: Recipe<S>,
): Promise<{ readonly secret: SecretObject; readonly state: S | undefined }> {
  const key = { namespace: node.metadata.namespace, name };
  let found = await deps.secrets.read(key, signal);
  if (found === undefined) {
    const created = await deps.secrets.create(childSecret(node, name, await recipe.make()), signal);
    if (created !== "exists") return { secret: created, state: undefined };
    found = await deps.secrets.read(key, signal);
    if (found === undefined) throw new IdentityError("BAD_KEY", { secret: name, field: "", reason: "comes and goes" });
  }
  const state = recipe.inspect(found.data ?? {});
  if (state !== undefined) return { secret: found, state };
  return { secret: await deps.secrets.replaceData(found, await recipe.make(), signal), state: undefined };
}

/** Names under which clients inside the cluster reach the `federation` port. */
function serviceNames(node: ArchiveNode): string[] {
  const { name, namespace } = node.metadata;
  const service = childNames(name).service;
  const advertised = node.spec.endpoint?.advertised;
  return [
    service,
    `${service}.${namespace}`,
    `${service}.${namespace}.svc`,
    "localhost",
    ...(advertised === undefined ? [] : [new URL(advertised).hostname]),
  ];
}
