/** One of a node's own Secrets with usable content: as found, renewed, or created; never overwritten by a create. */
import type { ArchiveNode } from "@archivestream/crds";
import type { ObjectKey, SecretObject } from "../objects.ts";
import { isOrphan } from "../orphan.ts";
import { IdentityError } from "./errors.ts";
import type { SecretData } from "./identity-key.ts";
import type { IdentitySecretStore } from "./identity-secret.ts";
import { childSecret } from "./secrets.ts";
import type { Freshness } from "./seen-secrets.ts";

export interface EnsureDeps {
  readonly secrets: IdentitySecretStore & {
    /** Replaces `data`, and fails when the Secret is no longer the version given. */
    replaceData(secret: SecretObject, data: SecretData, signal: AbortSignal): Promise<SecretObject>;
    /** Whether the Secret is what was last read or written: while it is, it is not read again before it is due. */
    freshness(key: ObjectKey): Freshness;
  };
}

interface Recipe<S> {
  /** State of usable content; undefined when it has to be made. */
  readonly inspect: (data: SecretData) => S | undefined;
  readonly make: () => Promise<SecretData>;
}

/** The Secret with usable content: as found, renewed, or created. */
export async function ensureSecret<S>(
  deps: EnsureDeps,
  node: ArchiveNode,
  name: string,
  signal: AbortSignal,
  recipe: Recipe<S>,
): Promise<{ readonly secret: SecretObject; readonly state: S | undefined }> {
  const key = { namespace: node.metadata.namespace, name };
  // Not cached means hardly ever there: made by a user, without our labels. Then the create says so.
  const isCached = deps.secrets.cachedMetadata(key) !== undefined;
  let found = isCached || deps.secrets.freshness(key) === "lagging" ? await deps.secrets.read(key, signal) : undefined;
  if (found === undefined) {
    const created = await deps.secrets.create(childSecret(node, name, await recipe.make()), signal);
    if (created !== "exists") return { secret: created, state: undefined };
    found = await deps.secrets.read(key, signal);
    if (found === undefined) throw new IdentityError("BAD_KEY", { secret: name, field: "", reason: "comes and goes" });
  }
  const state = recipe.inspect(found.data ?? {});
  if (state !== undefined) {
    await takeUp(deps, node, found, signal);
    return { secret: found, state };
  }
  return { secret: await deps.secrets.replaceData(found, await recipe.make(), signal), state: undefined };
}

/** A Secret that was restored without its owner leaves with the node again. */
async function takeUp(
  deps: EnsureDeps,
  node: ArchiveNode,
  { metadata }: SecretObject,
  signal: AbortSignal,
): Promise<void> {
  const { labels, ownerReferences } = childSecret(node, metadata.name, {}).metadata;
  if (!isOrphan(metadata, labels)) return;
  const others = metadata.ownerReferences ?? [];
  await deps.secrets.patchMetadata({ metadata }, { ownerReferences: [...others, ...(ownerReferences ?? [])] }, signal);
}
