import { captureIndexCompliance } from "../../../test/compliance/capture-index.ts";
import { tempDir } from "../../../test/testkit/temp-dir.ts";
import { CaptureIndex } from "./capture-index.ts";
import { catalogFiles } from "./catalog-calls.ts";

captureIndexCompliance("SQLite", async () => {
  const dir = await tempDir("captures");
  const open = async (): Promise<CaptureIndex> => {
    const index = new CaptureIndex({ files: catalogFiles(dir.path), readers: 1, onDamage: () => {} });
    await index.open(AbortSignal.timeout(60_000));
    return index;
  };
  let index = await open();
  return {
    index,
    folder: dir.path,
    reopen: async () => {
      await index.close();
      index = await open();
      return index;
    },
    [Symbol.asyncDispose]: async () => {
      await index.close();
      await dir.remove();
    },
  };
});
