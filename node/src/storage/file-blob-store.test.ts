import { blobStoreCompliance } from "../../../test/compliance/blob-store.ts";
import { tempDir } from "../../../test/testkit/temp-dir.ts";
import { createFileBlobStore } from "./file-blob-store.ts";

blobStoreCompliance("files", async () => {
  const dir = await tempDir("blobs");
  const open = () => createFileBlobStore({ dataDir: dir.path, reserveBytes: 0 });
  return { store: open(), reopened: open, [Symbol.asyncDispose]: () => dir.remove() };
});
