/** What the routes by which archives copy each other ask for. */
import type { AccessPolicy } from "../../../archive/access.ts";
import type { BlobContents, HoldingQueries } from "../../../archive/archive.ts";
import type { CallerOf } from "../../authenticate.ts";

/** Takes what a peer offers, as far as a policy of this node asks for it. */
export interface OfferService {
  /** Those of the offered files that this node will fetch from the peer. */
  offered(
    peer: string,
    offer: { readonly collection: string; readonly hashes: readonly string[] },
    signal: AbortSignal,
  ): Promise<readonly string[]>;
}

/** Told of what peers read here. */
export interface SentFiles {
  blob(): void;
  bytes(count: number): void;
}

export interface SyncRoutesOptions {
  readonly holdings: HoldingQueries;
  readonly contents: BlobContents;
  readonly access: AccessPolicy;
  readonly callerOf: CallerOf;
  /** In private mode lists are for trusted peers only. */
  readonly isPrivate: () => boolean;
  /** Whether the node keeps files for others at all. */
  readonly hasStore: boolean;
  readonly offers: OfferService;
  readonly sent: SentFiles;
}

export const FEDERATION_PATH = "/api/v1/federation";
