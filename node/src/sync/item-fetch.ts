/**
 * Brings one wanted file here: fetch it, check it, hand it to the write path. A file that another collection of this node
 * holds is fetched all the same: a peer that only names a hash must not make a private file show elsewhere.
 */
import type { HoldingQueries, IntakeService } from "../archive/archive.ts";
import type { MissingReason } from "../contract/federation-reports.ts";
import { askedWaitMs, isPeerFault, missingReasonOf, SyncError } from "./errors.ts";
import { itemRetryMs } from "./pace.ts";
import { fetchFile, type TransferDeps } from "./transfer.ts";
import type { TransferSlots } from "./transfer-slots.ts";
import { type DueItem, NEVER_MS } from "./wanted-calls.ts";

export interface ItemFetchDeps {
  readonly transfer: TransferDeps;
  readonly slots: TransferSlots;
  readonly holdings: Pick<HoldingQueries, "heldOf" | "withdrawnOf">;
  readonly intake: Pick<IntakeService, "take">;
  /** A file came whole and is in the archive. */
  readonly stored: () => void;
  readonly nowMs: () => number;
  readonly random: () => number;
}

export interface ItemRequest {
  readonly peer: string;
  readonly collection: string;
  readonly item: DueItem;
  readonly maxBytes: number;
}

export type ItemOutcome =
  | { readonly kind: "held" }
  /** It was withdrawn here: it stays away, whoever has it. */
  | { readonly kind: "unwanted" }
  /** The node stops, or another target fetches these bytes: nothing is known that was not known before. */
  | { readonly kind: "later" }
  | {
      readonly kind: "failed";
      readonly error: unknown;
      readonly reason: MissingReason;
      readonly failures: number;
      readonly dueMs: number;
    };

/** What no further attempt changes: the same bytes would come again. */
const FINAL: ReadonlySet<MissingReason> = new Set(["too-large", "not-an-archive"]);

export class ItemFetch {
  readonly #deps: ItemFetchDeps;
  /** Hashes that are being fetched: two targets never write the same part file. */
  readonly #running = new Set<string>();

  constructor(deps: ItemFetchDeps) {
    this.#deps = deps;
  }

  /** @param phase - told what happens to the file, once it happens */
  async fetch(
    request: ItemRequest,
    phase: (now: "transferring" | "verifying") => void,
    signal: AbortSignal,
  ): Promise<ItemOutcome> {
    const { hash } = request.item;
    if (this.#running.has(hash)) return { kind: "later" };
    this.#running.add(hash);
    try {
      using _slot = await this.#deps.slots.take(request.peer, signal);
      return await this.#bring(request, phase, signal);
    } catch (error) {
      return signal.aborted ? { kind: "later" } : this.#failure(error, request.item);
    } finally {
      this.#running.delete(hash);
    }
  }

  async #bring(
    { peer, collection, item, maxBytes }: ItemRequest,
    phase: (now: "transferring" | "verifying") => void,
    signal: AbortSignal,
  ): Promise<ItemOutcome> {
    const { hash, size, filename } = item;
    if ((await this.#deps.holdings.heldOf(collection, [hash], signal)).has(hash)) return { kind: "held" };
    if ((await this.#deps.holdings.withdrawnOf(collection, [hash], signal)).has(hash)) return { kind: "unwanted" };
    phase("transferring");
    const file = await fetchFile(this.#deps.transfer, { peer, hash, size, maxBytes }, signal);
    phase("verifying");
    const { created } = await this.#deps.intake.take(file, { collection, filename });
    if (created) this.#deps.stored();
    return { kind: "held" };
  }

  #failure(error: unknown, { failures: before }: DueItem): ItemOutcome {
    const reason = missingReasonOf(error);
    const failed = (failures: number, dueMs: number): ItemOutcome => ({
      kind: "failed",
      error,
      reason,
      failures,
      dueMs,
    });
    if (FINAL.has(reason)) return failed(before + 1, NEVER_MS);
    // A peer that cannot be reached is no fault of the file: it is due again when the peer is back.
    if (isPeerFault(error)) return failed(before, 0);
    // Over a bad connection a large file comes in many parts.
    const failures = hasProgress(error) ? 1 : before + 1;
    return failed(
      failures,
      this.#deps.nowMs() + Math.max(askedWaitMs(error), itemRetryMs(failures, this.#deps.random)),
    );
  }
}

function hasProgress(error: unknown): boolean {
  return error instanceof SyncError && error.code === "CUT_OFF" && (error as SyncError<"CUT_OFF">).details.received > 0;
}
