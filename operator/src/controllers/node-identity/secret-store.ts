/**
 * Secrets with keys, read from the API server only when they changed: the cache holds their metadata alone, so that
 * private keys are in memory only while they are looked at.
 */
import { FIELD_MANAGERS } from "@archivestream/crds";
import { KubeError } from "../../kube/api-errors.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { Clock } from "../../kube/clock.ts";
import type { KubeObject } from "../../kube/objects.ts";
import type { ObjectKey, SecretObject } from "../objects.ts";
import { RESOURCES } from "../resource-types.ts";
import type { SecretStore } from "./reconciler.ts";
import { SeenSecrets } from "./seen-secrets.ts";

type LiveSecret = SecretObject & KubeObject;

export function secretStore(
  client: KubeClient,
  clock: Clock,
  cachedMetadata: SecretStore["cachedMetadata"],
): SecretStore {
  const { Secret } = RESOURCES;
  const seen = new SeenSecrets({
    cachedVersion: (key) => cachedMetadata(key)?.resourceVersion,
    monotonicMs: () => clock.monotonicMs(),
  });
  const noted = (secret: LiveSecret) => {
    const { namespace = "", name, resourceVersion } = secret.metadata;
    seen.note({ namespace, name }, resourceVersion);
    return secret;
  };
  const patch = async (secret: Pick<SecretObject, "metadata">, body: object, signal: AbortSignal) => {
    const { name, namespace, uid, resourceVersion } = secret.metadata;
    const key = namespace === undefined ? { name } : { namespace, name };
    // Bound to the version read: a Secret that changed meanwhile answers CONFLICT and is looked at again.
    const bound = { metadata: { uid, resourceVersion }, ...body };
    const options = { contentType: "application/merge-patch+json", fieldManager: FIELD_MANAGERS.node } as const;
    return noted(await client.patch<LiveSecret>({ resource: Secret, key }, bound, options, signal));
  };
  return {
    read: async (key: ObjectKey, signal) => {
      const secret = await client.get<LiveSecret>(Secret, key, signal);
      seen.note(key, secret?.metadata.resourceVersion);
      return secret;
    },
    create: async (secret, signal) => {
      try {
        return noted(await client.create(Secret, secret as LiveSecret, signal));
      } catch (error) {
        if (error instanceof KubeError && error.code === "ALREADY_EXISTS") return "exists";
        throw error;
      }
    },
    replaceData: async (secret, data, signal) => patch(secret, { data }, signal),
    patchMetadata: async ({ metadata }, changes, signal) => {
      const { uid, resourceVersion } = metadata;
      await patch({ metadata }, { metadata: { ...changes, uid, resourceVersion } }, signal);
    },
    cachedMetadata,
    freshness: (key) => seen.freshness(key),
    forget: (key) => seen.forget(key),
  };
}
