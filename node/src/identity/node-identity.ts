/** The running node's keys, token and documents, and how they are kept current while it runs. */
import { join } from "node:path";
import type { LoadedConfig } from "../config/config.ts";
import type { WatchedFiles } from "../config/file-watcher.ts";
import {
  DOCUMENT_FILES,
  type FederationDocument,
  FederationDocumentSchema,
  KEY_FILES,
  type TrustDocument,
  TrustDocumentSchema,
} from "../contract/documents.ts";
import { AccessToken } from "./access-token.ts";
import { firstFederationDocument, firstTrustDocument } from "./first-documents.ts";
import { type NodeKeys, readNodeKeys, readPem, readTlsPair, type TlsPair } from "./key-files.ts";
import { KEPT_DOCUMENTS } from "./local-documents.ts";
import { ensureLocalIdentity } from "./local-identity.ts";
import { DocumentHolder } from "./sequenced-document.ts";

const LOCAL_TOKEN = "access-token";

export interface AdminTls extends TlsPair {
  /** PEM of the CA that signs the operator's client certificate. */
  readonly ca: string;
}

export interface NodeIdentity {
  readonly token: AccessToken;
  readonly trust: DocumentHolder<TrustDocument>;
  readonly federation: DocumentHolder<FederationDocument>;
  /** As read last. */
  readonly keys: () => NodeKeys;
  readonly adminTls: () => AdminTls | undefined;
  readonly tokenFile: string;
  /** Calls back with fresh keys whenever their files change. */
  readonly watch: (listeners: IdentityListeners) => readonly WatchedFiles[];
}

export interface IdentityListeners {
  readonly keysChanged: (keys: NodeKeys) => void;
  readonly adminTlsChanged: (tls: AdminTls) => void;
  /** @param trouble - why no token is accepted any more */
  readonly tokenChanged: (trouble: string | undefined) => void;
}

/** Where a node without an operator keeps its token. */
export function tokenFileOf({ config, embedded }: Pick<LoadedConfig, "config" | "embedded">): string {
  return join(config.files.access, embedded ? LOCAL_TOKEN : KEY_FILES.accessToken);
}

/**
 * Reads everything, after making what is missing when nobody else does.
 *
 * @throws {IdentityError} naming the file
 */
export async function openIdentity(loaded: LoadedConfig, now: () => Date): Promise<NodeIdentity> {
  const { config, embedded } = loaded;
  const tokenFile = tokenFileOf(loaded);
  if (embedded) await ensureLocalIdentity({ keys: config.files.keys, accessTokenFile: tokenFile }, now());
  const token = new AccessToken(tokenFile);
  await token.takeFile();
  let keys = await readNodeKeys(config.files.keys);
  const adminFolder = config.listen.admin === undefined ? undefined : config.files.adminTls;
  let adminTls = adminFolder === undefined ? undefined : await readAdminTls(adminFolder);

  const files = documentFiles(loaded);
  const trust = new DocumentHolder<TrustDocument>(TrustDocumentSchema, files.keptTrust);
  const federation = new DocumentHolder<FederationDocument>(FederationDocumentSchema, files.keptFederation);
  await Promise.all([trust.load(), federation.load()]);
  await Promise.all([trust.offerFile(files.trust), federation.offerFile(files.federation)]);
  if (embedded) await settleDocuments({ trust, federation }, loaded, now());

  const watch = (listeners: IdentityListeners): readonly WatchedFiles[] => [
    { files: [tokenFile], changed: () => takeToken(token, listeners) },
    { files: [files.trust], changed: () => trust.offerFile(files.trust) },
    { files: [files.federation], changed: () => federation.offerFile(files.federation) },
    {
      files: Object.values(KEY_FILES).map((name) => join(config.files.keys, name)),
      changed: async () => {
        keys = await readNodeKeys(config.files.keys);
        listeners.keysChanged(keys);
      },
    },
    ...(adminFolder === undefined
      ? []
      : [
          watchAdmin(adminFolder, (tls) => {
            adminTls = tls;
            listeners.adminTlsChanged(tls);
          }),
        ]),
  ];
  return { token, trust, federation, keys: () => keys, adminTls: () => adminTls, tokenFile, watch };
}

/** Makes the documents of a new folder; a mode on the command line goes into the one that is there. */
async function settleDocuments(
  { trust, federation }: Pick<NodeIdentity, "trust" | "federation">,
  { config, federation: { trust: mode, seeds } }: LoadedConfig,
  now: Date,
): Promise<void> {
  if (trust.current === undefined) {
    await trust.offer(firstTrustDocument(config.name, now, mode ?? (seeds.length > 0 ? "Public" : "Private")));
  } else if (mode !== undefined) {
    await trust.edit((current) => ({ ...current, mode }), now);
  }
  if (federation.current === undefined) await federation.offer(firstFederationDocument(config.name, now));
}

async function takeToken(token: AccessToken, { tokenChanged }: IdentityListeners): Promise<void> {
  await token.takeFile();
  tokenChanged(token.trouble);
}

function watchAdmin(folder: string, changed: (tls: AdminTls) => void): WatchedFiles {
  const names = [KEY_FILES.tlsKey, KEY_FILES.tlsCert, KEY_FILES.adminCa];
  return {
    files: names.map((name) => join(folder, name)),
    changed: async () => changed(await readAdminTls(folder)),
  };
}

async function readAdminTls(folder: string): Promise<AdminTls> {
  const [pair, ca] = await Promise.all([readTlsPair(folder), readPem(join(folder, KEY_FILES.adminCa))]);
  return { ...pair, ca };
}

function documentFiles({ config, embedded }: LoadedConfig) {
  const keptTrust = join(config.dataDir, KEPT_DOCUMENTS.trust);
  const keptFederation = join(config.dataDir, KEPT_DOCUMENTS.federation);
  return {
    keptTrust,
    keptFederation,
    trust: embedded ? keptTrust : join(config.files.trust, DOCUMENT_FILES.trust),
    federation: embedded ? keptFederation : join(config.files.federation, DOCUMENT_FILES.federation),
  };
}
