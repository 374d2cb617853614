import { fullTextIndexCompliance } from "../../../test/compliance/full-text-index.ts";
import { openFullTextArchive } from "../../../test/testkit/full-text-archive.ts";
import { tempDir } from "../../../test/testkit/temp-dir.ts";

fullTextIndexCompliance("FTS5", async (scopeOf) => {
  const dir = await tempDir("full-text");
  const archive = await openFullTextArchive({ dir: dir.path, ...(scopeOf === undefined ? {} : { scopeOf }) });
  return {
    ...archive,
    [Symbol.asyncDispose]: async () => {
      await archive[Symbol.asyncDispose]();
      await dir.remove();
    },
  };
});
