/**
 * The documents of a node without an operator, edited by its command line. An edit of both documents changes trust first when
 * it takes something away and last when it gives something, so that one cut short never leaves more open than it should.
 */
import { access } from "node:fs/promises";
import { join } from "node:path";
import {
  type FederationDocument,
  FederationDocumentSchema,
  type PolicyEntry,
  type TrustDocument,
  TrustDocumentSchema,
} from "../contract/documents.ts";
import {
  dialled,
  forgotten,
  revoked,
  suspended,
  trusted,
  untrusted,
  withoutPolicy,
  withPolicy,
} from "./document-edits.ts";
import { firstFederationDocument, firstTrustDocument } from "./first-documents.ts";
import { DocumentHolder } from "./sequenced-document.ts";

/** Copies kept on the volume; without an operator also the files a person edits. */
export const KEPT_DOCUMENTS = { trust: "trust.json", federation: "federation.json" } as const;

export class LocalDocuments {
  readonly #trust: DocumentHolder<TrustDocument>;
  readonly #federation: DocumentHolder<FederationDocument>;
  readonly #now: () => Date;

  constructor(
    holders: {
      readonly trust: DocumentHolder<TrustDocument>;
      readonly federation: DocumentHolder<FederationDocument>;
    },
    now: () => Date,
  ) {
    this.#trust = holders.trust;
    this.#federation = holders.federation;
    this.#now = now;
  }

  get trust(): TrustDocument | undefined {
    return this.#trust.current;
  }

  get federation(): FederationDocument | undefined {
    return this.#federation.current;
  }

  /** Trusts and dials a peer; also what approving one means. @throws {IdentityError} as all of these */
  async addPeer(nodeID: string, endpoints: readonly string[]): Promise<void> {
    await this.#federation.edit(dialled(nodeID, endpoints), this.#now());
    await this.#trust.edit(trusted(nodeID), this.#now());
  }

  async removePeer(nodeID: string): Promise<void> {
    await this.#trust.edit(untrusted(nodeID), this.#now());
    await this.#federation.edit(forgotten(nodeID), this.#now());
  }

  async blockPeer(nodeID: string): Promise<void> {
    await this.#trust.edit(revoked(nodeID), this.#now());
    await this.#federation.edit(suspended(nodeID), this.#now());
  }

  async addPolicy(policy: PolicyEntry): Promise<void> {
    await this.#federation.edit(withPolicy(policy), this.#now());
  }

  async removePolicy(name: string): Promise<void> {
    await this.#federation.edit(withoutPolicy(name), this.#now());
  }
}

/**
 * Those in a data folder that no process runs on; made when there are none yet.
 *
 * @param name - of the node, for new documents
 */
export async function openLocalDocuments(dataDir: string, name: string, now: () => Date): Promise<LocalDocuments> {
  const trust = new DocumentHolder<TrustDocument>(TrustDocumentSchema, join(dataDir, KEPT_DOCUMENTS.trust));
  const federation = new DocumentHolder<FederationDocument>(
    FederationDocumentSchema,
    join(dataDir, KEPT_DOCUMENTS.federation),
  );
  await Promise.all([trust.load(), federation.load()]);
  if (trust.current === undefined) await trust.offer(firstTrustDocument(name, now()));
  if (federation.current === undefined) await federation.offer(firstFederationDocument(name, now()));
  return new LocalDocuments({ trust, federation }, now);
}

/** Whether the documents in a folder came from outside: the node there has a trust document, but no identity of its own. */
export async function hasOthersDocuments(dataDir: string): Promise<boolean> {
  const isThere = (file: string) =>
    access(file).then(
      () => true,
      () => false,
    );
  return (await isThere(join(dataDir, KEPT_DOCUMENTS.trust))) && !(await isThere(join(dataDir, "keys")));
}
