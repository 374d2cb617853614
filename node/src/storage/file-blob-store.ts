/**
 * Blobs as files: `blobs/sha256/aa/bb/<hash>`; on the way in `incoming/`.
 *
 * A received file gets its hash as a name in `incoming/` first. To keep it, an empty note of that name and `.kept` is
 * written beside it, and then the file is renamed to its place; the note goes when its row is committed. So a start looks
 * at a handful of names there to know what a crash left, and never has to decide about a file by not finding it in an
 * index. Only renames are needed: exFAT, SMB and some volume drivers have no hard links. That nobody else renames to the
 * same place meanwhile is sure by the lock on the data folder and the caller's lock on the hash.
 */
import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, statfs, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { listBlobs } from "./blob-listing.ts";
import type { BlobStore, ReceivedBlob } from "./blob-store.ts";
import { StorageError, storageErrorOf } from "./errors.ts";
import { syncFolder } from "./folder-sync.ts";
import { openBlob } from "./open-blob.ts";

/** Room is looked at again after this many bytes of one file. */
const ROOM_CHECK_BYTES = 64 * 1024 ** 2;
/** Of a received file, and of the note that it is in its place. */
const PENDING = /^(([0-9a-f]{64})\.[0-9a-f-]+)(?:\.kept)?$/;
const KEPT = ".kept";

export interface FileBlobStoreOptions {
  readonly dataDir: string;
  /** Kept free on the volume, bytes. */
  readonly reserveBytes: number;
}

/** Folder for files that are not blobs yet; swept at start. */
export function incomingFolder(dataDir: string): string {
  return join(dataDir, "incoming");
}

/** Folder of the blobs; `sha256/aa/bb/<hash>` below it. */
export function blobFolder(dataDir: string): string {
  return join(dataDir, "blobs");
}

export function createFileBlobStore(options: FileBlobStoreOptions): BlobStore {
  const incoming = incomingFolder(options.dataDir);
  const pathOf = (hash: string): string =>
    join(blobFolder(options.dataDir), "sha256", hash.slice(0, 2), hash.slice(2, 4), hash);
  const places: Places = { incoming, pathOf, listed: new Set() };
  return {
    prepare: () => prepare(options.dataDir),
    checkWrites: () => probeWrite(incoming),
    list: () => listBlobs(join(blobFolder(options.dataDir), "sha256")),
    receive: (body, signal) => receive(body, { ...places, checkRoom: () => checkRoom(options, 0) }, signal),
    claim: (file) => claimed(file, places),
    unsettled: () => unsettled(places),
    doubt: (hash) => doubt(hash, places),
    open: (hash) => openBlob(hash, pathOf(hash)),
    pathOf,
    checkRoom: (bytes) => checkRoom(options, bytes),
  };
}

interface Places {
  readonly incoming: string;
  readonly pathOf: (hash: string) => string;
  /** Folders of blobs whose own names were flushed since this process began. */
  readonly listed: Set<string>;
}

/** Makes the folders, removes what a crash left unfinished, proves that the volume takes a file. */
async function prepare(dataDir: string): Promise<void> {
  const incoming = incomingFolder(dataDir);
  try {
    await mkdir(incoming, { recursive: true });
    await mkdir(join(blobFolder(dataDir), "sha256"), { recursive: true });
    await syncFolder(blobFolder(dataDir));
    await syncFolder(dataDir);
    for (const name of await readdir(incoming)) if (!PENDING.test(name)) await unlink(join(incoming, name));
  } catch (error) {
    throw storageErrorOf(error, incoming) ?? error;
  }
  await probeWrite(incoming);
}

/** A note without a file in either place is left of a file that was taken back; its size is that of nothing. */
async function unsettled(places: Places): Promise<readonly ReceivedBlob[]> {
  const { incoming, pathOf } = places;
  const found = new Map<string, ReceivedBlob>();
  for (const name of await readdir(incoming)) {
    const [, base = "", hash = ""] = PENDING.exec(name) ?? [];
    if (base === "" || found.has(base)) continue;
    const path = join(incoming, base);
    const size = (await sizeOf(path)) ?? (await sizeOf(pathOf(hash))) ?? 0;
    found.set(base, receivedBlob({ hash, size, path }, places));
  }
  return [...found.values()];
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function probeWrite(folder: string): Promise<void> {
  const probe = join(folder, `${randomUUID()}.part`);
  try {
    try {
      await writeFile(probe, "probe");
    } finally {
      // A full volume may take the name alone.
      await rm(probe, { force: true });
    }
  } catch (error) {
    throw storageErrorOf(error, folder) ?? error;
  }
}

async function checkRoom({ dataDir, reserveBytes }: FileBlobStoreOptions, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dataDir);
  const free = bavail * bsize;
  if (free - bytes >= reserveBytes) return;
  throw new StorageError("DISK_FULL", {
    reason: `${free} bytes free, ${bytes} wanted, ${reserveBytes} kept in reserve`,
  });
}

