/**
 * Holds the operator's CA while this process leads: reads it, makes the first one, rotates it when due.
 *
 * What the operator shows to pods was signed by a CA that they have: after a rotation, the one before it, until its
 * certificate is due. Only a process that starts within the minute after a rotation shows a pod something too new.
 */
import { LABEL_VALUES, LABELS } from "@archivestream/crds";
import { KubeError } from "../../kube/api-errors.ts";
import { type Clock, pause } from "../../kube/clock.ts";
import { retryDelayMs } from "../../runtime/rate-limiter.ts";
import type { IdentityFact } from "../facts.ts";
import { forbiddenMessage } from "../kstatus.ts";
import { keyText, type ObjectKey, type SecretObject } from "../objects.ts";
import { type Dated, isDue, isFromTheFuture } from "./certificates.ts";
import {
  AUTHORITY_SECRET,
  type DatedAuthority,
  makeAdminClient,
  type OperatorAuthority,
  readAuthority,
  readKnownAuthority,
  renewAuthority,
} from "./operator-ca.ts";
import type { SecretStore } from "./reconciler.ts";

export interface AuthorityKeeperDeps {
  readonly secrets: Pick<SecretStore, "read" | "create" | "replaceData">;
  /** The operator's own namespace. */
  readonly namespace: string;
  /** The CA is another one than before: every admin certificate is due. */
  readonly changed: () => void;
  /** CA or client certificate could not be brought up to date; what there is stays in use. */
  readonly failed: (error: unknown) => void;
  readonly clock: Clock;
  /** Draws from [0, 1). */
  readonly random: () => number;
}

/** PEM texts; the same object until one of them changes. */
export interface AdminClientCredentials {
  readonly key: string;
  readonly certificate: string;
  readonly ca: string;
}

interface Client extends AdminClientCredentials, Dated {
  /** PEM of the CA that signed it. */
  readonly issuer: string;
}

type Blocked = Extract<IdentityFact, { readonly state: "blocked" }>;

/** The CA is looked at this often; it is due every few years, the operator's own certificate every few days. */
const LOOK_MS = 600_000;
/** The first pause after a failure; those of the API server's own making end soon. */
const RETRY_MS = 2_000;

export class AuthorityKeeper {
  readonly #deps: AuthorityKeeperDeps;
  readonly #key: ObjectKey;
  #authority: OperatorAuthority | undefined;
  #client: Client | undefined;
  #blocked: Blocked | undefined;

  constructor(deps: AuthorityKeeperDeps) {
    this.#deps = deps;
    this.#key = { namespace: deps.namespace, name: AUTHORITY_SECRET };
  }

  /** Undefined until a CA was read or made. */
  get authority(): OperatorAuthority | undefined {
    return this.#authority;
  }

  /** What the operator shows to pods; undefined until a CA was read or made. */
  get credentials(): AdminClientCredentials | undefined {
    return this.#client;
  }

  /** Why there is no CA, when only a person can mend that: it is so for every node. */
  get blocked(): Blocked | undefined {
    return this.#authority === undefined ? this.#blocked : undefined;
  }

  /** Keeps CA and client certificate up to date until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, failed, random } = this.#deps;
    for (let failures = 0; !signal.aborted; ) {
      const error = await this.ensure(signal).then(
        () => undefined,
        (thrown: unknown) => thrown ?? new Error("unknown"),
      );
      if (signal.aborted) return;
      this.#blocked = blockedBy(error, this.#key);
      if (error === undefined) failures = 0;
      else failed(error);
      const retryMs = error === undefined ? LOOK_MS : Math.max(RETRY_MS, retryDelayMs(error, failures++, random));
      await pause(clock, retryMs, signal);
    }
  }

  /**
   * Brings CA and client certificate up to date. Safe to repeat; writes only when something is due.
   *
   * @throws {KubeError} the CA cannot be read, made or rotated; one that is due is used meanwhile
   */
  async ensure(signal: AbortSignal): Promise<void> {
    const now = new Date(this.#deps.clock.now());
    const stored = await this.#deps.secrets.read(this.#key, signal);
    const found = stored === undefined ? undefined : readOrUndefined(stored);
    if (found !== undefined && isValid(found, now)) await this.#adopt(found, now);
    if (found !== undefined && !isDue(found, now)) return;
    await this.#adopt(await this.#renew(stored, now, signal), now);
  }

  async #adopt(authority: OperatorAuthority, now: Date): Promise<void> {
    this.#client = await clientOf(authority, this.#client, now);
    const changed = authority.bundle !== this.#authority?.bundle;
    this.#authority = authority;
    if (changed) this.#deps.changed();
  }

  async #renew(stored: SecretObject | undefined, now: Date, signal: AbortSignal): Promise<OperatorAuthority> {
    const { secrets } = this.#deps;
    const data = await renewAuthority(readKnownAuthority(stored?.data ?? {}), now);
    const written =
      stored === undefined
        ? await secrets.create(newSecret(this.#key, data), signal)
        : await secrets.replaceData(stored, data, signal);
    const secret = written === "exists" ? await secrets.read(this.#key, signal) : written;
    return readAuthority(secret?.data ?? {});
  }
}

/** The one before, unless it is due or pods cannot know its CA any more. */
async function clientOf(authority: OperatorAuthority, before: Client | undefined, now: Date): Promise<Client> {
  const { bundle, certificate } = authority;
  if (before === undefined || isDue(before, now) || !bundle.includes(before.issuer))
    return { ...(await makeAdminClient(authority, now)), ca: bundle, issuer: certificate };
  return before.ca === bundle ? before : { ...before, ca: bundle };
}

function isValid(authority: DatedAuthority, now: Date): boolean {
  return !isFromTheFuture(authority, now) && now < authority.notAfter;
}

function readOrUndefined(secret: SecretObject): DatedAuthority | undefined {
  try {
    return readAuthority(secret.data ?? {});
  } catch {
    return undefined; // emptied or damaged: a new CA is made, and the pods take it
  }
}

function blockedBy(error: unknown, key: ObjectKey): Blocked | undefined {
  if (!(error instanceof KubeError) || error.code !== "FORBIDDEN") return undefined;
  const refusal = forbiddenMessage(error.details.message ?? error.details.reason ?? "");
  const message = `no pod can be asked without the operator's CA, Secret ${keyText(key)}: ${refusal}`;
  return { state: "blocked", reason: "Forbidden", message };
}

function newSecret({ namespace, name }: ObjectKey, data: Readonly<Record<string, string>>): object {
  const labels = { [LABELS.appManagedBy]: LABEL_VALUES.appManagedBy, [LABELS.appPartOf]: LABEL_VALUES.appPartOf };
  return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace, labels }, type: "Opaque", data };
}
