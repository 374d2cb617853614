/**
 * The Secret with a node's identity: found, made once, or reported as missing. Never overwritten, never made again.
 *
 * The recovery key's private half is in a Secret of its own, so that it can be taken out of the cluster by deleting one
 * object. It is made first: an identity names the recovery key, and a crash between the two must not lose it.
 */
import type { ArchiveNode } from "@archivestream/crds";
import type { IdentityFact } from "../facts.ts";
import { childNames } from "../names.ts";
import type { ObjectKey, SecretObject } from "../objects.ts";
import { IdentityError } from "./errors.ts";
import { generateIdentity, generateRecovery, type Identity, readIdentity, recoveryPublic } from "./identity-key.ts";
import { keptSecret } from "./secrets.ts";

export interface IdentitySecretDeps {
  readonly secrets: IdentitySecretStore;
}

export interface IdentitySecretStore {
  /** From the API server. */
  read(key: ObjectKey, signal: AbortSignal): Promise<SecretObject | undefined>;
  /** @returns the object, or `"exists"` when somebody else was first */
  create(secret: object, signal: AbortSignal): Promise<SecretObject | "exists">;
  /** Merges into the metadata, and fails when the Secret is no longer the version given. */
  patchMetadata(secret: Pick<SecretObject, "metadata">, metadata: object, signal: AbortSignal): Promise<void>;
  /** As cached, and only if it carries our labels. */
  cachedMetadata(key: ObjectKey): SecretObject["metadata"] | undefined;
}

/** Why there is no identity to work with. */
type Absence = Exclude<IdentityFact, { readonly state: "present" }>;
export type IdentityOrAbsence = Identity | Absence;

/** Name of the Secret that holds a node's identity, in its namespace. */
export function identitySecretName(node: ArchiveNode): string {
  return node.spec.identity?.secretRef?.name ?? childNames(node.metadata.name).identity;
}

/** @throws {IdentityError} BAD_KEY: the recovery Secret holds no usable key */
export async function ensureIdentity(
  deps: IdentitySecretDeps,
  node: ArchiveNode,
  signal: AbortSignal,
): Promise<IdentityOrAbsence> {
  const expected = expectedOf(node);
  const { name, known, isNamed } = expected;
  const found = await deps.secrets.read({ namespace: node.metadata.namespace, name }, signal);
  const secret = found ?? (isNamed || known !== undefined ? undefined : await make(deps, node, signal));
  if (secret !== undefined && !isNamed) await keep(deps, node, secret, signal);
  return secret === undefined ? absenceOf(expected) : identityOf(secret, expected);
}

/**
 * The identity as it is found, with nothing made and nothing labelled.
 *
 * @returns undefined while a node of which nobody knows has none
 */
export async function findIdentity(
  deps: IdentitySecretDeps,
  node: ArchiveNode,
  signal: AbortSignal,
): Promise<IdentityOrAbsence | undefined> {
  const expected = expectedOf(node);
  const { name, known, isNamed } = expected;
  const found = await deps.secrets.read({ namespace: node.metadata.namespace, name }, signal);
  if (found !== undefined) return identityOf(found, expected);
  return isNamed || known !== undefined ? absenceOf(expected) : undefined;
}

function expectedOf(node: ArchiveNode): Expected {
  const isNamed = node.spec.identity?.secretRef !== undefined;
  return { name: identitySecretName(node), known: node.status?.nodeID, isNamed };
}

function absenceOf({ name, known }: Expected): Absence {
  return known === undefined ? notThereYet(name) : { state: "lost", message: goneMessage(name) };
}

async function make(
  deps: IdentitySecretDeps,
  node: ArchiveNode,
  signal: AbortSignal,
): Promise<SecretObject | undefined> {
  const { identity, recovery } = childNames(node.metadata.name);
  const recoveryData = await ensureRecovery(deps, node, signal);
  const data = generateIdentity(recoveryPublic(recovery, recoveryData));
  const created = await deps.secrets.create(keptSecret(node, identity, data), signal);
  if (created !== "exists") return created;
  return deps.secrets.read({ namespace: node.metadata.namespace, name: identity }, signal);
}

/** Of a Secret that is there already, made before a crash or by a user who keeps the private half elsewhere. */
async function ensureRecovery(deps: IdentitySecretDeps, node: ArchiveNode, signal: AbortSignal) {
  const name = childNames(node.metadata.name).recovery;
  const created = await deps.secrets.create(keptSecret(node, name, generateRecovery()), signal);
  if (created !== "exists") return created.data ?? {};
  return (await deps.secrets.read({ namespace: node.metadata.namespace, name }, signal))?.data ?? {};
}

/** Labels, so that a change is seen (a Secret restored by hand has none), and the owner that retention asks for. */
async function keep(deps: IdentitySecretDeps, node: ArchiveNode, identity: SecretObject, signal: AbortSignal) {
  const { namespace, name } = node.metadata;
  const recovery = deps.secrets.cachedMetadata({ namespace, name: childNames(name).recovery });
  for (const { metadata } of [identity, ...(recovery === undefined ? [] : [{ metadata: recovery }])]) {
    const { labels, ownerReferences: wanted = [] } = keptSecret(node, metadata.name, {}).metadata;
    const owners = metadata.ownerReferences ?? [];
    const nodeOwners = owners.filter((owner) => owner.kind === "ArchiveNode").map((owner) => owner.uid);
    const isOwned = nodeOwners.join() === wanted.map((owner) => owner.uid).join();
    const isLabelled = Object.entries(labels).every(([label, value]) => metadata.labels?.[label] === value);
    if (isOwned && isLabelled) continue;
    const others = owners.filter((owner) => owner.kind !== "ArchiveNode");
    await deps.secrets.patchMetadata({ metadata }, { labels, ownerReferences: [...others, ...wanted] }, signal);
  }
}

interface Expected {
  readonly name: string;
  readonly known: string | undefined;
  readonly isNamed: boolean;
}

function identityOf(secret: SecretObject, { name, known, isNamed }: Expected): IdentityOrAbsence {
  try {
    const identity = readIdentity(name, secret.data ?? {});
    if (known === undefined || identity.nodeID === known) return identity;
    const message = `Secret ${name} holds the key of another node (${identity.nodeID}), not of status.nodeID; restore the Secret from a backup`;
    return { state: "lost", message };
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error;
    const { field, reason } = error.details as IdentityError["details"];
    const wrong = `Secret ${name}: ${field} ${reason}`;
    if (known === undefined && isNamed)
      return { state: "awaited", reason: "SecretInvalid", message: `${wrong}; put an Ed25519 key in PKCS#8 PEM there` };
    return { state: "lost", message: `${wrong}; restore the Secret from a backup` };
  }
}

function notThereYet(name: string): Absence {
  const message = `Secret ${name}, which spec.identity.secretRef names, does not exist; create it with an Ed25519 key in PKCS#8 PEM under identity.key`;
  return { state: "awaited", reason: "SecretNotFound", message };
}

function goneMessage(name: string): string {
  return `Secret ${name} is gone, and peers know this node by its key; restore the Secret from a backup. To begin anew as a stranger, delete this ArchiveNode and make another`;
}
