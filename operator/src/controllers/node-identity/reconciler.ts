/**
 * Keeps the four Secrets with a node's keys: identity, service keys, admin TLS, access token.
 *
 * Created by create alone, so that nothing that exists is overwritten; renewed by a patch that is bound to the version
 * read. An identity that is gone or changed is a fact for the status, and nothing is made in its place.
 */
import type { ArchiveNode } from "@archivestream/crds";
import { KubeError } from "../../kube/api-errors.ts";
import type { IdentityFact } from "../facts.ts";
import { forbiddenMessage, wholeSeconds } from "../kstatus.ts";
import { adminServerName, childNames } from "../names.ts";
import { keyText, type ObjectKey } from "../objects.ts";
import { together } from "../together.ts";
import { accessToken } from "./access-token.ts";
import { isDue } from "./certificates.ts";
import { type EnsureDeps, ensureSecret } from "./ensure-secret.ts";
import { IdentityError } from "./errors.ts";
import type { Identity, SecretData } from "./identity-key.ts";
import { ensureIdentity, findIdentity, identitySecretName } from "./identity-secret.ts";
import { adminTlsRenewal, makeAdminTls, type OperatorAuthority } from "./operator-ca.ts";
import type { SecretWatch } from "./secret-watch.ts";
import { type Freshness, LAG_MS } from "./seen-secrets.ts";
import { inspectServiceKeys, makeServiceKeys, type ServiceKeysState } from "./service-keys.ts";

export interface NodeIdentityDeps {
  readonly archiveNodes: { get(key: ObjectKey): ArchiveNode | undefined };
  readonly secrets: SecretStore;
  /** Of Secrets that carry no label of ours. */
  readonly watch: Pick<SecretWatch, "want" | "forget" | "version" | "isLive">;
  /** The operator's CA; undefined until the leader has made or read it. */
  readonly authority: () => OperatorAuthority | undefined;
  /** A node that was deleted meanwhile, or made anew, has another UID or none. */
  readonly putIdentity: (node: ArchiveNode["metadata"], fact: IdentityFact) => void;
  readonly now: () => Date;
}

export type SecretStore = EnsureDeps["secrets"] & {
  forget(key: ObjectKey): void;
};

/** Milliseconds until something is due; undefined when only an event can bring work. */
export type RecheckAfter = number | undefined;

/** The admin certificate is for every pod of the node, so that scaling needs no new one; nothing else is named there. */
const ANY_POD = "*";
/** A lost CA or a Secret that is being made elsewhere is looked at again. */
const RETRY_MS = 5_000;
/** While the watch of a namespace is down, Secrets that users named are read this often. */
const UNWATCHED_RECHECK_MS = 60_000;

interface Settled {
  readonly of: string;
  /** A clock that was set back since has nothing to say about the due time. */
  readonly sinceMs: number;
  readonly dueMs: number;
  /** Of the identity found. A status that does not show it yet changes nothing; one that shows another does. */
  readonly nodeID: string | undefined;
}

export function createNodeIdentityReconciler(deps: NodeIdentityDeps) {
  /** What was found in order, and until when it stays so. By `namespace/name`. */
  const settled = new Map<string, Settled>();
  const forget = (key: ObjectKey): undefined => {
    settled.delete(keyText(key));
    deps.watch.forget(key);
    for (const secret of keySecrets(key)) deps.secrets.forget(secret);
  };
  return async (key: ObjectKey, signal: AbortSignal): Promise<RecheckAfter> => {
    const node = deps.archiveNodes.get(key);
    if (node === undefined || node.metadata.deletionTimestamp !== undefined) return forget(key);
    const of = fingerprint(deps, node);
    const nowMs = deps.now().getTime();
    const restMs = stillSettledMs(deps, node, { known: settled.get(keyText(key)), of, nowMs });
    if (restMs !== undefined) return restMs;
    settled.delete(keyText(key));
    const { recheckMs, nodeID } = await reconcileOrTell(deps, node, signal);
    if (!isNoticed(deps, node)) return Math.min(recheckMs ?? UNWATCHED_RECHECK_MS, UNWATCHED_RECHECK_MS);
    if (recheckMs !== undefined) settled.set(keyText(key), { of, sinceMs: nowMs, dueMs: nowMs + recheckMs, nodeID });
    return recheckMs;
  };
}

