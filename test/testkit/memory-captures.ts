/** A capture index in memory, for tests of what reads one; also made from the lines of a CDXJ file. */
import type { CaptureRange, CaptureReader, StoredCapture } from "../../node/src/cdx/stored-capture.ts";

const BATCH = 3;

/** @param onScan - told of every range that is read */
export function memoryCaptures(
  captures: readonly StoredCapture[],
  onScan: (range: CaptureRange) => void = () => {},
): CaptureReader {
  const sorted = captures.toSorted(
    (a, b) => Buffer.compare(Buffer.from(a.urlkey), Buffer.from(b.urlkey)) || Number(a.timestamp) - Number(b.timestamp),
  );
  return {
    async *scan(_collection, range, signal) {
      onScan(range);
      const found = sorted.filter((capture) => isInside(range, capture));
      if (range.descending) found.reverse();
      for (let at = 0; at < found.length; at += BATCH) {
        signal.throwIfAborted();
        yield found.slice(at, at + BATCH);
      }
    },
  };
}

function isInside(range: CaptureRange, { urlkey, timestamp }: StoredCapture): boolean {
  const key = Buffer.from(urlkey);
  const inKeys =
    range.keyTo === undefined
      ? urlkey === range.keyFrom
      : Buffer.compare(key, Buffer.from(range.keyFrom)) >= 0 && Buffer.compare(key, Buffer.from(range.keyTo)) < 0;
  const early = range.timeFrom !== undefined && timestamp < range.timeFrom;
  const late = range.timeTo !== undefined && timestamp > range.timeTo;
  return inKeys && !early && !late;
}

export function captureOf(fields: Partial<StoredCapture> & { readonly urlkey: string }): StoredCapture {
  return {
    timestamp: "20200101000000",
    url: "http://example.com/",
    mime: "text/html",
    status: 200,
    digest: "sha1:AAAA",
    place: { offset: 0, length: 100, skip: 0 },
    type: "response",
    method: undefined,
    requestBody: undefined,
    redirect: undefined,
    hash: "0".repeat(64),
    filename: "a.warc.gz",
    ...fields,
  };
}

export function cdxjCaptures(text: string): StoredCapture[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [urlkey = "", timestamp = ""] = line.split(" ", 2);
      const fields = JSON.parse(line.slice(urlkey.length + timestamp.length + 2)) as Record<string, string>;
      const mime = fields["mime"] ?? "-";
      return captureOf({
        urlkey,
        timestamp,
        mime,
        url: fields["url"] ?? "",
        status: fields["status"] === undefined ? undefined : Number(fields["status"]),
        digest: fields["digest"] ?? "-",
        place: { offset: Number(fields["offset"]), length: Number(fields["length"]), skip: 0 },
        type: mime === "warc/revisit" ? "revisit" : "response",
        filename: fields["filename"] ?? "",
      });
    });
}
