/** The documents that this process issued to a node, as the controllers pass them around. */
import type { Members } from "./document-members.ts";

/** A sequenced document and what of it matters to the status. */
export interface Document {
  readonly sequence: number;
  readonly digest: string;
  readonly text: string;
  /** `text` as the API wants it in a Secret. */
  readonly base64: string;
  /** Goes on the object, so that the next process knows what was issued. */
  readonly annotation: string;
}

export interface Documents {
  /** Members by node id. */
  readonly trust: Document & { readonly entries: number; readonly members: Members };
  /** Members by UID of the SyncPolicy. */
  readonly federation: Document & { readonly members: Members };
  readonly configText: string;
  readonly configDigest: string;
}