/** @returns milliseconds until it is due; undefined when something must be looked at now */
function stillSettledMs(
  deps: NodeIdentityDeps,
  node: ArchiveNode,
  { known, of, nowMs }: { readonly known: Settled | undefined; readonly of: string; readonly nowMs: number },
): number | undefined {
  if (known === undefined || known.of !== of || !isNoticed(deps, node)) return undefined;
  if (nowMs < known.sinceMs || nowMs >= known.dueMs) return undefined;
  const freshness = freshnessOf(deps, node, known);
  if (freshness === "changed") return undefined;
  return Math.min(known.dueMs - nowMs, freshness === "lagging" ? LAG_MS : Infinity);
}

async function reconcileOrTell(deps: NodeIdentityDeps, node: ArchiveNode, signal: AbortSignal): Promise<Reconciled> {
  try {
    return await reconcileKeys(deps, node, signal);
  } catch (error) {
    const blocked = blockedBy(error);
    if (blocked !== undefined) deps.putIdentity(node.metadata, blocked);
    throw error; // what only a person can mend is tried again all the same, with a growing pause
  }
}

function blockedBy(error: unknown): IdentityFact | undefined {
  if (error instanceof KubeError && error.code === "FORBIDDEN") {
    const said = error.details.message ?? error.details.reason ?? "";
    return { state: "blocked", reason: "Forbidden", message: forbiddenMessage(said) };
  }
  if (!(error instanceof IdentityError)) return undefined;
  const { secret, field, reason } = error.details as IdentityError["details"];
  return {
    state: "blocked",
    reason: "SecretInvalid",
    message: `Secret ${secret}: ${field} ${reason}; correct or delete it`,
  };
}

/** A change of the identity Secret would wake this node. */
function isNoticed(deps: NodeIdentityDeps, node: ArchiveNode): boolean {
  return node.spec.identity?.secretRef === undefined || deps.watch.isLive(node.metadata.namespace);
}

function fingerprint(deps: NodeIdentityDeps, node: ArchiveNode): string {
  const { metadata } = node;
  return JSON.stringify([
    metadata.uid,
    metadata.generation,
    deps.authority()?.bundle,
    deps.watch.version({ namespace: metadata.namespace, name: identitySecretName(node) }),
  ]);
}

/** Our own Secrets of keys. What is in the recovery Secret is looked at only when the identity is made. */
function keySecrets({ namespace, name }: ObjectKey): ObjectKey[] {
  const { identity, keys, adminTls, access } = childNames(name);
  return [identity, keys, adminTls, access].map((secret) => ({ namespace, name: secret }));
}

/** Of the one that tells most. */
function freshnessOf(deps: NodeIdentityDeps, node: ArchiveNode, known: Settled): Freshness {
  const shown = node.status?.nodeID;
  if (shown !== undefined && shown !== known.nodeID) return "changed";
  // A Secret that a user named is followed by the watch, and is part of the fingerprint.
  const isNamed = node.spec.identity?.secretRef !== undefined;
  const found = keySecrets(node.metadata)
    .slice(isNamed ? 1 : 0)
    .map((secret) => deps.secrets.freshness(secret));
  if (found.includes("changed")) return "changed";
  return found.includes("lagging") ? "lagging" : "same";
}

interface Reconciled {
  readonly recheckMs: RecheckAfter;
  readonly nodeID?: string;
}

