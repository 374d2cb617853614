/** Holds the operator's CA while this process leads: reads it, makes the first one, rotates it when due. */
import { LABEL_VALUES, LABELS } from "@archivestream/crds";
import { keyText, type ObjectKey, type SecretObject } from "../objects.ts";
import { type Dated, isDue } from "./certificates.ts";
import {
  AUTHORITY_SECRET,
  makeAdminClient,
  type OperatorAuthority,
  readAuthority,
  renewAuthority,
} from "./operator-ca.ts";
import type { SecretStore } from "./reconciler.ts";

export interface AuthorityKeeperDeps {
  readonly secrets: SecretStore;
  /** The operator's own namespace. */
  readonly namespace: string;
  /** The CA is another one than before: every admin certificate is due. */
  readonly changed: () => void;
  readonly now: () => Date;
}

/** PEM texts; the same object until one of them changes. */
export interface AdminClientCredentials {
  readonly key: string;
  readonly certificate: string;
  readonly ca: string;
}

export class AuthorityKeeper {
  readonly #deps: AuthorityKeeperDeps;
  #authority: OperatorAuthority | undefined;
  #client: (AdminClientCredentials & Dated) | undefined;

  constructor(deps: AuthorityKeeperDeps) {
    this.#deps = deps;
  }

  /** Undefined until {@link ensure} has succeeded once. */
  get authority(): OperatorAuthority | undefined {
    return this.#authority;
  }

  /** What the operator shows to pods; undefined until {@link ensure} has succeeded once. */
  get credentials(): AdminClientCredentials | undefined {
    return this.#client;
  }

  /** Brings CA and client certificate up to date. Safe to repeat; writes only when something is due. */
  async ensure(signal: AbortSignal): Promise<void> {
    const now = this.#deps.now();
    const authority = await this.#currentAuthority(now, signal);
    const changed = authority.bundle !== this.#authority?.bundle;
    if (changed || this.#client === undefined || isDue(this.#client, now)) {
      this.#client = { ...(await makeAdminClient(authority, now)), ca: authority.bundle };
    }
    this.#authority = authority;
    if (changed) this.#deps.changed();
  }

  async #currentAuthority(now: Date, signal: AbortSignal): Promise<OperatorAuthority> {
    const key: ObjectKey = { namespace: this.#deps.namespace, name: AUTHORITY_SECRET };
    const stored = await this.#deps.secrets.read(key, signal);
    if (stored === undefined) {
      const created = await this.#deps.secrets.create(newSecret(key, await renewAuthority(undefined, now)), signal);
      if (created !== "exists") return readAuthority(created.data ?? {});
      return this.#currentAuthority(now, signal);
    }
    const authority = readOrUndefined(stored);
    if (authority !== undefined && !isDue(authority, now)) return authority;
    const next = await this.#deps.secrets.replaceData(stored, await renewAuthority(authority, now), signal);
    const read = readOrUndefined(next);
    if (read === undefined) throw new TypeError(`Secret ${keyText(key)} cannot be read after it was written`);
    return read;
  }
}

function readOrUndefined(secret: SecretObject) {
  try {
    return readAuthority(secret.data ?? {});
  } catch {
    return undefined; // emptied or garbage: a new CA is made, and the pods take it
  }
}

function newSecret({ namespace, name }: ObjectKey, data: Readonly<Record<string, string>>): object {
  const labels = { [LABELS.appManagedBy]: LABEL_VALUES.appManagedBy, [LABELS.appPartOf]: LABEL_VALUES.appPartOf };
  return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace, labels }, type: "Opaque", data };
}
