/** Counters of the reflectors, by kind. */
import { Counter, Gauge, type Registry } from "prom-client";

export interface ReflectorMetrics {
  /** There is a reflector of this kind: its series begin at zero. */
  started(kind: string): void;
  list(kind: string): void;
  watch(kind: string): void;
  watchError(kind: string): void;
  relist(kind: string): void;
  bookmark(kind: string): void;
  decodeError(kind: string): void;
  missed(kind: string, count: number): void;
  objects(kind: string, count: number): void;
  /** @param atMs - wall time, milliseconds */
  contact(kind: string, atMs: number): void;
}

export const NO_REFLECTOR_METRICS: ReflectorMetrics = {
  started: () => {},
  list: () => {},
  watch: () => {},
  watchError: () => {},
  relist: () => {},
  bookmark: () => {},
  decodeError: () => {},
  missed: () => {},
  objects: () => {},
  contact: () => {},
};

const COUNTED = {
  lists: "Complete lists asked for, streamed or paged",
  watches: "Watches started",
  watch_errors: "Watches or lists that ended with an error",
  relists: "Times the cache had to be filled again",
  bookmarks: "Bookmarks received",
  decode_errors: "Watches dropped because of a line that is no event",
} as const;

export function createReflectorMetrics(registry: Registry): ReflectorMetrics {
  const registers = [registry];
  const labelNames = ["kind"];
  const counter = (name: keyof typeof COUNTED) => {
    const made = new Counter({
      name: `archivestream_reflector_${name}_total`,
      help: COUNTED[name],
      labelNames,
      registers,
    });
    return (kind: string, count = 1) => made.inc({ kind }, count);
  };
  const [lists, watches, watchErrors] = [counter("lists"), counter("watches"), counter("watch_errors")];
  const [relists, bookmarks, decodeErrors] = [counter("relists"), counter("bookmarks"), counter("decode_errors")];
  const contacts = new Map<string, number>();
  new Gauge({
    name: "archivestream_reflector_last_event_age_seconds",
    help: "Time since the last event, bookmark or answered watch",
    labelNames,
    registers,
    collect() {
      for (const [kind, atMs] of contacts) this.set({ kind }, Math.max(0, Date.now() - atMs) / 1000);
    },
  });
  const objects = new Gauge({
    name: "archivestream_cache_objects",
    help: "Objects in the cache",
    labelNames,
    registers,
  });
  const missed = new Counter({
    name: "archivestream_cache_missed_events_total",
    help: "Differences that only a relist showed",
    labelNames,
    registers,
  });
  return {
    started: (kind) => {
      for (const count of [lists, watches, watchErrors, relists, bookmarks, decodeErrors]) count(kind, 0);
      missed.inc({ kind }, 0);
      objects.set({ kind }, 0);
    },
    list: (kind) => lists(kind),
    watch: (kind) => watches(kind),
    watchError: (kind) => watchErrors(kind),
    relist: (kind) => relists(kind),
    bookmark: (kind) => bookmarks(kind),
    decodeError: (kind) => decodeErrors(kind),
    missed: (kind, count) => missed.inc({ kind }, count),
    objects: (kind, count) => objects.set({ kind }, count),
    contact: (kind, atMs) => void contacts.set(kind, atMs),
  };
}
