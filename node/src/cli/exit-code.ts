/** Which exit code an error that ends the program has, and what a person reads. */
import { StartError, type StartErrorCode } from "../config/errors.ts";
import { EXIT_CODES } from "../contract/exit-codes.ts";
import { ControlError } from "../control/errors.ts";
import { IdentityError } from "../identity/errors.ts";
import { StorageError } from "../storage/errors.ts";

const BY_START_ERROR: Readonly<Record<StartErrorCode, number>> = {
  BAD_USAGE: EXIT_CODES.usage,
  BAD_CONFIG: EXIT_CODES.usage,
  DATA_UNUSABLE: EXIT_CODES.dataUnusable,
};

/** System errors that mean the data folder is at fault. */
const DATA_ERRORS: ReadonlySet<unknown> = new Set(["ENOSPC", "EROFS", "EACCES", "EPERM", "ENOTDIR", "EIO"]);

export function exitCodeOf(error: unknown): number {
  if (error instanceof StorageError)
    return error.code === "INDEX_DAMAGED" ? EXIT_CODES.indexDamaged : EXIT_CODES.dataUnusable;
  if (error instanceof StartError) return BY_START_ERROR[error.code as StartErrorCode];
  if (error instanceof IdentityError) return EXIT_CODES.usage;
  if (error instanceof Error && "code" in error && DATA_ERRORS.has(error.code)) return EXIT_CODES.dataUnusable;
  return EXIT_CODES.damaged;
}

export function messageOf(error: unknown): string {
  const isOurs = [StartError, IdentityError, StorageError, ControlError].some((kind) => error instanceof kind);
  if (isOurs) return (error as Error).message;
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
