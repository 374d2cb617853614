/** Every parser of foreign bytes has a target here; each is loaded alone, so that only its code is watched. */
import type { FuzzTarget } from "./target.ts";

export interface TargetPlace {
  /** Share of `npm run fuzz` and of full-size tests, seconds. Small parsers stop growing long before. */
  readonly seconds: number;
  readonly load: () => Promise<FuzzTarget>;
}

const SMALL_SECONDS = 120;

export const TARGETS = {
  reader: { seconds: 600, load: async () => (await import("./targets/reader.ts")).reader },
  text: { seconds: SMALL_SECONDS, load: async () => (await import("./targets/text.ts")).text },
  url: { seconds: SMALL_SECONDS, load: async () => (await import("./targets/url.ts")).url },
  query: { seconds: SMALL_SECONDS, load: async () => (await import("./targets/query.ts")).query },
  cdx: { seconds: SMALL_SECONDS, load: async () => (await import("./targets/cdx.ts")).cdx },
  documents: { seconds: SMALL_SECONDS, load: async () => (await import("./targets/documents.ts")).documents },
  fields: { seconds: SMALL_SECONDS, load: async () => (await import("./targets/fields.ts")).fields },
  peers: { seconds: SMALL_SECONDS, load: async () => (await import("./targets/peers.ts")).peers },
  /** No parser of ours: proves that the fuzzer finds what only coverage leads to. */
  planted: { seconds: 0, load: async () => (await import("./targets/planted.ts")).planted },
} as const satisfies Readonly<Record<string, TargetPlace>>;

export type TargetName = keyof typeof TARGETS;

export function isTargetName(name: string): name is TargetName {
  return Object.hasOwn(TARGETS, name);
}

/** All but the planted one. */
export const PARSERS = (Object.keys(TARGETS) as TargetName[]).filter((name) => TARGETS[name].seconds > 0);