async function reconcileKeys(deps: NodeIdentityDeps, node: ArchiveNode, signal: AbortSignal): Promise<Reconciled> {
  const isSuspended = node.spec.suspend === true;
  const identity = await (isSuspended ? findIdentity : ensureIdentity)(deps, node, signal);
  const isAbsent = identity === undefined || "state" in identity;
  // A lost Secret of ours may be restored by hand, without the label that our own watch looks for.
  if (isAbsent || node.spec.identity?.secretRef !== undefined) deps.watch.want(node.metadata, identitySecretName(node));
  else deps.watch.forget(node.metadata);
  if (isAbsent) {
    if (identity !== undefined) deps.putIdentity(node.metadata, identity);
    return { recheckMs: undefined };
  }
  if (isSuspended) return reportKeys(deps, node, identity, signal);
  const [keys, adminDue] = await together([
    ensureServiceKeys(deps, node, identity, signal),
    ensureAdminTls(deps, node, signal),
    ensureAccess(deps, node, signal),
  ]);
  const { nodeID } = identity;
  // Not before all Secrets are usable: a fact that comes and goes with each try would make the node ready in between.
  deps.putIdentity(node.metadata, { state: "present", nodeID, certificate: certificateFact(keys) });
  if (adminDue === "no-authority") return { recheckMs: RETRY_MS, nodeID };
  const due = Math.min(keys.renewAfter.getTime(), adminDue.getTime());
  return { recheckMs: Math.max(RETRY_MS, due - deps.now().getTime()), nodeID };
}

/** What a suspended node has is told, and not renewed. */
async function reportKeys(
  deps: NodeIdentityDeps,
  { metadata }: ArchiveNode,
  identity: Identity,
  signal: AbortSignal,
): Promise<Reconciled> {
  const { namespace, name } = metadata;
  const secret = childNames(name).keys;
  const data = (await deps.secrets.read({ namespace, name: secret }, signal))?.data ?? {};
  const keys = inspectServiceKeys(secret, data, identity);
  const { nodeID } = identity;
  if (keys !== "unusable") deps.putIdentity(metadata, { state: "present", nodeID, certificate: certificateFact(keys) });
  return { recheckMs: undefined, nodeID };
}

function certificateFact(keys: ServiceKeysState) {
  return { notAfter: wholeSeconds(keys.notAfter), renewAfter: wholeSeconds(keys.renewAfter), serial: keys.serial };
}

async function ensureServiceKeys(
  deps: NodeIdentityDeps,
  node: ArchiveNode,
  identity: Identity,
  signal: AbortSignal,
): Promise<ServiceKeysState> {
  const name = childNames(node.metadata.name).keys;
  const { secret, state } = await ensureSecret(deps, node, name, signal, {
    inspect: (data) => {
      const found = inspectServiceKeys(name, data, identity);
      return found === "unusable" || isDue(found, deps.now()) ? undefined : found;
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
  const inspect = (data: SecretData) => accessToken.inspect(name, data);
  await ensureSecret(deps, node, name, signal, { ...accessToken, inspect });
}

async function ensureAdminTls(
  deps: NodeIdentityDeps,
  node: ArchiveNode,
  signal: AbortSignal,
): Promise<Date | "no-authority"> {
  const authority = deps.authority();
  if (authority === undefined) return "no-authority";
  const { name, namespace } = node.metadata;
  const servers = [adminServerName(name, ANY_POD, namespace)];
  const { secret, state } = await ensureSecret(deps, node, childNames(name).adminTls, signal, {
    inspect: (data) => {
      const due = adminTlsRenewal(data, authority, deps.now());
      return due === "now" || due <= deps.now() ? undefined : due;
    },
    make: () => makeAdminTls(authority, servers, deps.now()),
  });
  if (state !== undefined) return state;
  const due = adminTlsRenewal(secret.data ?? {}, authority, deps.now());
  return due === "now" ? deps.now() : due;
}

/** Names under which clients inside the cluster reach the `federation` port. */
function serviceNames({ metadata: { name, namespace } }: ArchiveNode): string[] {
  const { service } = childNames(name);
  return [service, `${service}.${namespace}`, `${service}.${namespace}.svc`, "localhost"];
}
