/** What every `BlobStore` must do, whatever it keeps its bytes in. Call it from the test of an implementation. */
import { randomBytes } from "node:crypto";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { BlobStore } from "../../node/src/storage/blob-store.ts";
import { tempDir } from "../testkit/temp-dir.ts";
import { sha256Of } from "../testkit/uploads.ts";

export interface BlobStoreUnderTest extends AsyncDisposable {
  readonly store: BlobStore;
  /** The same place as after a restart. */
  readonly reopened: () => BlobStore;
}

const signal = AbortSignal.timeout(600_000);

async function* chunks(...parts: readonly (Uint8Array | Error)[]): AsyncGenerator<Uint8Array, void> {
  for (const part of parts) {
    if (part instanceof Error) throw part;
    yield part;
  }
}

async function hashesOf(store: BlobStore): Promise<readonly string[]> {
  const hashes: string[] = [];
  for await (const { hash } of store.list()) hashes.push(hash);
  return hashes.toSorted();
}

async function bytesOf(store: BlobStore, hash: string): Promise<Uint8Array> {
  await using source = await store.open(hash);
  return await source.read(0, source.size);
}

export function blobStoreCompliance(name: string, make: () => Promise<BlobStoreUnderTest>): void {
  const bytes = randomBytes(100_000);
  const receive = (store: BlobStore) => store.receive(chunks(bytes.subarray(0, 7), bytes.subarray(7)), signal);

  test(`${name}: what is received is seen when it is kept, and stays after a restart`, async () => {
    await using made = await make();
    await made.store.prepare();
    const received = await receive(made.store);
    expect(received).toMatchObject({ hash: sha256Of(bytes), size: bytes.length });
    expect(await hashesOf(made.store)).toEqual([]);
    await received.keep();
    await received.keep();
    await received.settle();
    const again = made.reopened();
    await again.prepare();
    expect(await hashesOf(again)).toEqual([received.hash]);
    expect(Buffer.compare(await bytesOf(again, received.hash), bytes)).toBe(0);
    expect(await again.unsettled()).toEqual([]);
  });

  test(`${name}: what is not settled is known after a restart and can be taken back`, async () => {
    await using made = await make();
    await made.store.prepare();
    await (await receive(made.store)).keep();
    const again = made.reopened();
    await again.prepare();
    const [left] = await again.unsettled();
    expect(left?.hash).toBe(sha256Of(bytes));
    await left?.discard({ named: true });
    expect([await hashesOf(again), await again.unsettled()]).toEqual([[], []]);
  });

  test(`${name}: a finished file stays where it is until it is kept, and is moved then`, async () => {
    await using made = await make();
    await using elsewhere = await tempDir("claimed");
    await made.store.prepare();
    const path = join(elsewhere.path, "finished");
    const file = { path, hash: sha256Of(bytes), size: bytes.length };
    await writeFile(path, bytes);
    const claimed = made.store.claim(file);
    expect([claimed.path, await hashesOf(made.store), await made.store.unsettled()]).toEqual([path, [], []]);
    await claimed.keep();
    await claimed.keep();
    await claimed.settle();
    expect([await hashesOf(made.store), await readdir(elsewhere.path)]).toEqual([[file.hash], []]);
    expect(Buffer.compare(await bytesOf(made.store, file.hash), bytes)).toBe(0);
    await writeFile(path, bytes);
    await made.store.claim(file).discard({ named: false });
    expect([await hashesOf(made.store), await readdir(elsewhere.path)]).toEqual([[file.hash], []]);
    expect(await made.store.unsettled()).toEqual([]);
  });

  test(`${name}: taking back a second copy leaves the first`, async () => {
    await using made = await make();
    await made.store.prepare();
    const [first, second] = [await receive(made.store), await receive(made.store)];
    await first.keep();
    await first.settle();
    await second.discard({ named: false });
    expect(await hashesOf(made.store)).toEqual([first.hash]);
  });

  test(`${name}: a body that fails, or a signal, leaves nothing; unknown hashes are named`, async () => {
    await using made = await make();
    await made.store.prepare();
    await expect(made.store.receive(chunks(bytes, new Error("cut")), signal)).rejects.toThrow("cut");
    await expect(made.store.receive(chunks(bytes), AbortSignal.abort(new Error("gone")))).rejects.toThrow("gone");
    expect([await hashesOf(made.store), await made.store.unsettled()]).toEqual([[], []]);
    await expect(made.store.open(sha256Of(bytes))).rejects.toMatchObject({ code: "BLOB_MISSING" });
    await expect(made.store.checkRoom(Number.MAX_SAFE_INTEGER)).rejects.toMatchObject({ code: "DISK_FULL" });
  });
}