interface Receiving extends Places {
  readonly checkRoom: () => Promise<void>;
}

async function receive(
  body: AsyncIterable<Uint8Array>,
  { checkRoom: room, ...places }: Receiving,
  signal: AbortSignal,
): Promise<ReceivedBlob> {
  const { incoming } = places;
  const id = randomUUID();
  const part = join(incoming, `${id}.part`);
  try {
    const written = await writeHashed(part, body, room, signal);
    const path = join(incoming, `${written.hash}.${id}`);
    await rename(part, path);
    return receivedBlob({ ...written, path }, places);
  } catch (error) {
    await rm(part, { force: true });
    throw storageErrorOf(error, part) ?? error;
  }
}

async function writeHashed(
  path: string,
  body: AsyncIterable<Uint8Array>,
  checkRoomNow: () => Promise<void>,
  signal: AbortSignal,
): Promise<{ readonly hash: string; readonly size: number }> {
  const hash = createHash("sha256");
  let size = 0;
  let checkAt = ROOM_CHECK_BYTES;
  await using file = await open(path, "wx");
  for await (const chunk of body) {
    signal.throwIfAborted();
    hash.update(chunk);
    await writeAll(file, chunk);
    size += chunk.length;
    if (size < checkAt) continue;
    checkAt += ROOM_CHECK_BYTES;
    await checkRoomNow();
  }
  signal.throwIfAborted();
  await file.sync();
  return { hash: hash.digest("hex"), size };
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
}

interface ReceivedFile {
  readonly hash: string;
  readonly size: number;
  readonly path: string;
}

function receivedBlob(file: ReceivedFile, { pathOf, listed }: Places): ReceivedBlob {
  const { hash, path } = file;
  const place = pathOf(hash);
  return {
    ...file,
    keep: () => keep(file, place, listed),
    settle: () => forget(path),
    discard: async ({ named }) => {
      if (named) await remove(place);
      await forget(path);
    },
  };
}

/** The note that a received file gets when it is in its place: a start that finds it asks whether a row names the file. */
async function doubt(hash: string, places: Places): Promise<ReceivedBlob> {
  const path = join(places.incoming, `${hash}.${randomUUID()}`);
  try {
    await writeFile(`${path}${KEPT}`, "");
    await syncFolder(places.incoming);
    return receivedBlob({ hash, size: 0, path }, places);
  } catch (error) {
    throw storageErrorOf(error, path) ?? error;
  }
}

/** Moves in at `keep`: from then on it is a received file like others. */
function claimed(file: ReceivedFile, places: Places): ReceivedBlob {
  const received = receivedBlob({ ...file, path: join(places.incoming, `${file.hash}.${randomUUID()}`) }, places);
  const leave = () => rm(file.path, { force: true });
  return {
    ...file,
    keep: async () => {
      await moved(file.path, received.path);
      await received.keep();
    },
    settle: async () => {
      await leave();
      await received.settle();
    },
    discard: async (options) => {
      await leave();
      await received.discard(options);
    },
  };
}

/** Nothing happens when it has moved before. */
async function moved(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw storageErrorOf(error, from) ?? error;
  }
}

/** Durable when it returns. */
async function remove(place: string): Promise<void> {
  try {
    await unlink(place);
    await syncFolder(dirname(place));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** The note last: while it is there, a start looks at the file again. */
async function forget(path: string): Promise<void> {
  await rm(path, { force: true });
  await rm(`${path}${KEPT}`, { force: true });
}

/** What lies at its place with another size is not the file any more. */
async function keep({ path, size }: ReceivedFile, place: string, listed: Set<string>): Promise<void> {
  try {
    const folder = dirname(place);
    const made = await mkdir(folder, { recursive: true });
    // Not flushed by itself: should a power cut lose the note alone, the file is one that no row names, which harms nobody.
    await writeFile(`${path}${KEPT}`, "");
    if ((await sizeOf(place)) !== size) await rename(path, place);
    await syncFolder(folder);
    // A folder is durable only once those that list it are. Whoever made it may not have come to that yet, or have ended before.
    if (made === undefined && listed.has(folder)) return;
    await syncFolder(dirname(folder));
    await syncFolder(dirname(dirname(folder)));
    listed.add(folder);
  } catch (error) {
    throw storageErrorOf(error, place) ?? error;
  }
}
