/**
 * The documents a node is given: configuration, trust, federation. Rendered, checked against the node's own schemas,
 * sequenced.
 *
 * A sequence moves only when content does. What was issued is remembered here and in an annotation of the object, so
 * that neither a cache that lags nor a restart makes the same document twice.
 */
import { createHash } from "node:crypto";
import {
  canonicalJson,
  documentDigest,
  exclusionTrouble,
  type FederationDocument,
  FederationDocumentSchema,
  NodeConfigSchema,
  type TrustDocument,
  TrustDocumentSchema,
} from "@archivestream/node/contract";
import type { TSchema } from "typebox";
import { Value } from "typebox/value";
import { membersSince } from "../document-members.ts";
import type { NodeFederation } from "../federation-content.ts";
import type { Document, Documents } from "../issued-documents.ts";
import { wholeSeconds } from "../kstatus.ts";
import { keyText, type ObjectKey } from "../objects.ts";
import type { EffectiveNode } from "./effective.ts";
import { ArchiveNodeError } from "./errors.ts";
import { nodeConfig } from "./resources/config-maps.ts";

interface Issued {
  readonly sequence: number;
  readonly issuedAt: string;
  readonly digest: string;
}

export interface StoredDocuments {
  /** Value of DOCUMENT_ANNOTATION on the object in the cluster. */
  readonly trust: string | undefined;
  readonly federation: string | undefined;
  /** Highest sequences that status or a pod has shown: a new document goes above them. */
  readonly trustFloor: number;
  readonly federationFloor: number;
}

export interface IssueContext {
  readonly node: EffectiveNode;
  readonly stored: StoredDocuments;
  /** When the ArchiveNode was created: issue time of its first documents, so that they never differ. */
  readonly createdAt: string;
  /** Whom it trusts and what it exchanges with whom; absent: nobody and nothing. */
  readonly federation?: NodeFederation;
  readonly now: Date;
}

/** Issues the documents of all nodes, each content once. */
export class DocumentIssuer {
  readonly #issued = new Map<
    string,
    { readonly trust: Issued; readonly federation: Issued; readonly documents: Documents }
  >();
  /** UID of the node that documents were issued to last, by `namespace/name`. */
  readonly #uids = new Map<string, string>();

  /** @throws {ArchiveNodeError} CONFIG_INVALID: what was rendered breaks the node's schema; the message names the field */
  issue(context: IssueContext): Documents {
    const { node, stored } = context;
    const before = this.#issued.get(node.uid);
    const parsed = {
      trust: before?.trust ?? parseIssued(stored.trust),
      federation: before?.federation ?? parseIssued(stored.federation),
    };
    const trust = sequenced(trustOf(context), parsed.trust, stored.trustFloor, context);
    const federation = sequenced(federationOf(context), parsed.federation, stored.federationFloor, context);
    const config = nodeConfig(node);
    const configText = `${canonicalJson(config)}\n`;
    // What this process has issued before has passed.
    if (trust.issued !== before?.trust) check("trust", TrustDocumentSchema, trust.content);
    if (federation.issued !== before?.federation) check("federation", FederationDocumentSchema, federation.content);
    if (configText !== before?.documents.configText) {
      check("config", NodeConfigSchema, config);
      const unusable = exclusionTrouble(config);
      if (unusable !== undefined) throw new ArchiveNodeError("CONFIG_INVALID", { document: "config", ...unusable });
    }
    const isSame =
      trust.issued === before?.trust &&
      federation.issued === before.federation &&
      configText === before.documents.configText;
    if (isSame) return before.documents;
    const documents = {
      trust: {
        ...toDocument(trust),
        entries: trust.content.entries.length,
        members: membersSince({
          members: trust.content.entries.map((entry) => [entry.nodeID, entry]),
          before: before?.documents.trust.members,
          sequence: trust.issued.sequence,
          isNew: trust.issued !== parsed.trust,
        }),
      },
      federation: {
        ...toDocument(federation),
        members: membersSince({
          members: federation.content.policies.map((policy) => [policy.uid ?? policy.name, policy]),
          before: before?.documents.federation.members,
          sequence: federation.issued.sequence,
          isNew: federation.issued !== parsed.federation,
        }),
      },
      configText,
      configDigest: sha256(configText),
    };
    if (before === undefined) this.#forgetOthers(node);
    this.#issued.set(node.uid, { trust: trust.issued, federation: federation.issued, documents });
    return documents;
  }

  /** What was issued last to the node of this UID, by this process. */
  issued(uid: string): Documents | undefined {
    return this.#issued.get(uid)?.documents;
  }

  /** Drops what is remembered of a node that is gone. */
  forget(key: ObjectKey): void {
    const uid = this.#uids.get(keyText(key));
    if (uid !== undefined) this.#issued.delete(uid);
    this.#uids.delete(keyText(key));
  }

  /** A node that was deleted and made anew between two looks has another UID. */
  #forgetOthers(node: EffectiveNode): void {
    this.forget(node);
    this.#uids.set(keyText(node), node.uid);
  }
}

function trustOf({ node, federation }: IssueContext): Omit<TrustDocument, keyof Issued> {
  const { entries, revoked } = federation?.trust ?? { entries: [], revoked: [] };
  return { node: node.name, mode: node.trustMode, require: node.trustRequire, entries, revoked };
}

function federationOf({ node, federation }: IssueContext): Omit<FederationDocument, keyof Issued> {
  return { node: node.name, ...(federation?.federation ?? { peers: [], policies: [] }) };
}

function sequenced<T extends object>(content: T, before: Issued | undefined, floor: number, context: IssueContext) {
  const digest = documentDigest(content);
  const issued =
    before?.digest === digest ? before : nextIssue(digest, Math.max(before?.sequence ?? 0, floor), context);
  return { issued, content: { ...content, ...issued } };
}

function nextIssue(digest: string, highest: number, { createdAt, now }: IssueContext): Issued {
  return { sequence: highest + 1, issuedAt: highest === 0 ? createdAt : wholeSeconds(now), digest };
}

function toDocument({ issued, content }: { issued: Issued; content: object }): Document {
  const text = `${canonicalJson(content)}\n`;
  return {
    sequence: issued.sequence,
    digest: issued.digest,
    text,
    base64: Buffer.from(text).toString("base64"),
    annotation: `${issued.sequence} ${issued.issuedAt} ${issued.digest}`,
  };
}

function parseIssued(annotation: string | undefined): Issued | undefined {
  const match = /^(\d{1,15}) (\S{20}) (sha256:[0-9a-f]{64})$/.exec(annotation ?? "");
  const [, sequence, issuedAt, digest] = match ?? [];
  if (sequence === undefined || issuedAt === undefined || digest === undefined) return undefined;
  return { sequence: Number(sequence), issuedAt, digest };
}

function check(document: string, schema: TSchema, value: unknown): void {
  const [problem] = Value.Errors(schema, value);
  if (problem === undefined) return;
  throw new ArchiveNodeError("CONFIG_INVALID", { document, path: problem.instancePath, problem: problem.message });
}

function sha256(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}
