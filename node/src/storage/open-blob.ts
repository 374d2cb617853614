/** Opens a blob for reading; whatever fails says which blob it is. */
import { type FileSource, openFileSource } from "../warc/byte-source.ts";
import { StorageError, storageErrorOf } from "./errors.ts";

export async function openBlob(hash: string, path: string): Promise<FileSource> {
  try {
    return namingFile(await openFileSource(path), hash);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      throw new StorageError("BLOB_MISSING", { hash }, { cause: error });
    }
    throw storageErrorOf(error, path) ?? error;
  }
}

/** Reads that fail say in which file and where. */
function namingFile(source: FileSource, hash: string): FileSource {
  const named = async <T>(work: Promise<T>, position: number): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (storageErrorOf(error, source.path)?.code !== "DISK_FAILED") throw error;
      const reason = `${(error as Error).message}, ${hash} at byte ${position}`;
      throw new StorageError("DISK_FAILED", { reason }, { cause: error });
    }
  };
  const into = source.readInto?.bind(source);
  return {
    ...source,
    read: (position, length) => named(source.read(position, length), position),
    ...(into && { readInto: (position: number, buffer: Uint8Array) => named(into(position, buffer), position) }),
  };
}
