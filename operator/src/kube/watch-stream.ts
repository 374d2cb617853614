/**
 * Reads a watch: one JSON event per line. Bad lines and `ERROR` events end it with a typed error, never silently.
 */
import type { Readable } from "node:stream";
import { errorFromStatus, KubeError } from "./api-errors.ts";
import type { KubeObject } from "./objects.ts";

export type WatchEvent<T extends KubeObject> =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: T }
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string; readonly initialEventsEnd: boolean };

/** The API server refuses objects over 3 MiB (etcd's limit is 1.5 MiB); a line above this is not one of its own. */
const MAX_LINE_CHARS = 16 * 1024 * 1024;

interface RequestName {
  readonly method: string;
  readonly path: string;
}

interface RawEvent {
  readonly type: string;
  readonly object: KubeObject;
}

/**
 * @throws {KubeError} `MALFORMED` for a line that is no event, `CONNECTION` when the body breaks off,
 * or what the `ERROR` event says
 */
export async function* readWatch<T extends KubeObject>(
  body: Readable,
  request: RequestName,
  shape: (object: T) => T,
): AsyncGenerator<WatchEvent<T>> {
  const named = { method: request.method, path: request.path };
  for await (const line of readLines(body, named)) yield parseEvent(line, named, shape);
}

function parseEvent<T extends KubeObject>(line: string, request: RequestName, shape: (o: T) => T): WatchEvent<T> {
  const { type, object } = parseLine(line, request);
  switch (type) {
    case "ADDED":
    case "MODIFIED":
    case "DELETED":
      return { type, object: shape(object as T) };
    case "BOOKMARK": {
      const { resourceVersion, annotations } = object.metadata;
      return {
        type,
        resourceVersion: resourceVersion ?? "",
        initialEventsEnd: annotations?.["k8s.io/initial-events-end"] === "true",
      };
    }
    case "ERROR":
      throw errorFromStatus(request, statusCodeOf(object), object);
    default:
      throw new KubeError("MALFORMED", { ...request, message: `watch event of type ${type.slice(0, 40)}` });
  }
}

function parseLine(line: string, request: RequestName): RawEvent {
  try {
    const event = JSON.parse(line) as Partial<RawEvent>;
    if (typeof event.type === "string" && typeof event.object === "object" && event.object !== null) {
      if (event.type === "ERROR" || typeof event.object.metadata === "object") return event as RawEvent;
    }
  } catch (cause) {
    throw new KubeError("MALFORMED", { ...request, message: "a watch line is not JSON" }, { cause });
  }
  throw new KubeError("MALFORMED", { ...request, message: "a watch line is not an event" });
}

function statusCodeOf(status: unknown): number {
  const code = (status as { readonly code?: unknown }).code;
  return typeof code === "number" ? code : 500;
}

async function* readLines(body: Readable, request: RequestName): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of readText(body, request)) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    if (rest.length > MAX_LINE_CHARS) throw new KubeError("MALFORMED", { ...request, message: "endless watch line" });
    yield* parts.filter((part) => part !== "");
  }
  if (rest.trim() !== "") throw new KubeError("MALFORMED", { ...request, message: "the watch ends inside a line" });
}

/** The body as text; it is destroyed however the reader leaves. */
async function* readText(body: Readable, request: RequestName): AsyncGenerator<string> {
  body.setEncoding("utf8");
  try {
    for await (const chunk of body as AsyncIterable<string>) yield chunk;
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : "unknown";
    throw new KubeError("CONNECTION", { ...request, message }, { cause });
  } finally {
    body.destroy();
  }
}
