/** Texts that hang or end the indexer's thread are set aside after three attempts; everything else stays searchable. */
import { expect, test } from "vitest";
import { type FullTextArchive, openFullTextArchive } from "../../../test/testkit/full-text-archive.ts";
import { type ListedCapture, POISON } from "../../../test/testkit/listed-captures.ts";
import { tempDir } from "../../../test/testkit/temp-dir.ts";
import { waitUntil } from "../../../test/testkit/wait-until.ts";

/** Three threads that fill their heap, and the pauses between them, on a slow machine. */
const DEADLINE_MS = 240_000;
const TEST_MS = 300_000;
/** Nothing here takes so long. */
const NO_STALL_MS = TEST_MS;

const page = (name: string, text: string): ListedCapture => ({
  ...{ url: `https://example.org/${name}`, timestamp: "20240101000000", digest: name, mime: "text/plain", text },
});

const setAside = (archive: FullTextArchive) =>
  archive.events.findLast((event) => event.kind === "set-aside")?.blobs ?? [];

const urlsOf = async (archive: FullTextArchive, q: string) => (await archive.ask(q)).hits.map((hit) => hit.url);

test.each([
  ["ends its thread", { poison: POISON.exit, reason: "exit 9", stallMs: NO_STALL_MS }],
  ["outgrows the thread's heap", { poison: POISON.memory, reason: "memory limit", stallMs: NO_STALL_MS }],
  ["hangs its thread", { poison: POISON.endless, reason: "stood still for 6 s", stallMs: 6_000 }],
])(
  "a file that %s is tried three times, then set aside with the reason; files behind it are searchable",
  async (_name, { poison, reason, stallMs }) => {
    await using dir = await tempDir("poison");
    await using archive = await openFullTextArchive({ dir: dir.path, stallMs, heapMb: 128 });
    await archive.append([page("good", "apples"), page("bad", poison)]);
    const next = await archive.append([page("next", "pears")]);
    await waitUntil(
      "the next file",
      () => archive.events.some((event) => "sequence" in event && event.sequence === next),
      {
        deadlineMs: DEADLINE_MS,
      },
    );
    expect(archive.ends).toHaveLength(3);
    expect(setAside(archive)).toMatchObject([{ sequence: 1, reason: expect.stringContaining(reason) as string }]);
    expect(await urlsOf(archive, "pears")).toEqual(["https://example.org/next"]);
  },
  TEST_MS,
);

test(
  "attempts are counted over restarts of the whole node, but not those that were told to stop",
  async () => {
    await using dir = await tempDir("poison");
    // Without readers, whose end would be waited for: the indexer is to be stopped before it starts its next thread.
    const open = () => openFullTextArchive({ dir: dir.path, stallMs: NO_STALL_MS, readers: 0 });
    for (let restart = 0; restart < 4; restart += 1) {
      await using archive = await open();
      if (restart === 0) await archive.append([page("bad", POISON.exit)]);
      await waitUntil("the thread to end", () => archive.ends.length > 0 || setAside(archive).length > 0, {
        deadlineMs: DEADLINE_MS,
      });
      expect(setAside(archive)).toHaveLength(restart < 3 ? 0 : 1);
    }
    await using archive = await open();
    await waitUntil("what stands aside to be told again", () => setAside(archive).length === 1, {
      deadlineMs: DEADLINE_MS,
    });
    expect(archive.ends).toEqual([]);
  },
  TEST_MS,
);
